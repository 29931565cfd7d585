//! GetGeneralStatus, 04: what the chip is about (PN532 user manual, 7.2.3).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// What is the chip about?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetGeneralStatus;

impl ChipCommand for GetGeneralStatus {
    const CODE: u8 = 0x04;
    const NAME: &'static str = "GetGeneralStatus";
    type Answer = GeneralStatus;
}

impl Wire for GetGeneralStatus {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self)
    }
}

/// What the chip is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralStatus {
    /// The last error.
    pub error: u8,
    /// Whether another device's field is there: 1.
    pub field: u8,
    /// For each card that it holds its number, both bit rates and its modulation.
    pub targets: Vec<[u8; 4]>,
    /// The state of the secure access module.
    pub sam: u8,
}

impl Wire for GeneralStatus {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.error, self.field, self.targets.len() as u8]);
        out.extend(self.targets.iter().flatten());
        out.push(self.sam);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [error, field, count] = cursor.array("Err, Field and NbTg")?;
        let targets = (0..count).map(|_| cursor.array("a target")).collect::<Result<_, _>>()?;
        Ok(Self { error, field, targets, sam: cursor.byte("the state of the SAM")? })
    }
}
