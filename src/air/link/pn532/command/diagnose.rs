//! Diagnose, 00: a test of the chip itself (PN532 user manual, 7.2.1).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// A test of the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnose {
    /// NumTst: 00 line, 01 ROM, 02 RAM, 06 whether the card is still there.
    pub test: u8,
    /// What the test is given.
    pub parameters: Vec<u8>,
}

impl ChipCommand for Diagnose {
    const CODE: u8 = 0x00;
    const NAME: &'static str = "Diagnose";
    type Answer = Vec<u8>;
}

impl Wire for Diagnose {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.test);
        out.extend_from_slice(&self.parameters);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { test: cursor.byte("the test's number")?, parameters: cursor.rest().to_vec() })
    }
}

impl Diagnose {
    /// What is sent comes back, the test's number first.
    pub const LINE: u8 = 0x00;
    /// The check sum of the program memory.
    pub const ROM: u8 = 0x01;
    /// The memory.
    pub const RAM: u8 = 0x02;
    /// Whether the card is still there.
    pub const ATTENTION: u8 = 0x06;
}
