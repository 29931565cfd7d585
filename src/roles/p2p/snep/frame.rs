//! A request or a response: version, code, length, information (NFC Forum SNEP 1.0, 3).

use crate::base::bytes::{Cursor, Truncated};
use std::fmt;

/// Version 1.0, as its byte.
pub const VERSION: u8 = 0x10;
/// Version, code and length.
pub(super) const HEADER_BYTES: usize = 6;

/// What is asked (table 2); unknown ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request(pub u8);

impl Request {
    /// Send the rest of your response.
    pub const CONTINUE: Self = Self(0x00);
    /// Give a message.
    pub const GET: Self = Self(0x01);
    /// Take a message.
    pub const PUT: Self = Self(0x02);
    /// Do not send the rest of your response.
    pub const REJECT: Self = Self(0x7F);
}

/// What is answered (table 3); unknown ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Response(pub u8);

impl Response {
    /// Send the rest of your request.
    pub const CONTINUE: Self = Self(0x80);
    /// It is done.
    pub const SUCCESS: Self = Self(0x81);
    /// There is no such message.
    pub const NOT_FOUND: Self = Self(0xC0);
    /// The message is longer than was acceptable.
    pub const EXCESS_DATA: Self = Self(0xC1);
    /// The request is malformed.
    pub const BAD_REQUEST: Self = Self(0xC2);
    /// The server does not do that.
    pub const NOT_IMPLEMENTED: Self = Self(0xE0);
    /// The server does not speak that version.
    pub const UNSUPPORTED_VERSION: Self = Self(0xE1);
    /// Do not send the rest of your request.
    pub const REJECT: Self = Self(0xFF);
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::CONTINUE => "Continue",
            Self::SUCCESS => "Success",
            Self::NOT_FOUND => "Not Found",
            Self::EXCESS_DATA => "Excess Data",
            Self::BAD_REQUEST => "Bad Request",
            Self::NOT_IMPLEMENTED => "Not Implemented",
            Self::UNSUPPORTED_VERSION => "Unsupported Version",
            Self::REJECT => "Reject",
            Self(code) => return write!(f, "response {code:02X}"),
        })
    }
}

/// How a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Its version, a digit each for major and minor.
    pub version: u8,
    /// A [`Request`] or a [`Response`].
    pub code: u8,
    /// How many bytes of information there are in all, of which the first unit may have
    /// a part.
    pub length: u32,
}

impl Frame {
    /// A frame with its information, whole.
    pub fn bytes(code: u8, information: &[u8]) -> Vec<u8> {
        // Nobody here writes more than `MOST_BYTES`.
        let length = u32::try_from(information.len()).unwrap_or(u32::MAX);
        [&[VERSION, code][..], &length.to_be_bytes(), information].concat()
    }

    /// The header, and what of the information stands in the same unit.
    ///
    /// # Errors
    /// The header ends early.
    pub fn parse(unit: &[u8]) -> Result<(Self, &[u8]), Truncated> {
        let mut cursor = Cursor::new(unit);
        let [version, code] = cursor.array("version and code")?;
        let length = u32::from_be_bytes(cursor.array("the length of the information")?);
        Ok((Self { version, code, length }, cursor.rest()))
    }

    /// Whether both speak the same major version (3.1.1).
    pub fn is_spoken(self) -> bool {
        self.version >> 4 == VERSION >> 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_is_written() {
        let bytes = Frame::bytes(Request::PUT.0, &[0xD1, 1]);
        assert_eq!(bytes, [0x10, 2, 0, 0, 0, 2, 0xD1, 1]);
        let (frame, rest) = Frame::parse(&bytes).unwrap();
        assert_eq!((frame, rest), (Frame { version: 0x10, code: 2, length: 2 }, &[0xD1, 1][..]));
        assert!(frame.is_spoken() && !Frame { version: 0x20, ..frame }.is_spoken());
        assert!(Frame::parse(&bytes[..5]).is_err());
        assert_eq!(Response(0x99).to_string(), "response 99");
    }
}
