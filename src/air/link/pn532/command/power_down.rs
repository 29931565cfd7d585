//! PowerDown, 16: the chip sleeps (PN532 user manual, 7.2.11).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Sleeps until something wakes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerDown {
    /// WakeUpEnable: bit 5 is the serial line.
    pub wake: u8,
    /// Whether the interrupt pin tells; hosts leave it out.
    pub more: Vec<u8>,
}

impl ChipCommand for PowerDown {
    const CODE: u8 = 0x16;
    const NAME: &'static str = "PowerDown";
    type Answer = Status;
}

impl Wire for PowerDown {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.wake);
        out.extend_from_slice(&self.more);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { wake: cursor.byte("WakeUpEnable")?, more: cursor.rest().to_vec() })
    }
}
