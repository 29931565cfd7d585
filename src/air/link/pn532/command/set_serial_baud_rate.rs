//! SetSerialBaudRate, 10: the speed of the line (PN532 user manual, 7.2.8).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Changes the speed of the line, once the host has acknowledged the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSerialBaudRate {
    /// Which one: 00 is 9600 Bd, 04 is 115,200, 07 is 921,600.
    pub rate: u8,
}

impl ChipCommand for SetSerialBaudRate {
    const CODE: u8 = 0x10;
    const NAME: &'static str = "SetSerialBaudRate";
    type Answer = ();
}

impl Wire for SetSerialBaudRate {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.rate);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { rate: cursor.byte("rate")? })
    }
}
