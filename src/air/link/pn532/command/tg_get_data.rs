//! TgGetData, 86: what the reader has said (PN532 user manual, 7.3.16).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// What has the reader, or the initiator, said?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TgGetData;

impl ChipCommand for TgGetData {
    const CODE: u8 = 0x86;
    const NAME: &'static str = "TgGetData";
    type Answer = Exchanged;
}

impl Wire for TgGetData {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self)
    }
}
