//! SamConfiguration, 14: who has the radio (PN532 user manual, 7.2.10).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Who has the radio: the host, or a secure access module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamConfiguration {
    /// 01 is the host alone.
    pub mode: u8,
    /// Timeout in units of 50 ms and use of the interrupt pin; hosts leave out one or both.
    pub more: Vec<u8>,
}

impl ChipCommand for SamConfiguration {
    const CODE: u8 = 0x14;
    const NAME: &'static str = "SamConfiguration";
    type Answer = ();
}

impl Wire for SamConfiguration {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.mode);
        out.extend_from_slice(&self.more);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { mode: cursor.byte("Mode")?, more: cursor.rest().to_vec() })
    }
}

impl SamConfiguration {
    /// The host has the radio; no secure access module.
    pub const NORMAL: u8 = 0x01;
}
