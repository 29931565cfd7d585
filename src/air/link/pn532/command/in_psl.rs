//! InPsl, 4E: other bit rates of NFC-DEP (PN532 user manual, 7.3.7).

use super::{ChipCommand, Status, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Changes the bit rates to a target of NFC-DEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InPsl {
    /// Tg, the target's number.
    pub target: u8,
    /// BRit: 00 is 106, 01 is 212, 02 is 424 kbit/s.
    pub to_target: u8,
    /// BRti.
    pub to_initiator: u8,
}

impl ChipCommand for InPsl {
    const CODE: u8 = 0x4E;
    const NAME: &'static str = "InPsl";
    type Answer = Status;
}

impl Wire for InPsl {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.target, self.to_target, self.to_initiator]);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [target, to_target, to_initiator] = cursor.array("Tg, BRit and BRti")?;
        Ok(Self { target, to_target, to_initiator })
    }
}
