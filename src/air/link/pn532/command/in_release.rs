//! InRelease, 52: lets a card go (PN532 user manual, 7.3.11).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Lets a card go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InRelease {
    /// Tg, the card's number; 00 is all of them.
    pub target: u8,
}

impl ChipCommand for InRelease {
    const CODE: u8 = 0x52;
    const NAME: &'static str = "InRelease";
    type Answer = Status;
}

impl Wire for InRelease {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.target);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { target: cursor.byte("target")? })
    }
}
