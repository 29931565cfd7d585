//! SetParameters, 12: what the chip does by itself (PN532 user manual, 7.2.9).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// What the chip does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetParameters {
    /// The bits below.
    pub flags: u8,
}

impl ChipCommand for SetParameters {
    const CODE: u8 = 0x12;
    const NAME: &'static str = "SetParameters";
    type Answer = ();
}

impl Wire for SetParameters {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.flags);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { flags: cursor.byte("Flags")? })
    }
}

impl SetParameters {
    /// As a target of NFC-DEP it sends ATR_RES by itself.
    pub const AUTO_ATR_RES: u8 = 0x04;
    /// As a reader it sends RATS by itself.
    pub const AUTO_RATS: u8 = 0x10;
    /// As a card it speaks ISO/IEC 14443-4.
    pub const PICC: u8 = 0x20;
}
