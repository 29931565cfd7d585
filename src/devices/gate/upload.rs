//! Deferred authorisation: the requests of rides go to the host in batches; what it declines is
//! owed, asked for again by the ladder of the line, and bars its card until it is paid.

use super::deny_delta::DenyDelta;
use super::deny_list::DenyList;
use super::due::{Asks, Due, Outcome};
use super::error::GateError;
use super::handle::Gate;
use super::state::TapState;
use crate::air::host::{Answer, Host, HostError, Kind, MessageClass, ResponseCode, Settlement};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;

/// What an upload came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uploaded {
    /// Requests that were sent.
    pub asked: usize,
    /// Rides for which money is held.
    pub held: usize,
    /// Rides that were paid.
    pub approved: usize,
    /// Rides that were owed and paid.
    pub recovered: usize,
    /// Rides that are owed.
    pub owed: usize,
    /// Rides that nobody is going to pay.
    pub lost: usize,
    /// Rides whose purse is still to prove by its balance that it has paid.
    pub claimed: usize,
    /// Requests that nobody answered: they are sent again.
    pub unanswered: usize,
    /// What the first of those said.
    pub trouble: Option<String>,
    /// Cards, and the accounts behind them, that are barred from now on; printed, they are masked.
    barred: Vec<Secret<String>>,
    /// Those that may pass again.
    cleared: Vec<Secret<String>>,
}

impl Uploaded {
    /// What an operator tells its other gates: the next version of this list.
    pub fn delta(&self, list: &DenyList) -> DenyDelta {
        let pans = |pans: &'_ [Secret<String>]| pans.iter().map(|pan| list.entry_of(pan.expose())).collect();
        list.next(pans(&self.barred), pans(&self.cleared))
    }
}

impl Gate {
    /// Sends what is due, at most one batch. Where the host falls silent the rest of the batch
    /// waits.
    pub fn upload(&mut self, host: &mut dyn Host, context: &mut Context) -> Result<Uploaded, GateError> {
        let now = context.now();
        let line = &self.line;
        let key = (line.merchant.as_str(), line.terminal.as_str());
        let due = self.book.take_due(line.upload.batch, |attempt| line.upload_pause(attempt), key, now)?;
        let mut done = Uploaded::default();
        let mut answers: Vec<(&Due, Outcome)> = Vec::with_capacity(due.len());
        for tap in &due {
            done.asked += 1;
            let answer = match tap.request.key.class {
                MessageClass::Notice => host.advise(&tap.request, context),
                _ => host.authorise(&tap.request, context),
            };
            match answer.map(|answer| self.outcome(tap, &answer, now)) {
                Ok(Some(outcome)) => answers.push((tap, outcome)),
                Ok(None) => done.unanswered += 1,
                Err(error) => {
                    done.unanswered += 1;
                    let is_away = matches!(error, HostError::Unreachable { .. });
                    done.trouble.get_or_insert(error.to_string());
                    if is_away {
                        break;
                    }
                }
            }
        }
        self.book.keep_answers(&answers)?;
        for (tap, outcome) in answers {
            self.note(tap, &outcome, &mut done, context)?;
        }
        Ok(done)
    }

    /// Sends batch after batch until nothing is due or the host does not answer.
    pub fn upload_all(&mut self, host: &mut dyn Host, context: &mut Context) -> Result<Uploaded, GateError> {
        let mut all = Uploaded::default();
        loop {
            let done = self.upload(host, context)?;
            let goes_on = done.asked > 0 && done.unanswered == 0;
            all.add(done);
            if !goes_on {
                return Ok(all);
            }
        }
    }

