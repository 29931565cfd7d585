//! TgSetGeneralBytes, 92: who the target is (PN532 user manual, 7.3.15).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// The general bytes of ATR_RES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TgSetGeneralBytes {
    /// Gt, at most 47 bytes.
    pub general: Vec<u8>,
}

impl ChipCommand for TgSetGeneralBytes {
    const CODE: u8 = 0x92;
    const NAME: &'static str = "TgSetGeneralBytes";
    type Answer = Status;
}

impl Wire for TgSetGeneralBytes {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.general);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { general: cursor.rest().to_vec() })
    }
}
