//! Frames: a length, then where the dialect has them a TPDU and a message header,
//! then the message.

use super::{Dialect, Iso8583Error};
use serde::Deserialize;

/// The length that stands before a frame. It counts what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthPrefix {
    /// Two bytes, the high one first.
    TwoBytes,
    /// Four decimal characters.
    FourDigits,
}

impl LengthPrefix {
    /// How many bytes it takes itself.
    pub fn bytes(self) -> usize {
        match self {
            Self::TwoBytes => 2,
            Self::FourDigits => 4,
        }
    }

    /// The most it can say.
    pub fn limit(self) -> usize {
        match self {
            Self::TwoBytes => 65_535,
            Self::FourDigits => 9_999,
        }
    }

    /// Reads it from the front of `bytes`: how many bytes follow.
    pub fn read(self, bytes: &[u8]) -> Result<usize, Iso8583Error> {
        let Some(prefix) = bytes.get(..self.bytes()) else {
            let (expected, found) = (self.bytes(), bytes.len());
            return Err(Iso8583Error::Truncated { what: "the length".into(), expected, found, offset: 0 });
        };
        match self {
            Self::TwoBytes => Ok(prefix.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))),
            Self::FourDigits => prefix.iter().enumerate().try_fold(0, |sum, (offset, byte)| match byte {
                b'0'..=b'9' => Ok(sum * 10 + usize::from(byte - b'0')),
                found => Err(Iso8583Error::Character {
                    what: "the length".into(),
                    expected: "a decimal character",
                    found: *found,
                    offset,
                }),
            }),
        }
    }

    fn write(self, length: usize) -> Vec<u8> {
        match self {
            Self::TwoBytes => vec![(length >> 8) as u8, length as u8],
            Self::FourDigits => format!("{length:04}").into_bytes(),
        }
    }
}

/// What stands round a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Identifier 60, destination, source; five bytes where the dialect has it.
    pub tpdu: Option<[u8; 5]>,
    /// The message header, six bytes where the dialect has it.
    pub header: Option<[u8; 6]>,
    /// The message, from its MTI.
    pub message: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Bytes that stand between the length and the MTI.
    pub fn overhead(dialect: &Dialect) -> usize {
        usize::from(dialect.tpdu) * 5 + usize::from(dialect.header) * 6
    }

    /// Takes apart what follows the length.
    pub fn open(bytes: &'a [u8], dialect: &Dialect) -> Result<Self, Iso8583Error> {
        let mut rest = bytes;
        let mut take = |length: usize, what: &str| {
            let Some((head, tail)) = rest.split_at_checked(length) else {
                return Err(Iso8583Error::Truncated {
                    what: what.into(),
                    expected: length,
                    found: rest.len(),
                    offset: dialect.prefix.bytes() + bytes.len() - rest.len(),
                });
            };
            rest = tail;
            Ok(head)
        };
        let tpdu = if dialect.tpdu { take(5, "the TPDU")?.try_into().ok() } else { None };
        let header = if dialect.header { take(6, "the message header")?.try_into().ok() } else { None };
        Ok(Self { tpdu, header, message: rest })
    }

    /// The whole frame, its length first. What the dialect has and the frame lacks is
    /// written as TPDU 6000000000 and header 603100000000. Refuses what is too long.
    pub fn to_bytes(&self, dialect: &Dialect) -> Result<Vec<u8>, Iso8583Error> {
        let length = Self::overhead(dialect) + self.message.len();
        let max = dialect.prefix.limit();
        if length > max {
            return Err(Iso8583Error::FrameLength { min: Self::overhead(dialect), max, found: length });
        }
        let mut out = dialect.prefix.write(length);
        if dialect.tpdu {
            out.extend(self.tpdu.unwrap_or([0x60, 0, 0, 0, 0]));
        }
        if dialect.header {
            out.extend(self.header.unwrap_or([0x60, 0x31, 0, 0, 0, 0]));
        }
        out.extend(self.message);
        Ok(out)
    }

    /// The frame of an answer: source and destination change places.
    pub fn answer<'b>(&self, message: &'b [u8]) -> Frame<'b> {
        let tpdu = self.tpdu.map(|[id, d1, d2, s1, s2]| [id, s1, s2, d1, d2]);
        Frame { tpdu, header: self.header, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::iso8583::dialect;

    #[test]
    fn a_terminal_frame_goes_both_ways_and_every_truncation_is_told() {
        let pos = dialect("pos").unwrap();
        let tpdu = Some([0x60, 0x00, 0x06, 0x00, 0x01]);
        let frame = Frame { tpdu, header: Some([0x60, 0x31, 0, 0x31, 0x10, 0x03]), message: &[2, 0, 7] };
        let bytes = frame.to_bytes(pos).unwrap();
        assert_eq!(pos.prefix.read(&bytes), Ok(14));
        assert_eq!(Frame::open(&bytes[2..], pos), Ok(frame.clone()));
        assert_eq!(frame.answer(&[]).tpdu, Some([0x60, 0x00, 0x01, 0x00, 0x06]));
        for end in 0..11 {
            assert!(Frame::open(&bytes[2..2 + end], pos).is_err(), "{end}");
        }
    }

    #[test]
    fn lengths_are_bytes_or_digits() {
        let digits = LengthPrefix::FourDigits;
        assert_eq!(digits.read(b"0120"), Ok(120));
        assert_eq!(digits.read(&digits.write(9_999)), Ok(9_999));
        assert!(matches!(digits.read(b"01 0"), Err(Iso8583Error::Character { offset: 2, .. })));
        assert!(LengthPrefix::TwoBytes.read(&[1]).is_err());
        let ascii = dialect("ascii").unwrap().clone().with_prefix(digits);
        let long = vec![0; 10_000];
        assert!(Frame { tpdu: None, header: None, message: &long }.to_bytes(&ascii).is_err());
    }
}
