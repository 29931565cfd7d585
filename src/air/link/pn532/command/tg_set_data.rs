//! TgSetData, 8E: what the reader is told (PN532 user manual, 7.3.17).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Tells the reader, or the initiator, something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TgSetData {
    /// What.
    pub data: Vec<u8>,
}

impl ChipCommand for TgSetData {
    const CODE: u8 = 0x8E;
    const NAME: &'static str = "TgSetData";
    type Answer = Status;
}

impl Wire for TgSetData {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { data: cursor.rest().to_vec() })
    }
}
