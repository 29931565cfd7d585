//! Command and response APDUs: ISO/IEC 7816-3 12.1, 7816-4 5.1.

use super::StatusWord;
use crate::base::bytes::Hex;
use nom::bytes::complete::take;
use nom::number::complete::{be_u16, u8 as byte};
use nom::{IResult, Parser};
use std::fmt;

/// A command APDU of any of the four cases, short or extended.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandApdu {
    /// Class byte.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data, up to 65,535 bytes; Lc is its length.
    pub data: Vec<u8>,
    /// Bytes expected: 1 to 256 (short) or 65,536 (extended); `None` asks for none.
    pub le: Option<u32>,
}

/// Why bytes are not an APDU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApduError {
    /// Under four bytes.
    #[error("expected CLA INS P1 P2, found {found} bytes")]
    Header {
        /// How many bytes came.
        found: usize,
    },
    /// Lc does not agree with the bytes that follow.
    #[error(
        "expected Lc {lc:02X} to count the data and at most Le after it, found {found} bytes at offset {offset}"
    )]
    Length {
        /// The Lc found.
        lc: u16,
        /// Bytes after it.
        found: usize,
        /// Where the data begins.
        offset: usize,
    },
    /// A response without a status word.
    #[error("expected at least the two bytes of a status word, found {found}")]
    NoStatusWord {
        /// How many bytes came.
        found: usize,
    },
}

impl CommandApdu {
    /// A command without data or Le (case 1).
    pub fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self { cla, ins, p1, p2, data: Vec::new(), le: None }
    }

    /// With command data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// With Le; 256 is written as 00.
    #[must_use]
    pub fn le(mut self, le: u32) -> Self {
        self.le = Some(le);
        self
    }

    /// CLA INS P1 P2.
    pub fn header(&self) -> [u8; 4] {
        [self.cla, self.ins, self.p1, self.p2]
    }

    /// The bytes on the wire: short wherever it fits, else extended.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.header().to_vec();
        let extended = self.data.len() > 255 || self.le.is_some_and(|le| le > 256);
        let length = (self.data.len() as u16).to_be_bytes();
        if extended {
            if !self.data.is_empty() {
                out.extend([0, length[0], length[1]]);
                out.extend_from_slice(&self.data);
            } else {
                out.push(0);
            }
            if let Some(le) = self.le {
                out.extend((le as u16).to_be_bytes());
            }
        } else {
            if !self.data.is_empty() {
                out.push(length[1]);
                out.extend_from_slice(&self.data);
            }
            if let Some(le) = self.le {
                out.push(le as u8);
            }
        }
        out
    }

    /// Reads a command APDU.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApduError> {
        let (rest, (cla, ins, p1, p2)) =
            header(bytes).map_err(|_| ApduError::Header { found: bytes.len() })?;
        let (data, le) = body(rest).map_err(|lc| ApduError::Length {
            lc,
            found: rest.len().saturating_sub(1),
            offset: 5,
        })?;
        Ok(Self { cla, ins, p1, p2, data: data.to_vec(), le })
    }
}

impl fmt::Display for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.to_bytes()).fmt(f)
    }
}

impl fmt::Debug for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandApdu({self})")
    }
}

/// A response APDU.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseApdu {
    /// Response data.
    pub data: Vec<u8>,
    /// The status word SW1 SW2.
    pub status: StatusWord,
}

impl ResponseApdu {
    /// Data with 9000.
    pub fn ok(data: impl Into<Vec<u8>>) -> Self {
        Self { data: data.into(), status: StatusWord::OK }
    }

    /// A status word alone.
    pub fn status(status: StatusWord) -> Self {
        Self { data: Vec::new(), status }
    }

