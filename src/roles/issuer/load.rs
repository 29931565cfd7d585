//! What a script does to a card's balance, issuer's side (JR/T 0025.13): a row that
//! is open from the answer until something proves where the money is. A load takes
//! its money from a book into flight and lands on the card; an unload takes it from
//! the card's shadow into flight and lands on a book. Either returns to where it
//! came from.

use super::IssuerError;
use super::answer::{self, Acted};
use super::ledger::{self, Book};
use super::limits::Way;
use super::load_kind::LoadKind;
use super::message::original_key;
use super::work::{Work, minor};
use crate::air::host::{Answer, MessageKey, Original, Request, ResponseCode, Settlement};
use crate::base::env::Timestamp;
use crate::base::store::Row;
use crate::words::dictionary::tag;
use crate::words::emv::{Pan, ScriptResult};
use crate::words::iso4217::{Amount, Currency};

/// A load or unload that is neither landed nor returned: what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLoad {
    /// Why the script was made.
    pub kind: LoadKind,
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
    pub(super) kind: LoadKind,
    pub(super) card: String,
    /// The book at the other end: its kind and holder.
    pub(super) counter: (String, String),
    pub(super) amount: Amount,
    pub(super) atc: u16,
    pub(super) old_minor: u64,
    pub(super) new_minor: u64,
    pub(super) settlement: Settlement,
    /// The load that a void undoes.
    pub(super) original: Option<String>,
    pub(super) opened_at: Timestamp,
}

impl LoadRow {
    /// The book at the other end.
    pub(super) fn counter(&self) -> Result<Book<'_>, IssuerError> {
        Book::of(&self.counter.0, &self.counter.1).ok_or_else(|| IssuerError::Corrupt {
            table: "load",
            expected: "a book that loads come from",
            found: self.counter.0.clone(),
        })
    }
}

const LOAD: &str = "SELECT id, card, counter, counter_holder, currency, amount, atc, old_minor, new_minor, \
                    state, kind, original, opened_at FROM load";

