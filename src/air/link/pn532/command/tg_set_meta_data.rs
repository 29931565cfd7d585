//! TgSetMetaData, 94: what the reader is told, and more follows (PN532 user manual, 7.3.18).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Tells the reader something; more follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TgSetMetaData {
    /// What.
    pub data: Vec<u8>,
}

impl ChipCommand for TgSetMetaData {
    const CODE: u8 = 0x94;
    const NAME: &'static str = "TgSetMetaData";
    type Answer = Status;
}

impl Wire for TgSetMetaData {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { data: cursor.rest().to_vec() })
    }
}
