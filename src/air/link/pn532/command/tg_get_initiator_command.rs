//! TgGetInitiatorCommand, 88: the reader's frame as it is (PN532 user manual, 7.3.19).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// The reader's frame, as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TgGetInitiatorCommand;

impl ChipCommand for TgGetInitiatorCommand {
    const CODE: u8 = 0x88;
    const NAME: &'static str = "TgGetInitiatorCommand";
    type Answer = Exchanged;
}

impl Wire for TgGetInitiatorCommand {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self)
    }
}
