//! The phone's book: a row for each transfer. Who may write what is `payer.rs`'s and
//! `payee.rs`'s; here is how.

use super::TransferError;
use super::phone::{PHONE, Phone};
use super::state::{Transfer, TransferState, Way};
use crate::base::bytes::{Secret, parse_hex};
use crate::base::context::Context;
use crate::base::crypto::Sm2PublicKey;
use crate::base::store::{Row, SealKey, Sealed, Tx, Value, transact};
use crate::words::transfer::{Agreement, Certificate, HostReceipt, Offer, PhoneId, Signed, TransferId};

/// What the other holder's name is sealed for.
const NAME: &str = "transfer.other_name";
const COLUMNS: &str =
    "id, way, state, is_open, other, other_name, other_key, offer, agreement, receipt, reason";

/// A row.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub way: Way,
    pub state: TransferState,
    /// Whether the holder was not told yet how it ended, so that it comes first at the next
    /// touch of the two phones; a payer's alone.
    pub is_open: bool,
    pub other: PhoneId,
    pub other_name: Secret<String>,
    pub other_key: Sm2PublicKey,
    pub offer: Signed<Offer>,
    pub agreement: Option<Signed<Agreement>>,
    pub receipt: Option<Signed<HostReceipt>>,
    pub reason: String,
}

impl Entry {
    /// A new row about an offer, of `way`'s side; `other` is the certificate of the other one.
    pub fn new(way: Way, state: TransferState, offer: Signed<Offer>, other: &Certificate) -> Self {
        Self {
            way,
            state,
            is_open: way == Way::Pays,
            other: other.phone(),
            other_name: Secret::new(other.name.clone()),
            other_key: other.key.clone(),
            offer,
            agreement: None,
            receipt: None,
            reason: String::new(),
        }
    }

    /// Which transfer.
    pub fn id(&self) -> TransferId {
        self.offer.id()
    }

    /// As people are told of it.
    pub fn told(self) -> Transfer {
        let Offer { amount, made, expires, .. } = self.offer.contents;
        let (id, state) = (self.id(), self.state);
        let Self { way, other, other_name, reason, .. } = self;
        Transfer { id, way, state, other, other_name, amount, made, expires, reason }
    }

    fn of_row(row: &Row, seal: &SealKey) -> Result<Self, TransferError> {
        let wrong = |expected| corrupt(expected, "another value");
        let name = Sealed(row.bytes(5)?.to_vec()).open(seal, NAME)?;
        let other = parse_hex(row.text(4)?).ok().and_then(|bytes| bytes.try_into().ok());
        let key = row.bytes(6)?.try_into().map_err(|_| wrong("a phone's key"))?;
        Ok(Self {
            way: Way::parse(row.text(1)?)
                .ok_or_else(|| corrupt("pays or receives", row.text(1).unwrap_or("")))?,
            state: TransferState::parse(row.text(2)?).ok_or_else(|| wrong("a state"))?,
            is_open: row.int(3)? != 0,
            other: PhoneId(other.ok_or_else(|| wrong("a phone's identifier"))?),
            other_name: Secret::new(String::from_utf8_lossy(name.expose()).into_owned()),
            other_key: Sm2PublicKey::new(key)?,
            offer: Signed::parse(row.bytes(7)?)?,
            agreement: if row.is_null(8) { None } else { Some(Signed::parse(row.bytes(8)?)?) },
            receipt: if row.is_null(9) { None } else { Some(Signed::parse(row.bytes(9)?)?) },
            reason: row.text(10)?.to_owned(),
        })
    }
}

impl Phone {
    /// Every transfer, oldest first.
    ///
    /// # Errors
    /// The store fails, or holds what cannot be.
    pub fn transfers(&mut self) -> Result<Vec<Transfer>, TransferError> {
        Ok(self.entries("ORDER BY at, id", &[])?.into_iter().map(Entry::told).collect())
    }

    /// A transfer; `None` where the phone knows of none.
    ///
    /// # Errors
    /// The store fails, or holds what cannot be.
    pub fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, TransferError> {
        Ok(self.entry(id)?.map(Entry::told))
    }

    pub(super) fn entry(&mut self, id: TransferId) -> Result<Option<Entry>, TransferError> {
        Ok(self.entries("WHERE id = $1", &[id.to_string().into()])?.into_iter().next())
    }

    /// Rows by a condition or in an order.
    pub(super) fn entries(&mut self, which: &str, values: &[Value]) -> Result<Vec<Entry>, TransferError> {
        let Self { db, seal, .. } = self;
        let sql = format!("SELECT {COLUMNS} FROM transfer {which}");
        transact(db.as_mut(), |tx| {
            tx.query(&sql, values)?.iter().map(|row| Entry::of_row(row, seal)).collect()
        })
    }

    /// Writes a new row.
    pub(super) fn write(&mut self, entry: &Entry, context: &mut Context) -> Result<(), TransferError> {
        let values = self.values(entry, context);
        transact(self.db.as_mut(), |tx| insert(tx, &values))
    }

