//! TgResponseToInitiator, 90: a frame to the reader, as it is (PN532 user manual, 7.3.20).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// A frame to the reader, as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TgResponseToInitiator {
    /// The frame.
    pub data: Vec<u8>,
}

impl ChipCommand for TgResponseToInitiator {
    const CODE: u8 = 0x90;
    const NAME: &'static str = "TgResponseToInitiator";
    type Answer = Status;
}

impl Wire for TgResponseToInitiator {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { data: cursor.rest().to_vec() })
    }
}
