//! The load from a linked account, issuer's side (JR/T 0025.13): decision, the
//! pending row, the script's result. The row is open from the answer until
//! something proves where the money is.

use super::IssuerError;
use super::answer::{self, Acted, Stop};
use super::decision::{Refusal, ToldBalance};
use super::ledger::{self, Book};
use super::message::original_key;
use super::present::Presented;
use super::work::{Work, column, minor};
use crate::air::host::{Answer, MessageKey, Request, ResponseCode, Settlement};
use crate::base::env::Timestamp;
use crate::base::store::Row;
use crate::words::dictionary::tag;
use crate::words::emv::{Pan, ScriptResult};
use crate::words::iso4217::{Amount, Currency};

/// A load that is neither landed nor returned: what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLoad {
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// Counter of the load.
    pub atc: u16,
    /// The money in flight.
    pub amount: Amount,
    /// Balance that the card proved before it, minor units.
    pub old_minor: u64,
    /// Balance that the script writes, minor units.
    pub new_minor: u64,
    /// When it was approved.
    pub opened_at: Timestamp,
    /// Merchant, terminal, batch and trace of the request.
    pub request: (String, String, u32, u32),
}

/// A row of `load`.
#[derive(Debug, Clone)]
pub(super) struct LoadRow {
    pub(super) id: String,
    pub(super) card: String,
    pub(super) account: String,
    pub(super) amount: Amount,
    pub(super) atc: u16,
    pub(super) old_minor: u64,
    pub(super) settlement: Settlement,
}

const LOAD: &str = "SELECT id, card, account, currency, amount, atc, old_minor, state FROM load";

