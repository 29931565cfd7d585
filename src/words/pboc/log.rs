//! The two logs: transactions (9F4D, 9F4F) and loads (DF4D, DF4F). JR/T 0025.5, .13.

use crate::base::bytes::{Cursor, Truncated, bcd_to_u64};
use crate::words::dictionary::tag;
use crate::words::tlv::{Dol, Tag, TlvStore};

/// One transaction, in the elements that the card's log format names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord(pub TlvStore);

/// Why a log record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Another length than the format adds up to.
    #[error("expected a log record of {expected} bytes as the log format adds up, found {found}")]
    Length {
        /// What the format adds up to.
        expected: usize,
        /// The record's length.
        found: usize,
    },
    /// A load record ended early.
    #[error("load log record: {0}")]
    Truncated(#[from] Truncated),
    /// A balance in a load record is no decimal number.
    #[error("expected decimal digits for the {which} balance of a load log record")]
    Balance {
        /// `old` or `new`.
        which: &'static str,
    },
}

impl LogRecord {
    /// Splits a record as the log format (9F4F) says.
    pub fn parse(format: &Dol, record: &[u8]) -> Result<Self, LogError> {
        let parts = format
            .split(record)
            .ok_or(LogError::Length { expected: format.data_length(), found: record.len() })?;
        Ok(Self(parts.into_iter().collect()))
    }

    /// The amount in minor units.
    pub fn amount_minor(&self) -> Option<u64> {
        bcd_to_u64(self.0.value(tag::AMOUNT_AUTHORISED)?).ok()
    }

    /// The transaction counter.
    pub fn atc(&self) -> Option<u16> {
        self.0.array(tag::ATC).map(u16::from_be_bytes)
    }
}

/// One load: which balance, old and new value, and what the terminal gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadLogRecord {
    /// The balance that was written: 9F79 or DF79.
    pub balance: Tag,
    /// Minor units before.
    pub old_minor: u64,
    /// Minor units after.
    pub new_minor: u64,
    /// The rest, in the elements that the load log format (DF4F) names.
    pub data: TlvStore,
}

impl LoadLogRecord {
    /// Reads a record: P1 P2 of the PUT DATA, old value, new value, and the data
    /// of the load log format.
    pub fn parse(format: &Dol, record: &[u8]) -> Result<Self, LogError> {
        let mut cursor = Cursor::new(record);
        let balance = Tag(u32::from(u16::from_be_bytes(cursor.array("balance tag")?)));
        let old = cursor.take(6, "old balance")?;
        let new = cursor.take(6, "new balance")?;
        let rest = cursor.rest();
        let parts = format
            .split(rest)
            .ok_or(LogError::Length { expected: format.data_length() + 14, found: record.len() })?;
        Ok(Self {
            balance,
            old_minor: bcd_to_u64(old).map_err(|_| LogError::Balance { which: "old" })?,
            new_minor: bcd_to_u64(new).map_err(|_| LogError::Balance { which: "new" })?,
            data: parts.into_iter().collect(),
        })
    }

    /// The transaction counter of the load.
    pub fn atc(&self) -> Option<u16> {
        self.data.array(tag::ATC).map(u16::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    #[test]
    fn reads_both_kinds_of_record() {
        let format = Dol::parse(&parse_hex("9A039F02069F3602").unwrap()).unwrap();
        let record = LogRecord::parse(&format, &parse_hex("2611210000000012500003").unwrap()).unwrap();
        assert_eq!((record.amount_minor(), record.atc()), (Some(1250), Some(3)));
        assert!(matches!(LogRecord::parse(&format, &[0; 3]), Err(LogError::Length { .. })));

        let format = Dol::parse(&parse_hex("9A039F3602").unwrap()).unwrap();
        let bytes = parse_hex("9F79 000000000000 000000005000 261121 0002").unwrap();
        let load = LoadLogRecord::parse(&format, &bytes).unwrap();
        assert_eq!((load.balance, load.old_minor, load.new_minor), (tag::EC_BALANCE, 0, 5000));
        assert_eq!(load.atc(), Some(2));
        assert!(LoadLogRecord::parse(&format, &bytes[..9]).is_err());
        assert!(LoadLogRecord::parse(&format, &parse_hex("9F79FF").unwrap()).is_err());
    }
}
