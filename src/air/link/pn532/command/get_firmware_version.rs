//! GetFirmwareVersion, 02: which chip it is (PN532 user manual, 7.2.2).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Which chip is it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetFirmwareVersion;

impl ChipCommand for GetFirmwareVersion {
    const CODE: u8 = 0x02;
    const NAME: &'static str = "GetFirmwareVersion";
    type Answer = FirmwareVersion;
}

impl Wire for GetFirmwareVersion {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self)
    }
}

/// Which chip it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirmwareVersion {
    /// IC: 32 is a PN532.
    pub chip: u8,
    /// Ver.
    pub version: u8,
    /// Rev.
    pub revision: u8,
    /// What it speaks: bit 1 type A, bit 2 type B, bit 3 ISO/IEC 18092.
    pub support: u8,
}

impl FirmwareVersion {
    /// The chip that is meant here.
    pub const PN532: u8 = 0x32;
}

impl Wire for FirmwareVersion {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.chip, self.version, self.revision, self.support]);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [chip, version, revision, support] = cursor.array("IC, Ver, Rev and Support")?;
        Ok(Self { chip, version, revision, support })
    }
}
