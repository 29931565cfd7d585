//! RfConfiguration, 32: field, times and retries of the radio (PN532 user manual, 7.3.1).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Settings of the radio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfConfiguration {
    /// Which settings.
    pub item: u8,
    /// The settings.
    pub data: Vec<u8>,
}

impl ChipCommand for RfConfiguration {
    const CODE: u8 = 0x32;
    const NAME: &'static str = "RfConfiguration";
    type Answer = ();
}

impl Wire for RfConfiguration {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.item);
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { item: cursor.byte("CfgItem")?, data: cursor.rest().to_vec() })
    }
}

impl RfConfiguration {
    /// Bit 1 of its byte switches the field on.
    pub const FIELD: u8 = 0x01;
    /// Three bytes: reserved, ATR_RES timeout, timeout of exchanges (100 us x 2^(n-1)).
    pub const TIMINGS: u8 = 0x02;
    /// How often ATR_REQ, PSL_REQ and the search for a card are tried again; FF is without end.
    pub const RETRIES: u8 = 0x05;

    /// The field on or off.
    pub fn field(is_on: bool) -> Self {
        Self { item: Self::FIELD, data: vec![u8::from(is_on)] }
    }

    /// A search for a card is tried so often again, the rest as the chip does it by itself.
    pub fn search_retries(retries: u8) -> Self {
        Self { item: Self::RETRIES, data: vec![0xFF, 0x01, retries] }
    }
}