impl Work<'_> {
    /// Decides on a load.
    pub(super) fn authorise_load(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let presented = match self.present(request) {
            Ok(presented) => presented,
            Err(Stop::Refuse(refusal)) => return Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => return Err(error),
        };
        match self.grant_load(request, &presented) {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => {
                Ok(Acted::nothing(self.declined(refusal, Some(&presented.verified))?))
            }
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// Takes a script's result: success lands the load, a definite failure returns
    /// it, anything else only asks how the row stands.
    pub(super) fn advise_script(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let Some(load) = self.load_of_notice(request)? else {
            let answer = Answer::new(ResponseCode::NO_ORIGINAL, "no load of this card fits the notice");
            self.say("Notice Unmatched", answer.reason.clone());
            return Ok(Acted::nothing(answer));
        };
        let result = request.chip.value(tag::ISSUER_SCRIPT_RESULTS).and_then(load_result);
        let told = match result {
            Some(ScriptResult::Succeeded) => Some(Settlement::Landed),
            Some(ScriptResult::Failed(_)) if self.rules.recovery.return_on_refusal => {
                Some(Settlement::Returned)
            }
            Some(ScriptResult::Failed(_) | ScriptResult::NotPerformed) | None => None,
        };
        let mut settlement = load.settlement;
        match (told, load.settlement) {
            (Some(told), Settlement::Open) => {
                let reason = match told {
                    Settlement::Landed => "script result: the card took the load (DF31 2x)",
                    _ => "script result: the card refused the load (DF31 1x)",
                };
                self.settle(&load, told, "notice", reason)?;
                settlement = self.settlement(&load.id)?;
            }
            (Some(told), settled) if told != settled => {
                self.say("Alarm", "a script result contradicts how the load was settled; nothing is moved");
            }
            _ => {}
        }
        let reason = match settlement {
            Settlement::Open => "noted; nothing is proven yet",
            Settlement::Landed => "noted; the load has landed",
            Settlement::Returned => "noted; the account has the money back",
        };
        let mut answer = Answer::new(ResponseCode::APPROVED, reason);
        answer.settlement = Some(settlement);
        Ok(Acted { answer, on: Some(load.id) })
    }

    /// Moves the money of an open load to where it is proven to be. `false` where
    /// the load is settled already.
    pub(super) fn settle(
        &mut self,
        load: &LoadRow,
        to: Settlement,
        by: &'static str,
        reason: &str,
    ) -> Result<bool, IssuerError> {
        let (state, what, book, event) = match to {
            Settlement::Open => return Ok(false),
            Settlement::Landed => ("landed", "load landed", Book::Card(&load.card), "Load Landed"),
            Settlement::Returned => {
                ("returned", "load returned", Book::Account(&load.account), "Load Returned")
            }
        };
        let changed = self.tx.execute(
            "UPDATE load SET state = $1, settled_at = $2, settled_by = $3 WHERE id = $4 AND state = 'open'",
            &[state.into(), self.now().micros().into(), by.into(), load.id.as_str().into()],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.transfer(what, &load.id, Book::InFlight, book, load.amount)?;
        self.say_amount(event, load.amount, reason);
        Ok(true)
    }

    /// A load by its id.
    pub(super) fn load(&mut self, id: &str) -> Result<Option<LoadRow>, IssuerError> {
        let rows = self.tx.query(&format!("{LOAD} WHERE id = $1"), &[id.into()])?;
        rows.first().map(load_row).transpose()
    }

    /// How a load stands.
    pub(super) fn settlement(&mut self, id: &str) -> Result<Settlement, IssuerError> {
        Ok(self.load(id)?.map_or(Settlement::Open, |load| load.settlement))
    }

    /// The open loads of a card, oldest first.
    pub(super) fn open_loads_of(&mut self, card: &str) -> Result<Vec<LoadRow>, IssuerError> {
        let sql = format!("{LOAD} WHERE state = 'open' AND card = $1 ORDER BY atc");
        self.tx.query(&sql, &[card.into()])?.iter().map(load_row).collect()
    }

    /// What the open loads of a card come to.
    pub(super) fn open_minor(&mut self, card: &str, currency: Currency) -> Result<i64, IssuerError> {
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM load \
             WHERE state = 'open' AND card = $1 AND currency = $2",
            &[card.into(), i64::from(currency.0).into()],
        )?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
    }

    /// Every open load, oldest first.
    pub(super) fn all_open_loads(&mut self) -> Result<Vec<OpenLoad>, IssuerError> {
        let rows = self.tx.query(
            "SELECT card, atc, currency, amount, old_minor, new_minor, opened_at, merchant, terminal, batch, \
             trace FROM load WHERE state = 'open' ORDER BY opened_at, id",
            &[],
        )?;
        let mut loads = Vec::with_capacity(rows.len());
        for row in rows {
            let number = |column| Ok::<_, IssuerError>(row.int(column)? as u32);
            loads.push(OpenLoad {
                pan: self.card_pan(row.text(0)?)?,
                atc: row.int(1)? as u16,
                amount: Amount::new(minor("load", row.int(3)?)?, ledger::currency(&row, 2)?),
                old_minor: minor("load", row.int(4)?)?,
                new_minor: minor("load", row.int(5)?)?,
                opened_at: Timestamp::from_micros(row.int(6)?),
                request: (row.text(7)?.into(), row.text(8)?.into(), number(9)?, number(10)?),
            });
        }
        Ok(loads)
    }

    fn grant_load(&mut self, request: &Request, presented: &Presented) -> Result<Acted, Stop> {
        let Presented { card, verified } = presented;
        let linked = self.admit(request, card, self.rules.load_needs_pin)?;
        let invalid = |reason: &str| Refusal::new(ResponseCode::INVALID_TRANSACTION, reason);
        let (balance_tag, limit_minor) =
            linked.ecash.ok_or_else(|| invalid("the card has no electronic cash in this currency"))?;
        let account = linked.account.ok_or_else(|| invalid("the card has no linked account"))?;
        let no = |reason: &str| Refusal::new(ResponseCode::DO_NOT_HONOUR, reason);
        let old_minor = match verified.balance {
            ToldBalance::Proven(balance) => balance,
            ToldBalance::Absent => return Err(no("9F10 does not tell the card's balance").into()),
            ToldBalance::Unproven => return Err(no("the MAC of the balance in 9F10 is wrong").into()),
        };
        let amount = request.amount;
        if !self.check_shadow(&card.id, amount.currency, verified.atc, old_minor)? {
            let reason = "the card's balance is above what the ledger explains";
            return Err(Refusal::new(ResponseCode::RESTRICTED, reason).into());
        }
        let new_total = Amount::new(old_minor.saturating_add(amount.minor), amount.currency);
        let over = |rule: &str| Refusal::new(ResponseCode::LIMIT_EXCEEDED, rule);
        if new_total.minor > limit_minor {
            return Err(over("the new balance is above the card's balance limit (9F77, DF77)").into());
        }
        if self.rules.ecash_cap_minor(amount.currency).is_some_and(|cap| new_total.minor > cap) {
            return Err(over("the new balance is above the cap of electronic cash").into());
        }
        let id = self.new_id();
        // The last thing that may refuse: money has not moved before this line.
        if !self.transfer("load", &id, Book::Account(&account), Book::InFlight, amount)? {
            return Err(Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "the account holds less").into());
        }
        self.insert_load(&id, request, presented, &account, old_minor, new_total)?;
        let mut answer = self.approved(verified, "the load is granted and in flight")?;
        let script = answer::load_script(verified, balance_tag, new_total)?;
        answer.chip.put(tag::ISSUER_SCRIPT_TEMPLATE_2, script);
        self.say_amount("Load Granted", amount, "account debited, script made for the new total");
        Ok(Acted { answer, on: Some(id) })
    }

    fn insert_load(
        &mut self,
        id: &str,
        request: &Request,
        presented: &Presented,
        account: &str,
        old_minor: u64,
        new_total: Amount,
    ) -> Result<(), IssuerError> {
        let key = &request.key;
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO load (id, card, currency, account, atc, amount, old_minor, new_minor, state, \
             merchant, terminal, batch, trace, opened_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, $11, $12, $13)",
            &[
                id.into(),
                presented.card.id.as_str().into(),
                i64::from(request.amount.currency.0).into(),
                account.into(),
                i64::from(presented.verified.atc).into(),
                column(request.amount.minor)?.into(),
                column(old_minor)?.into(),
                column(new_total.minor)?.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
                at.into(),
            ],
        )?;
        Ok(())
    }

    /// The load that a notice speaks of: by its original's key, else by counter;
    /// always of the notice's own card.
    fn load_of_notice(&mut self, request: &Request) -> Result<Option<LoadRow>, IssuerError> {
        let Some(card) = self.find_card(request.pan.expose(), request.psn)? else { return Ok(None) };
        if let Some(original) = request.original {
            let MessageKey { merchant, terminal, batch, trace, .. } = original_key(&request.key, original);
            let sql = format!(
                "{LOAD} WHERE merchant = $1 AND terminal = $2 AND batch = $3 AND trace = $4 AND card = $5 \
                 ORDER BY opened_at DESC LIMIT 1"
            );
            let rows = self.tx.query(
                &sql,
                &[
                    merchant.into(),
                    terminal.into(),
                    i64::from(batch).into(),
                    i64::from(trace).into(),
                    card.id.as_str().into(),
                ],
            )?;
            return rows.first().map(load_row).transpose();
        }
        let Some(atc) = request.chip.array(tag::ATC).map(u16::from_be_bytes) else { return Ok(None) };
        let sql = format!("{LOAD} WHERE card = $1 AND atc = $2");
        let rows = self.tx.query(&sql, &[card.id.into(), i64::from(atc).into()])?;
        rows.first().map(load_row).transpose()
    }
}

