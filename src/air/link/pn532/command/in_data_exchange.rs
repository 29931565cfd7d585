//! InDataExchange, 40: a command to the card that is held (PN532 user manual, 7.3.8).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// A command to the card, in its own protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDataExchange {
    /// Tg, the card's number; bit 7 says that more data follow.
    pub target: u8,
    /// The command.
    pub data: Vec<u8>,
}

impl ChipCommand for InDataExchange {
    const CODE: u8 = 0x40;
    const NAME: &'static str = "InDataExchange";
    type Answer = Exchanged;
}

impl Wire for InDataExchange {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.target);
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { target: cursor.byte("Tg")?, data: cursor.rest().to_vec() })
    }
}

impl InDataExchange {
    /// MI of Tg: more data follow.
    pub const MORE: u8 = 0x40;
}
