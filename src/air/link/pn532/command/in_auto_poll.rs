//! InAutoPoll, 60: a search in several ways (PN532 user manual, 7.3.13).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Looks for cards in several ways, by turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InAutoPoll {
    /// PollNr: how often; FF is without end.
    pub rounds: u8,
    /// Period of a round, in units of 150 ms.
    pub period: u8,
    /// The ways: the constants below.
    pub kinds: Vec<u8>,
}

impl ChipCommand for InAutoPoll {
    const CODE: u8 = 0x60;
    const NAME: &'static str = "InAutoPoll";
    type Answer = Polled;
}

impl Wire for InAutoPoll {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.rounds, self.period]);
        out.extend_from_slice(&self.kinds);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [rounds, period] = cursor.array("PollNr and Period")?;
        Ok(Self { rounds, period, kinds: cursor.rest().to_vec() })
    }
}

impl InAutoPoll {
    /// 106 kbit/s, type A, whatever it speaks.
    pub const ANY_A: u8 = 0x00;
    /// Type A without ISO/IEC 14443-4, as MIFARE.
    pub const MIFARE: u8 = 0x10;
    /// Type B, whatever it speaks.
    pub const ANY_B: u8 = 0x03;
    /// Type A with ISO/IEC 14443-4.
    pub const ISO_DEP_A: u8 = 0x20;
    /// Type B with ISO/IEC 14443-4.
    pub const ISO_DEP_B: u8 = 0x23;
    /// PollNr without end.
    pub const ENDLESS: u8 = 0xFF;
}

/// What was found: the way, and the card as InListPassiveTarget tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// At most two.
    pub found: Vec<(u8, Vec<u8>)>,
}

impl Wire for Polled {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.found.len() as u8);
        for (kind, data) in &self.found {
            out.extend([*kind, data.len() as u8]);
            out.extend_from_slice(data);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let count = cursor.byte("NbTg")?;
        let mut found = Vec::new();
        for _ in 0..count {
            let [kind, length] = cursor.array("Type and Ln")?;
            found.push((kind, cursor.take(usize::from(length), "AutoPollTargetData")?.to_vec()));
        }
        Ok(Self { found })
    }
}