/// The result of the load script in DF31: the entry with its identifier, else the
/// only one.
pub(super) fn load_result(results: &[u8]) -> Option<ScriptResult> {
    let (entries, rest) = results.as_chunks::<5>();
    if !rest.is_empty() {
        return None;
    }
    let ours = entries.iter().find(|entry| entry[1..] == answer::LOAD_SCRIPT);
    let entry = ours.or(if let [only] = entries { Some(only) } else { None })?;
    ScriptResult::from_byte(entry[0])
}

fn load_row(row: &Row) -> Result<LoadRow, IssuerError> {
    let settlement = match row.text(7)? {
        "open" => Settlement::Open,
        "landed" => Settlement::Landed,
        "returned" => Settlement::Returned,
        other => {
            return Err(IssuerError::Corrupt {
                table: "load",
                expected: "a state open, landed or returned",
                found: other.to_owned(),
            });
        }
    };
    Ok(LoadRow {
        id: row.text(0)?.to_owned(),
        card: row.text(1)?.to_owned(),
        account: row.text(2)?.to_owned(),
        amount: Amount::new(minor("load", row.int(4)?)?, ledger::currency(row, 3)?),
        atc: row.int(5)? as u16,
        old_minor: minor("load", row.int(6)?)?,
        settlement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_load_script_among_results() {
        assert_eq!(load_result(&[0x20, 0, 0, 0, 1]), Some(ScriptResult::Succeeded));
        assert_eq!(load_result(&[0x11, 0, 0, 0, 0]), Some(ScriptResult::Failed(1)));
        assert_eq!(load_result(&[0x20, 9, 9, 9, 9, 0x00, 0, 0, 0, 1]), Some(ScriptResult::NotPerformed));
        assert_eq!(load_result(&[0x20, 9, 9, 9, 9, 0x20, 8, 8, 8, 8]), None, "neither is ours");
        assert_eq!(load_result(&[0x30, 0, 0, 0, 1]), None);
        assert_eq!(load_result(&[0x20]), None);
        assert_eq!(load_result(&[]), None);
    }
}
