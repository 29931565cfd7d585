//! ReadRegister, 06: registers of the radio (PN532 user manual, 7.2.4).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Reads registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRegister {
    /// Which ones.
    pub addresses: Vec<u16>,
}

impl ChipCommand for ReadRegister {
    const CODE: u8 = 0x06;
    const NAME: &'static str = "ReadRegister";
    type Answer = Vec<u8>;
}

impl Wire for ReadRegister {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.addresses.iter().flat_map(|address| address.to_be_bytes()));
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let mut addresses = Vec::new();
        while !cursor.is_empty() {
            addresses.push(u16::from_be_bytes(cursor.array("an address")?));
        }
        Ok(Self { addresses })
    }
}
