//! InCommunicateThru, 42: a frame as it is (PN532 user manual, 7.3.9).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// A frame to the card, as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InCommunicateThru {
    /// The frame.
    pub data: Vec<u8>,
}

impl ChipCommand for InCommunicateThru {
    const CODE: u8 = 0x42;
    const NAME: &'static str = "InCommunicateThru";
    type Answer = Exchanged;
}

impl Wire for InCommunicateThru {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { data: cursor.rest().to_vec() })
    }
}