    /// Signs the next agreement by `sign`, and writes its row: both or neither, so that no
    /// number is used twice.
    pub(super) fn write_agreement(
        &mut self,
        mut entry: Entry,
        sign: impl Fn(u32) -> Result<Signed<Agreement>, TransferError>,
        context: &mut Context,
    ) -> Result<Entry, TransferError> {
        let sequence = self.sequence()?;
        entry.agreement = Some(sign(sequence)?);
        let values = self.values(&entry, context);
        transact(self.db.as_mut(), |tx| {
            let sql = "UPDATE transfer_phone SET sequence = $1 WHERE id = $2 AND sequence = $3";
            let number = i64::from(sequence);
            if tx.execute(sql, &[number.into(), PHONE.into(), (number - 1).into()])? == 0 {
                return Err(corrupt("the number of an agreement that nobody else uses", "another"));
            }
            insert(tx, &values)
        })?;
        Ok(entry)
    }

    /// The number of the next agreement.
    pub(super) fn sequence(&mut self) -> Result<u32, TransferError> {
        let sql = "SELECT sequence FROM transfer_phone WHERE id = $1";
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &[PHONE.into()]))?;
        let last = rows.first().map_or(Ok(0), |row| row.int(0))?;
        u32::try_from(last + 1).map_err(|_| corrupt("a number of four bytes", "a greater one"))
    }

    /// Takes a transfer to another state, with what proves that.
    pub(super) fn go(&mut self, entry: &mut Entry, to: TransferState) -> Result<(), TransferError> {
        let (id, from) = (entry.id().to_string(), entry.state);
        if !from.may_become(to) {
            return Err(TransferError::Transition { id, from, to });
        }
        let bytes = |bytes: Option<Vec<u8>>| bytes.map_or(Value::Null, Value::Bytes);
        let values = [
            to.word().into(),
            i64::from(entry.is_open).into(),
            bytes(entry.agreement.as_ref().map(Signed::to_bytes)),
            bytes(entry.receipt.as_ref().map(Signed::to_bytes)),
            entry.reason.as_str().into(),
            id.as_str().into(),
            from.word().into(),
        ];
        let sql = "UPDATE transfer SET state = $1, is_open = $2, agreement = $3, receipt = $4, reason = $5 \
                   WHERE id = $6 AND state = $7";
        if transact(self.db.as_mut(), |tx| tx.execute(sql, &values))? == 0 {
            return Err(TransferError::Transition { id, from, to });
        }
        entry.state = to;
        Ok(())
    }

    /// Notes that the holder knows how a transfer ended.
    pub(super) fn close(&mut self, id: TransferId) -> Result<(), TransferError> {
        let sql = "UPDATE transfer SET is_open = 0 WHERE id = $1";
        transact(self.db.as_mut(), |tx| tx.execute(sql, &[id.to_string().into()]))?;
        Ok(())
    }

    /// The trace number (F11) of the next message to the host.
    pub(super) fn next_trace(&mut self) -> Result<u32, TransferError> {
        transact(self.db.as_mut(), |tx| {
            let sql = "UPDATE transfer_phone SET trace = CASE WHEN trace >= 999999 THEN 1 ELSE trace + 1 END \
                       WHERE id = $1";
            tx.execute(sql, &[PHONE.into()])?;
            let rows = tx.query("SELECT trace FROM transfer_phone WHERE id = $1", &[PHONE.into()])?;
            let trace = rows.first().map_or(Ok(1), |row| row.int(0))?;
            u32::try_from(trace).map_err(|_| corrupt("a trace of six digits", "another"))
        })
    }

    fn values(&self, entry: &Entry, context: &mut Context) -> Vec<Value> {
        let name = Sealed::seal(&self.seal, NAME, entry.other_name.expose().as_bytes(), context);
        vec![
            entry.id().to_string().into(),
            entry.way.word().into(),
            entry.state.word().into(),
            i64::from(entry.is_open).into(),
            entry.other.to_string().into(),
            Value::Bytes(name.0),
            Value::Bytes(entry.other_key.coordinates().to_vec()),
            Value::Bytes(entry.offer.to_bytes()),
            entry.agreement.as_ref().map_or(Value::Null, |agreement| Value::Bytes(agreement.to_bytes())),
            entry.reason.as_str().into(),
            context.now().micros().into(),
        ]
    }
}

fn insert(tx: &mut dyn Tx, values: &[Value]) -> Result<(), TransferError> {
    tx.execute(
        "INSERT INTO transfer (id, way, state, is_open, other, other_name, other_key, offer, agreement, reason, \
         at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        values,
    )?;
    Ok(())
}

pub(super) fn corrupt(expected: &'static str, found: &str) -> TransferError {
    let found = if found.is_empty() { "another value" } else { found };
    TransferError::Corrupt { expected, found: found.to_owned() }
}
