//! InSelect, 54: wakes a card that sleeps (PN532 user manual, 7.3.12).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Wakes a card that sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InSelect {
    /// Tg, the card's number; 00 is all of them.
    pub target: u8,
}

impl ChipCommand for InSelect {
    const CODE: u8 = 0x54;
    const NAME: &'static str = "InSelect";
    type Answer = Status;
}

impl Wire for InSelect {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.target);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { target: cursor.byte("target")? })
    }
}
