//! How something on the radio went (PN532 user manual, 7.1).

use super::wire::Wire;
use crate::base::bytes::{Cursor, Truncated};
use std::fmt;

/// The status byte; bit 7 is NAD, bit 6 says that more data are to be fetched (the manual counts
/// bits from 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

impl Status {
    /// It went well.
    pub const OK: Self = Self(0x00);
    /// No answer in time.
    pub const TIMEOUT: Self = Self(0x01);
    /// The other field was not switched on in time (active communication).
    pub const NO_FIELD: Self = Self(0x0A);
    /// Words of no protocol.
    pub const PROTOCOL: Self = Self(0x0B);
    /// The state of the conversation does not have it.
    pub const INVALID_STATE: Self = Self(0x25);
    /// It makes no sense now: no card is held, or nobody has come.
    pub const NOT_NOW: Self = Self(0x27);
    /// The other side has parted.
    pub const RELEASED: Self = Self(0x29);
    /// MI: more data are to be fetched.
    pub const MORE: u8 = 0x40;

    /// Whether it went well.
    pub const fn is_ok(self) -> bool {
        self.0 & 0x3F == 0
    }

    /// Whether more data are to be fetched.
    pub const fn has_more(self) -> bool {
        self.0 & Self::MORE != 0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.0 & 0x3F {
            0x00 => "done",
            0x01 => "no answer in time",
            0x02 => "a wrong check sum",
            0x03 => "a wrong parity bit",
            0x05 => "a wrong frame",
            0x0A => "no field of the other device",
            0x0B => "words of no protocol",
            0x13 => "data in no format",
            0x14 => "authentication failed",
            0x25 => "not in this state",
            0x26 => "not in this configuration",
            0x27 => "not now",
            0x29 => "the other side has parted",
            0x2A => "another card",
            0x2B => "the card is gone",
            0x2D => "too much current",
            _ => "an error",
        };
        write!(f, "{:02X} ({words})", self.0)
    }
}

impl Wire for Status {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.byte("Status").map(Self)
    }
}

/// What came of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// How it went.
    pub status: Status,
    /// What came.
    pub data: Vec<u8>,
}

impl From<Status> for Exchanged {
    fn from(status: Status) -> Self {
        Self { status, data: Vec::new() }
    }
}

impl Wire for Exchanged {
    fn write(&self, out: &mut Vec<u8>) {
        self.status.write(out);
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { status: Status::read(cursor)?, data: cursor.rest().to_vec() })
    }
}
