//! InJumpForPsl, 46: as InJumpForDep, with other bit rates at once (PN532 user manual, 7.3.4).

use super::{ChipCommand, Exchanged, InJumpForDep, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Finds a target of NFC-DEP, greets it, and goes on at other bit rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InJumpForPsl(pub InJumpForDep);

impl ChipCommand for InJumpForPsl {
    const CODE: u8 = 0x46;
    const NAME: &'static str = "InJumpForPsl";
    type Answer = Exchanged;
}

impl Wire for InJumpForPsl {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        InJumpForDep::read(cursor).map(Self)
    }
}