    /// Reads a response APDU.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApduError> {
        match bytes {
            [data @ .., sw1, sw2] => {
                Ok(Self { data: data.to_vec(), status: StatusWord(u16::from_be_bytes([*sw1, *sw2])) })
            }
            _ => Err(ApduError::NoStatusWord { found: bytes.len() }),
        }
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.data.as_slice(), &self.status.0.to_be_bytes()].concat()
    }
}

impl fmt::Display for ResponseApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.to_bytes()).fmt(f)
    }
}

impl fmt::Debug for ResponseApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseApdu({self})")
    }
}

fn header(input: &[u8]) -> IResult<&[u8], (u8, u8, u8, u8)> {
    (byte, byte, byte, byte).parse(input)
}

/// What follows the header, by the four cases; the error is the Lc that does not fit.
fn body(rest: &[u8]) -> Result<(&[u8], Option<u32>), u16> {
    let short_le = |le: u8| Some(if le == 0 { 256 } else { u32::from(le) });
    let long_le = |a: u8, b: u8| match u16::from_be_bytes([a, b]) {
        0 => Some(65_536),
        le => Some(u32::from(le)),
    };
    match rest {
        [] => Ok((&[], None)),
        [le] => Ok((&[], short_le(*le))),
        [0, a, b] => Ok((&[], long_le(*a, *b))),
        [0, tail @ ..] => {
            let (tail, lc) = be_u16::<_, nom::error::Error<&[u8]>>(tail).map_err(|_| 0u16)?;
            let (tail, data) = take::<_, _, nom::error::Error<&[u8]>>(lc)(tail).map_err(|_| lc)?;
            match tail {
                _ if lc == 0 => Err(lc),
                [] => Ok((data, None)),
                [a, b] => Ok((data, long_le(*a, *b))),
                _ => Err(lc),
            }
        }
        [lc, tail @ ..] => {
            let (tail, data) =
                take::<_, _, nom::error::Error<&[u8]>>(*lc)(tail).map_err(|_| u16::from(*lc))?;
            match tail {
                [] => Ok((data, None)),
                [le] => Ok((data, short_le(*le))),
                _ => Err(u16::from(*lc)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_four_cases() {
        let parse = |bytes: &[u8]| CommandApdu::parse(bytes).unwrap();
        assert_eq!(parse(&[0, 0x82, 0, 0]).le, None);
        assert_eq!(parse(&[0x80, 0xCA, 0x9F, 0x79, 0]).le, Some(256));
        assert_eq!(parse(&[0, 0xA4, 4, 0, 1, 0xA0]).data, [0xA0]);
        assert_eq!(parse(&[0, 0xA4, 4, 0, 1, 0xA0, 0]).le, Some(256));
        assert_eq!(parse(&[0, 0xB0, 0, 0, 0, 0, 0]).le, Some(65_536));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(CommandApdu::parse(&[0, 0xA4]), Err(ApduError::Header { found: 2 }));
        assert_eq!(
            CommandApdu::parse(&[0, 0xA4, 4, 0, 5, 1, 2]),
            Err(ApduError::Length { lc: 5, found: 2, offset: 5 })
        );
        assert_eq!(ResponseApdu::parse(&[0x90]), Err(ApduError::NoStatusWord { found: 1 }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_survive(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(apdu) = CommandApdu::parse(&bytes) {
                prop_assert_eq!(CommandApdu::parse(&apdu.to_bytes()).unwrap(), apdu);
            }
            if let Ok(apdu) = ResponseApdu::parse(&bytes) {
                prop_assert_eq!(apdu.to_bytes(), bytes);
            }
        }

        #[test]
        fn what_is_built_is_read_back(
            header in any::<[u8; 4]>(),
            data in prop::collection::vec(any::<u8>(), 0..700),
            le in prop::option::of(1u32..=65_536),
        ) {
            let apdu = CommandApdu { cla: header[0], ins: header[1], p1: header[2], p2: header[3], data, le };
            prop_assert_eq!(CommandApdu::parse(&apdu.to_bytes()).unwrap(), apdu);
        }
    }
}