impl Work<'_> {
    /// Takes a script's result: success lands the load, a definite failure returns
    /// it, anything else only asks how the row stands.
    pub(super) fn advise_script(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let noted = self.note_script_results(request)?;
        let Some(load) = self.load_of_notice(request)? else {
            if noted {
                let answer =
                    Answer::new(ResponseCode::APPROVED, "noted; it is known what became of the script");
                return Ok(Acted::nothing(answer));
            }
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
        let settlement = match (told, load.settlement) {
            (Some(told), Settlement::Open) => {
                let reason = match told {
                    Settlement::Landed => "script result: the card took the script (DF31 2x)",
                    _ => "script result: the card refused the script (DF31 1x)",
                };
                if self.settle(&load, told, "notice", reason)? { told } else { self.settlement(&load.id)? }
            }
            (Some(told), settled) if told != settled => {
                self.say("Alarm", "a script result contradicts how the load was settled; nothing is moved");
                settled
            }
            (_, settled) => settled,
        };
        let reason = match settlement {
            Settlement::Open => "noted; nothing is proven yet",
            Settlement::Landed => "noted; the card has taken the script",
            Settlement::Returned => "noted; the money is back where it came from",
        };
        let mut answer = Answer::new(ResponseCode::APPROVED, reason);
        answer.settlement = Some(settlement);
        Ok(Acted { answer, on: Some(load.id) })
    }

    /// Phase two of an unload: the card's decrease is told, so the account is
    /// credited. Nothing else credits it, and nothing twice.
    pub(super) fn confirm_unload(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let found = match request.original {
            Some(_) => self.load_of_notice(request)?,
            None => None,
        };
        let Some(load) = found.filter(|load| load.kind == LoadKind::Unload && load.amount == request.amount)
        else {
            let reason = "no unload of this card and amount fits the confirmation";
            self.say("Confirmation Unmatched", reason);
            return Ok(Acted::nothing(Answer::new(ResponseCode::NO_ORIGINAL, reason)));
        };
        let result = request.chip.value(tag::ISSUER_SCRIPT_RESULTS).and_then(load_result);
        if result != Some(ScriptResult::Succeeded) {
            let reason = "the script result (DF31) does not say that the card was lowered";
            return Ok(Acted::nothing(Answer::new(ResponseCode::INVALID_TRANSACTION, reason)));
        }
        self.settle(&load, Settlement::Landed, "confirmation", "the card was lowered (DF31 2x)")?;
        let settlement = self.settlement(&load.id)?;
        let mut answer = if settlement == Settlement::Landed {
            self.note_confirmation(&load.id, &request.key)?;
            Answer::new(ResponseCode::APPROVED, "the account is credited")
        } else {
            self.say("Alarm", "an unload is confirmed that the card is proven not to have taken");
            Answer::new(ResponseCode::INVALID_TRANSACTION, "the card still holds the money")
        };
        answer.settlement = Some(settlement);
        Ok(Acted { answer, on: Some(load.id) })
    }

    /// Keeps the key of the first confirmation of an unload, by which others know it.
    fn note_confirmation(&mut self, id: &str, key: &MessageKey) -> Result<(), IssuerError> {
        let today = self.now().date_number();
        self.tx.execute(
            "UPDATE load SET confirm_date = $1, confirm_batch = $2, confirm_trace = $3 \
             WHERE id = $4 AND confirm_trace IS NULL",
            &[today.into(), i64::from(key.batch).into(), i64::from(key.trace).into(), id.into()],
        )?;
        Ok(())
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
        let card = Book::Card(&load.card);
        let (state, what, book, event) = match (to, load.kind.lowers_card()) {
            (Settlement::Open, _) => return Ok(false),
            (Settlement::Landed, false) => ("landed", "load landed", card, "Load Landed"),
            (Settlement::Returned, false) => ("returned", "load returned", load.counter()?, "Load Returned"),
            (Settlement::Landed, true) => ("landed", "unload landed", load.counter()?, "Unload Landed"),
            (Settlement::Returned, true) => ("returned", "unload returned", card, "Unload Returned"),
        };
        let changed = self.tx.execute(
            "UPDATE load SET state = $1, settled_at = $2, settled_by = $3 WHERE id = $4 AND state = 'open'",
            &[state.into(), self.now().micros().into(), by.into(), load.id.as_str().into()],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.count_open_loads(&load.card, -1)?;
        self.transfer(what, &load.id, Book::InFlight, book, load.amount)?;
        if let (Settlement::Returned, Book::Account(account)) = (to, load.counter()?) {
            let way = if load.kind.lowers_card() { Way::In } else { Way::Out };
            self.uncount(account, way, load.amount, load.opened_at)?;
        }
        if let (Settlement::Returned, Some(original)) = (to, &load.original) {
            // The load may be voided again.
            self.tx.execute(
                "UPDATE load SET voided_by = NULL WHERE id = $1 AND voided_by = $2",
                &[original.as_str().into(), load.id.as_str().into()],
            )?;
        }
        self.say_amount(event, load.amount, reason);
        Ok(true)
    }

    /// A load by its id.
    pub(super) fn load(&mut self, id: &str) -> Result<Option<LoadRow>, IssuerError> {
        let rows = self.tx.query(&format!("{LOAD} WHERE id = $1"), &[id.into()])?;
        rows.first().map(load_row).transpose()
    }

    /// How a load stands, or the claim of a sale.
    pub(super) fn settlement(&mut self, id: &str) -> Result<Settlement, IssuerError> {
        match self.load(id)? {
            Some(load) => Ok(load.settlement),
            None => self.claim_settlement(id),
        }
    }

    /// The open loads of a card, oldest first.
    pub(super) fn open_loads_of(&mut self, card: &str) -> Result<Vec<LoadRow>, IssuerError> {
        let sql = format!("{LOAD} WHERE state = 'open' AND card = $1 ORDER BY atc");
        self.tx.query(&sql, &[card.into()])?.iter().map(load_row).collect()
    }

    /// What the open loads and unloads of a card come to: its balance may be off its
    /// shadow by that much.
    pub(super) fn open_minor(&mut self, card: &str, currency: Currency) -> Result<i64, IssuerError> {
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM load \
             WHERE state = 'open' AND card = $1 AND currency = $2",
            &[card.into(), i64::from(currency.0).into()],
        )?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
    }

    /// The load that a message speaks of by its key; the newest where the key was
    /// used again.
    pub(super) fn load_by_key(
        &mut self,
        key: &MessageKey,
        original: Original,
        card: &str,
    ) -> Result<Option<LoadRow>, IssuerError> {
        let MessageKey { merchant, terminal, batch, trace, .. } = original_key(key, original);
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
                card.into(),
            ],
        )?;
        rows.first().map(load_row).transpose()
    }

    /// Every open load and unload, oldest first.
    pub(super) fn all_open_loads(&mut self) -> Result<Vec<OpenLoad>, IssuerError> {
        let rows = self.tx.query(
            "SELECT card, atc, currency, amount, old_minor, new_minor, opened_at, merchant, terminal, batch, \
             trace, kind FROM card JOIN load ON load.card = card.id AND load.state = 'open' \
             WHERE card.open_loads > 0 ORDER BY opened_at, load.id",
            &[],
        )?;
        let mut loads = Vec::with_capacity(rows.len());
        for row in rows {
            let number = |column| Ok::<_, IssuerError>(row.int(column)? as u32);
            loads.push(OpenLoad {
                kind: LoadKind::of_word(row.text(11)?)?,
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

    /// The load that a notice speaks of: by its original's key, else by counter;
    /// always of the notice's own card.
    pub(super) fn load_of_notice(&mut self, request: &Request) -> Result<Option<LoadRow>, IssuerError> {
        let Some(card) = self.held_card() else { return Ok(None) };
        if let Some(original) = request.original {
            return self.load_by_key(&request.key, original, &card.id);
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
    let settlement = match row.text(9)? {
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
        kind: LoadKind::of_word(row.text(10)?)?,
        counter: (row.text(2)?.to_owned(), row.text(3)?.to_owned()),
        amount: Amount::new(minor("load", row.int(5)?)?, ledger::currency(row, 4)?),
        atc: row.int(6)? as u16,
        old_minor: minor("load", row.int(7)?)?,
        new_minor: minor("load", row.int(8)?)?,
        settlement,
        original: if row.is_null(11) { None } else { Some(row.text(11)?.to_owned()) },
        opened_at: Timestamp::from_micros(row.int(12)?),
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
