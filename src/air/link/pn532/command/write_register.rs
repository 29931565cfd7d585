//! WriteRegister, 08: registers of the radio (PN532 user manual, 7.2.5).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Writes registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRegister {
    /// Which ones, and what.
    pub values: Vec<(u16, u8)>,
}

impl ChipCommand for WriteRegister {
    const CODE: u8 = 0x08;
    const NAME: &'static str = "WriteRegister";
    type Answer = ();
}

impl Wire for WriteRegister {
    fn write(&self, out: &mut Vec<u8>) {
        for (address, value) in &self.values {
            out.extend(address.to_be_bytes());
            out.push(*value);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let mut values = Vec::new();
        while !cursor.is_empty() {
            values.push((u16::from_be_bytes(cursor.array("an address")?), cursor.byte("a value")?));
        }
        Ok(Self { values })
    }
}
