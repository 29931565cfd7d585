//! Torn transactions: what a terminal must know to ask a card again for a cryptogram
//! whose answer was lost (EMV Book C-2 4.6). Written before the card is asked, and gone
//! with the step that takes the answer, so that no answer is ever taken twice.

use super::entry::CardMark;
use super::{Journal, JournalError};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::store::{Migration, Sealed, StoreError, Tx, transact};
use crate::words::emv::{CryptogramType, Pan};
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};

const PURPOSE: &str = "journal.torn";

pub(super) const TORN: Migration = Migration {
    statements: &["CREATE TABLE torn (
            batch BIGINT NOT NULL, trace BIGINT NOT NULL, at BIGINT NOT NULL, sealed BYTEA NOT NULL,
            PRIMARY KEY (batch, trace))"],
};

/// A transaction whose card has been asked for a cryptogram.
#[derive(Debug, Clone)]
pub struct Torn {
    /// Batch and trace number of the journal's row that asks.
    pub row: (u32, u32),
    /// When the card was asked first.
    pub at: Timestamp,
    /// The card.
    pub card: CardMark,
    /// What was to be paid.
    pub amount: Amount,
    /// The cryptogram that was asked for.
    pub asked: CryptogramType,
    /// Whether it was to be signed (CDA).
    pub cda: bool,
    /// What the card's DRDOL names: the data of RECOVER AC.
    pub drdol_data: Vec<u8>,
    /// What PDOL and CDOL1 brought to the card: a combined signature is over it.
    pub exchanged: Vec<u8>,
    /// What was exchanged against relaying, as the signature has it; empty without.
    pub relay: Vec<u8>,
    /// Data of terminal and card when it was asked.
    pub chip: TlvStore,
}

/// What of it is sealed.
#[derive(Serialize, Deserialize)]
struct Part {
    pan: String,
    psn: u8,
    minor: u64,
    currency: u16,
    asked: u8,
    cda: bool,
    drdol_data: Vec<u8>,
    exchanged: Vec<u8>,
    relay: Vec<u8>,
    chip: TlvStore,
}

impl Journal {
    /// The newest of the `most` records that are not older than `since`, of this card and,
    /// where one is named, for this amount.
    pub fn torn(
        &mut self,
        card: &CardMark,
        amount: Option<Amount>,
        since: Timestamp,
        most: usize,
    ) -> Result<Option<Torn>, JournalError> {
        let rows = transact(self.db.as_mut(), |tx| {
            let sql = "SELECT batch, trace, at, sealed FROM torn WHERE at >= $1 ORDER BY at DESC, trace DESC";
            tx.query(sql, &[since.micros().into()])
        })?;
        for row in rows.iter().take(most) {
            let (batch, trace) = (row.int(0)? as u32, row.int(1)? as u32);
            let column = || JournalError::Column { trace, column: "torn.sealed" };
            let opened = Sealed(row.bytes(3)?.to_vec()).open(&self.seal, PURPOSE)?;
            let part: Part = serde_json::from_slice(opened.expose()).map_err(|_| column())?;
            let at = Timestamp::from_micros(row.int(2)?);
            let torn = part.torn((batch, trace), at).ok_or_else(column)?;
            if torn.card == *card && amount.is_none_or(|amount| amount == torn.amount) {
                return Ok(Some(torn));
            }
        }
        Ok(None)
    }

    /// Keeps a record in place of the one that `replaced` names, and of the oldest ones
    /// beyond `most`.
    pub(super) fn keep_torn(
        &mut self,
        torn: &Torn,
        replaced: (u32, u32),
        most: usize,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        // Strings and byte lists always serialise.
        let text = Secret::new(serde_json::to_vec(&Part::of(torn)).unwrap_or_default());
        let sealed = Sealed::seal(&self.seal, PURPOSE, text.expose(), context);
        let (batch, trace) = torn.row;
        let values =
            [i64::from(batch).into(), i64::from(trace).into(), torn.at.micros().into(), sealed.0.into()];
        transact(self.db.as_mut(), |tx| {
            forget(tx, replaced)?;
            let kept = tx.query("SELECT batch, trace FROM torn ORDER BY at DESC, trace DESC", &[])?;
            for row in kept.iter().skip(most) {
                forget(tx, (row.int(0)? as u32, row.int(1)? as u32))?;
            }
            tx.execute("INSERT INTO torn (batch, trace, at, sealed) VALUES ($1, $2, $3, $4)", &values)
        })?;
        Ok(())
    }

    /// Takes the record of a row away: its card has answered.
    pub(super) fn forget_torn(&mut self, row: (u32, u32)) -> Result<(), JournalError> {
        Ok(transact(self.db.as_mut(), |tx| forget(tx, row))?)
    }
}

/// Takes the record of a row away.
pub(super) fn forget(tx: &mut dyn Tx, (batch, trace): (u32, u32)) -> Result<(), StoreError> {
    let values = [i64::from(batch).into(), i64::from(trace).into()];
    tx.execute("DELETE FROM torn WHERE batch = $1 AND trace = $2", &values)?;
    Ok(())
}

impl Part {
    fn of(torn: &Torn) -> Self {
        let Torn { card, amount, asked, cda, drdol_data, exchanged, relay, chip, .. } = torn.clone();
        Self {
            pan: card.pan.expose().to_owned(),
            psn: card.psn,
            minor: amount.minor,
            currency: amount.currency.0,
            asked: asked.bits(),
            cda,
            drdol_data,
            exchanged,
            relay,
            chip,
        }
    }

    fn torn(self, row: (u32, u32), at: Timestamp) -> Option<Torn> {
        let Self { pan, psn, minor, currency, asked, cda, drdol_data, exchanged, relay, chip } = self;
        Some(Torn {
            row,
            at,
            card: CardMark { pan: Pan::new(&pan).ok()?, psn },
            amount: Amount::new(minor, crate::words::iso4217::Currency(currency)),
            asked: CryptogramType::from_bits(asked)?,
            cda,
            drdol_data,
            exchanged,
            relay,
            chip,
        })
    }
}
