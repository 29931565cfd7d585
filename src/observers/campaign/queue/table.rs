//! The store of shared jobs: each verb is one transaction, and safe to say again where
//! nobody knows whether it was heard.

use super::entry::{Claimed, Counts, Ended, NewCampaign, Ticket};
use super::schema::{MIGRATIONS, OWNER};
use super::state::{JobEvent, JobState, Standing};
use super::watch::Sign;
use crate::base::context::Context;
use crate::base::store::{Db, Row, StoreError, Tx, Value, migrate, transact};
use std::collections::BTreeSet;

/// For how long campaigns that have ended are kept.
const KEPT_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;
/// How often a transaction is run again of which nobody knows whether it was kept.
const REPEATS: usize = 5;

/// The jobs that several machines share.
pub struct Queue {
    db: Box<dyn Db>,
}

/// Whether the store took what an agent brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is kept.
    Kept,
    /// The job is another agent's by now, or has ended: it counts for nothing.
    Refused,
}

impl Queue {
    /// The jobs in a store; its tables are made where they are absent.
    pub fn open(mut db: Box<dyn Db>) -> Result<Self, StoreError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        Ok(Self { db })
    }

    /// Another handle on the same jobs.
    pub fn handle(&self) -> Result<Self, StoreError> {
        Ok(Self { db: self.db.handle()? })
    }

    /// Puts a campaign in, once for its name; campaigns that ended a week ago go.
    pub fn submit(&mut self, new: &NewCampaign, context: &mut Context) -> Result<(), StoreError> {
        let now = context.now().micros();
        self.surely(|tx| {
            let before = Value::Int(now - KEPT_MICROS);
            tx.execute(
                "DELETE FROM campaign_job WHERE campaign IN \
                 (SELECT id FROM campaign WHERE open = 0 AND submitted_at < $1)",
                std::slice::from_ref(&before),
            )?;
            tx.execute("DELETE FROM campaign WHERE open = 0 AND submitted_at < $1", &[before])?;
            if !tx.query("SELECT id FROM campaign WHERE id = $1", &[new.id.as_str().into()])?.is_empty() {
                return Ok(());
            }
            tx.execute(
                "INSERT INTO campaign (id, submitter, submitted_at, payload, patience_ms, beats, open) \
                 VALUES ($1, $2, $3, $4, $5, 0, 1)",
                &[
                    new.id.as_str().into(),
                    new.submitter.as_str().into(),
                    now.into(),
                    new.payload.as_str().into(),
                    new.patience_ms.into(),
                ],
            )?;
            for (number, job) in (0_i64..).zip(&new.jobs) {
                tx.execute(
                    "INSERT INTO campaign_job (campaign, number, submitted_at, version, seat, payload, state, \
                     lease, beats, patience_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0)",
                    &[
                        new.id.as_str().into(),
                        number.into(),
                        now.into(),
                        new.version.as_str().into(),
                        job.seat.as_str().into(),
                        job.payload.as_str().into(),
                        JobState::Ready.word().into(),
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// What all jobs of a campaign need; `None` where there is no such campaign.
    pub fn payload(&mut self, campaign: &str) -> Result<Option<String>, StoreError> {
        self.surely(|tx| {
            let rows = tx.query("SELECT payload FROM campaign WHERE id = $1", &[campaign.into()])?;
            rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
        })
    }

    /// The seats that jobs of a version need which are in this state.
    pub fn seats(&mut self, version: &str, state: JobState) -> Result<Vec<String>, StoreError> {
        self.surely(|tx| {
            let rows = tx.query(
                "SELECT DISTINCT seat FROM campaign_job WHERE state = $1 AND version = $2",
                &[state.word().into(), version.into()],
            )?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
        })
    }

    /// Gives the eldest ready job for one of these seats to `holder`, who has none: one
    /// that he holds already was given to him when he was not told. He may give no sign for
    /// `patience_ms`.
    pub fn claim(
        &mut self,
        seats: &[String],
        version: &str,
        holder: &str,
        patience_ms: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        self.surely(|tx| {
            let held = tx.query(
                "SELECT campaign, number, payload, lease FROM campaign_job WHERE state = $1 AND holder = $2",
                &[JobState::Held.word().into(), holder.into()],
            )?;
            if let Some(row) = held.first() {
                let ticket = Ticket {
                    campaign: row.text(0)?.into(),
                    number: row.int(1)?,
                    lease: row.int(3)?,
                };
                return Ok(Some(Claimed { ticket, payload: row.text(2)?.into() }));
            }
            for seat in seats {
                let rows = tx.query_unclaimed(
                    "SELECT campaign, number, payload, lease FROM campaign_job \
                     WHERE state = $1 AND version = $2 AND seat = $3 \
                     ORDER BY submitted_at, campaign, number LIMIT 1",
                    &[JobState::Ready.word().into(), version.into(), seat.as_str().into()],
                )?;
                let Some(row) = rows.first() else { continue };
                let before = Standing { state: JobState::Ready, lease: row.int(3)? };
                let Some(after) = before.after(JobEvent::Claim) else { continue };
                let (campaign, number) = (row.text(0)?.to_owned(), row.int(1)?);
                tx.execute(
                    "UPDATE campaign_job SET state = $1, lease = $2, holder = $3, beats = 0, patience_ms = $4 \
                     WHERE campaign = $5 AND number = $6",
                    &[
                        after.state.word().into(),
                        after.lease.into(),
                        holder.into(),
                        patience_ms.into(),
                        campaign.as_str().into(),
                        number.into(),
                    ],
                )?;
                let ticket = Ticket { campaign, number, lease: after.lease };
                return Ok(Some(Claimed { ticket, payload: row.text(2)?.into() }));
            }
            Ok(None)
        })
    }

    /// Signs of life for jobs that are being played; gives those that are lost.
    pub fn beat(&mut self, tickets: &[Ticket]) -> Result<Vec<Ticket>, StoreError> {
        self.surely(|tx| {
            let mut lost = Vec::new();
            for ticket in tickets {
                match change(tx, ticket, JobEvent::Beat(ticket.lease))? {
                    None => lost.push(ticket.clone()),
                    Some(_) => {
                        tx.execute(
                            "UPDATE campaign_job SET beats = beats + 1 WHERE campaign = $1 AND number = $2",
                            &[ticket.campaign.as_str().into(), ticket.number.into()],
                        )?;
                    }
                }
            }
            Ok(lost)
        })
    }

    /// Brings a job's result, or why it cannot be played.
    pub fn finish(
        &mut self,
        ticket: &Ticket,
        result: &Result<String, String>,
    ) -> Result<Receipt, StoreError> {
        let event = match result {
            Ok(_) => JobEvent::Finish(ticket.lease),
            Err(_) => JobEvent::Break(ticket.lease),
        };
        self.surely(|tx| {
            let Some((before, after)) = change(tx, ticket, event)? else { return Ok(Receipt::Refused) };
            if before == after {
                return Ok(Receipt::Kept);
            }
            let (column, text) = match result {
                Ok(text) => ("result", text),
                Err(text) => ("reason", text),
            };
            tx.execute(
                &format!("UPDATE campaign_job SET {column} = $1 WHERE campaign = $2 AND number = $3"),
                &[text.as_str().into(), ticket.campaign.as_str().into(), ticket.number.into()],
            )?;
            Ok(Receipt::Kept)
        })
    }

    /// Takes a job from an agent that gives no sign; whether it was still that agent's.
    pub(super) fn expire(&mut self, ticket: &Ticket, beats: i64) -> Result<bool, StoreError> {
        self.surely(|tx| {
            let key = [Value::from(ticket.campaign.as_str()), ticket.number.into()];
            let rows = tx.query_locked(
                "SELECT beats, holder, patience_ms FROM campaign_job WHERE campaign = $1 AND number = $2",
                &key,
            )?;
            let Some(row) = rows.first() else { return Ok(false) };
            let changed = match row.int(0)? == beats {
                true => change(tx, ticket, JobEvent::Expire(ticket.lease))?,
                false => None,
            };
            if changed.is_some() {
                let holder = if row.is_null(1) { "an agent" } else { row.text(1)? };
                let reason = format!(
                    "{holder} had it, claim {}, and gave no sign for {} s",
                    ticket.lease,
                    row.int(2)? as f64 / 1000.0
                );
                let [campaign, number] = key;
                tx.execute(
                    "UPDATE campaign_job SET reason = $1 WHERE campaign = $2 AND number = $3",
                    &[reason.into(), campaign, number],
                )?;
            }
            Ok(changed.is_some())
        })
    }

    /// Ends a campaign: its jobs that have not ended are cancelled, for a reason.
    pub fn close(&mut self, campaign: &str, reason: &str) -> Result<(), StoreError> {
        self.surely(|tx| {
            for state in [JobState::Ready, JobState::Held] {
                tx.execute(
                    "UPDATE campaign_job SET state = $1, reason = $2 WHERE campaign = $3 AND state = $4",
                    &[JobState::Cancelled.word().into(), reason.into(), campaign.into(), state.word().into()],
                )?;
            }
            tx.execute("UPDATE campaign SET open = 0 WHERE id = $1", &[campaign.into()])?;
            Ok(())
        })
    }

    /// A submitter's sign of life.
    pub fn beat_campaign(&mut self, campaign: &str) -> Result<(), StoreError> {
        self.surely(|tx| {
            tx.execute("UPDATE campaign SET beats = beats + 1 WHERE id = $1", &[campaign.into()]).map(|_| ())
        })
    }

    /// The last signs of all who play a job.
    pub(super) fn signs(&mut self) -> Result<Vec<(Ticket, Sign)>, StoreError> {
        self.surely(|tx| {
            let rows = tx.query(
                "SELECT campaign, number, lease, beats, patience_ms FROM campaign_job WHERE state = $1",
                &[JobState::Held.word().into()],
            )?;
            let sign = |row: &Row| {
                let ticket =
                    Ticket { campaign: row.text(0)?.into(), number: row.int(1)?, lease: row.int(2)? };
                let sign = Sign { count: (ticket.lease, row.int(3)?), patience_ms: row.int(4)? };
                Ok((ticket, sign))
            };
            rows.iter().map(sign).collect()
        })
    }

    /// The last signs of all who wait for a campaign.
    pub(super) fn campaign_signs(&mut self) -> Result<Vec<(String, Sign)>, StoreError> {
        self.surely(|tx| {
            let rows = tx.query("SELECT id, beats, patience_ms FROM campaign WHERE open = 1", &[])?;
            let sign = |row: &Row| {
                let sign = Sign { count: (0, row.int(1)?), patience_ms: row.int(2)? };
                Ok((row.text(0)?.to_owned(), sign))
            };
            rows.iter().map(sign).collect()
        })
    }

    /// How many jobs of a campaign stand where.
    pub fn counts(&mut self, campaign: &str) -> Result<Counts, StoreError> {
        self.surely(|tx| {
            let rows = tx.query(
                "SELECT state, COUNT(*) FROM campaign_job WHERE campaign = $1 GROUP BY state",
                &[campaign.into()],
            )?;
            let mut counts = Counts::default();
            for row in rows {
                let count = usize::try_from(row.int(1)?).unwrap_or(0);
                match JobState::from_word(row.text(0)?) {
                    Some(JobState::Ready) => counts.ready += count,
                    Some(JobState::Held) => counts.held += count,
                    _ => counts.ended += count,
                }
            }
            Ok(counts)
        })
    }

    /// The jobs of a campaign that have ended and are not among `known`.
    pub fn ended(&mut self, campaign: &str, known: &BTreeSet<i64>) -> Result<Vec<Ended>, StoreError> {
        self.surely(|tx| {
            let mut ended = Vec::new();
            let states = JobState::ALL.iter().filter(|state| state.is_final());
            for state in states {
                let numbers = tx.query(
                    "SELECT number FROM campaign_job WHERE campaign = $1 AND state = $2 ORDER BY number",
                    &[campaign.into(), state.word().into()],
                )?;
                for number in numbers.iter().map(|row| row.int(0)) {
                    let number = number?;
                    if known.contains(&number) {
                        continue;
                    }
                    let rows = tx.query(
                        "SELECT lease, result, reason FROM campaign_job WHERE campaign = $1 AND number = $2",
                        &[campaign.into(), number.into()],
                    )?;
                    for row in rows {
                        let text = |column: usize| match row.is_null(column) {
                            true => Ok(None),
                            false => row.text(column).map(|text| Some(text.to_owned())),
                        };
                        let (lease, result, reason) = (row.int(0)?, text(1)?, text(2)?);
                        ended.push(Ended { number, state: *state, lease, result, reason });
                    }
                }
            }
            Ok(ended)
        })
    }

    /// Runs work that finds what it has done already, until somebody knows that it is kept.
    fn surely<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut repeats = 0;
        loop {
            match transact(self.db.as_mut(), &mut work) {
                Err(StoreError::CommitUnknown { .. }) if repeats < REPEATS => repeats += 1,
                outcome => return outcome,
            }
        }
    }
}

/// Lets an event happen to a job, which is locked: where it stood and where it stands;
/// `None` where the event is refused, or there is no such job.
fn change(
    tx: &mut dyn Tx,
    ticket: &Ticket,
    event: JobEvent,
) -> Result<Option<(Standing, Standing)>, StoreError> {
    let rows = tx.query_locked(
        "SELECT state, lease FROM campaign_job WHERE campaign = $1 AND number = $2",
        &[ticket.campaign.as_str().into(), ticket.number.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let Some(state) = JobState::from_word(row.text(0)?) else { return Ok(None) };
    let before = Standing { state, lease: row.int(1)? };
    let Some(after) = before.after(event) else { return Ok(None) };
    if after != before {
        tx.execute(
            "UPDATE campaign_job SET state = $1 WHERE campaign = $2 AND number = $3",
            &[after.state.word().into(), ticket.campaign.as_str().into(), ticket.number.into()],
        )?;
    }
    Ok(Some((before, after)))
}