    /// What an answer makes of a tap; `None` where it is none, and the same message is sent
    /// again.
    fn outcome(&self, tap: &Due, answer: &Answer, now: Timestamp) -> Option<Outcome> {
        let code = String::from_utf8_lossy(&answer.code.0).into_owned();
        let stands = |state, is_held, next_at| {
            Some(Outcome { state, is_held, code: code.clone(), step: tap.step, next_at })
        };
        let ends = |state| stands(state, false, now);
        if tap.state == TapState::Claimed {
            return match answer.settlement.filter(|_| answer.code.is_approved()) {
                Some(Settlement::Landed) => ends(TapState::Approved),
                Some(Settlement::Returned) => ends(TapState::Void),
                // Nothing proves it yet; asked again, the same message tells how it stands then.
                _ => stands(TapState::Claimed, false, now.plus(self.line.upload_pause(usize::MAX))),
            };
        }
        let is_purse = tap.request.kind == Kind::PurseSale;
        // The TAC is not this purse's: the issuer took note, and nobody is paid.
        if is_purse && answer.settlement == Some(Settlement::Returned) {
            return ends(TapState::Lost);
        }
        if answer.code.is_approved() && tap.asks == Asks::Hold {
            return match tap.state {
                TapState::Owed => stands(TapState::Owed, true, now),
                _ => stands(TapState::Held, true, tap.ends_at),
            };
        }
        if answer.code.is_approved() {
            return ends(match tap.state {
                TapState::Owed => TapState::Recovered,
                _ => TapState::Approved,
            });
        }
        if [ResponseCode::ISSUER_UNREACHABLE, ResponseCode::MALFUNCTION].contains(&answer.code) {
            return None;
        }
        let step = if tap.state == TapState::Owed { tap.step + 1 } else { 0 };
        let pause = self.line.debt_pause(step).filter(|_| !is_purse && self.line.debt.codes.contains(&code));
        match pause {
            Some(pause) => {
                let next_at = now.plus(pause);
                Some(Outcome { state: TapState::Owed, is_held: false, code, step, next_at })
            }
            None => ends(TapState::Lost),
        }
    }

    /// Tells it, and feeds the deny list.
    fn note(
        &mut self,
        tap: &Due,
        outcome: &Outcome,
        done: &mut Uploaded,
        context: &mut Context,
    ) -> Result<(), GateError> {
        let names = || [Some(&tap.request.pan), tap.account.as_ref()].into_iter().flatten();
        match outcome.state {
            _ if outcome.is_held => done.held += tap.rides,
            TapState::Approved => done.approved += tap.rides,
            TapState::Recovered => done.recovered += tap.rides,
            TapState::Owed => done.owed += tap.rides,
            TapState::Lost => done.lost += tap.rides,
            TapState::Claimed => done.claimed += tap.rides,
            // Nothing is to be told of them.
            TapState::Held
            | TapState::Waiting
            | TapState::Free
            | TapState::InDoubt
            | TapState::Void
            | TapState::Doubtful => {}
        }
        if outcome.state.bars() && tap.state != TapState::Owed {
            names().for_each(|name| self.deny_list.add(name.expose()));
            done.barred.extend(names().cloned());
        }
        if outcome.state == TapState::Recovered && !self.book.is_barred(tap.request.pan.expose())? {
            names().for_each(|name| self.deny_list.remove(name.expose()));
            done.cleared.extend(names().cloned());
        }
        let event = match outcome.is_held {
            true => "nominal amount held".to_owned(),
            false => format!("ride {}", outcome.state.word()),
        };
        let reason = match tap.asks {
            Asks::Ride => format!("the host answered {}", outcome.code),
            _ => format!("the host answered {} for {} rides", outcome.code, tap.rides),
        };
        context.emit(Event::new("gate", event).because(reason));
        Ok(())
    }
}

impl Uploaded {
    fn add(&mut self, more: Self) {
        self.asked += more.asked;
        self.held += more.held;
        self.approved += more.approved;
        self.recovered += more.recovered;
        self.owed += more.owed;
        self.lost += more.lost;
        self.claimed += more.claimed;
        self.unanswered += more.unanswered;
        self.trouble = self.trouble.take().or(more.trouble);
        self.barred.extend(more.barred);
        self.cleared.extend(more.cleared);
    }
}
