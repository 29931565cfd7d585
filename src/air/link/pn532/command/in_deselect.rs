//! InDeselect, 44: lets a card sleep; it is held on (PN532 user manual, 7.3.10).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Lets a card sleep; it is held on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDeselect {
    /// Tg, the card's number; 00 is all of them.
    pub target: u8,
}

impl ChipCommand for InDeselect {
    const CODE: u8 = 0x44;
    const NAME: &'static str = "InDeselect";
    type Answer = Status;
}

impl Wire for InDeselect {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.target);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { target: cursor.byte("target")? })
    }
}
