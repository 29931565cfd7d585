//! TgGetTargetStatus, 8A: how far the conversation is (PN532 user manual, 7.3.21).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// How far is the conversation?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TgGetTargetStatus;

impl ChipCommand for TgGetTargetStatus {
    const CODE: u8 = 0x8A;
    const NAME: &'static str = "TgGetTargetStatus";
    type Answer = TargetStatus;
}

impl Wire for TgGetTargetStatus {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self)
    }
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetStatus {
    /// 00 released, 01 activated, 02 deselected.
    pub state: u8,
    /// The bit rates: to the target in bits 7 to 5, back in bits 3 to 1.
    pub rates: u8,
}

impl Wire for TargetStatus {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.state, self.rates]);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [state, rates] = cursor.array("State and BRit")?;
        Ok(Self { state, rates })
    }
}
