//! Answer to reset: ISO/IEC 7816-3 8.2; the mapping of contactless cards is
//! PC/SC Part 3, 3.1.3.2.3.

use crate::base::bytes::{Cursor, Hex, Truncated};
use std::fmt;

/// An answer to reset.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Atr {
    bytes: Vec<u8>,
    historical: Vec<u8>,
    protocols: Vec<u8>,
}

/// Why bytes are not an ATR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AtrError {
    /// The first byte is neither 3B nor 3F.
    #[error("expected TS 3B or 3F, found {found:02X}")]
    Ts {
        /// The byte.
        found: u8,
    },
    /// Fewer bytes than T0 and the TDs announce.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// The exclusive-or of T0 to TCK is not zero.
    #[error("expected the check byte TCK to be {expected:02X}, found {found:02X}")]
    Tck {
        /// What the bytes before it demand.
        expected: u8,
        /// What is there.
        found: u8,
    },
}

impl Atr {
    /// Reads an ATR.
    pub fn parse(bytes: &[u8]) -> Result<Self, AtrError> {
        let mut cursor = Cursor::new(bytes);
        let ts = cursor.byte("TS")?;
        if !matches!(ts, 0x3B | 0x3F) {
            return Err(AtrError::Ts { found: ts });
        }
        let t0 = cursor.byte("T0")?;
        let mut protocols = Vec::new();
        let mut present = t0 >> 4;
        loop {
            cursor.take((present & 0x07).count_ones() as usize, "TA, TB, TC")?;
            if present & 0x08 == 0 {
                break;
            }
            let td = cursor.byte("TD")?;
            protocols.push(td & 0x0F);
            present = td >> 4;
        }
        let historical = cursor.take(usize::from(t0 & 0x0F), "historical bytes")?.to_vec();
        if protocols.iter().any(|protocol| *protocol != 0) {
            let expected = bytes[1..cursor.offset()].iter().fold(0, |sum, byte| sum ^ byte);
            let found = cursor.byte("TCK")?;
            if found != expected {
                return Err(AtrError::Tck { expected, found });
            }
        }
        Ok(Self { bytes: bytes.to_vec(), historical, protocols })
    }

    /// The ATR that a PC/SC reader shows for an ISO/IEC 14443-4 card:
    /// `3B 8n 80 01`, up to 15 historical bytes, TCK.
    pub fn contactless(historical: &[u8]) -> Vec<u8> {
        let historical = &historical[..historical.len().min(15)];
        let mut bytes = vec![0x3B, 0x80 | historical.len() as u8, 0x80, 0x01];
        bytes.extend_from_slice(historical);
        bytes.push(bytes[1..].iter().fold(0, |sum, byte| sum ^ byte));
        bytes
    }

    /// Whether a reader made it up for a contactless card: `3B 8n 80 01 ...`.
    pub fn is_contactless(&self) -> bool {
        matches!(self.bytes.as_slice(), [0x3B, t0, 0x80, 0x01, ..] if t0 & 0xF0 == 0x80)
    }

    /// The standard and card name of a contactless storage card (MIFARE, FeliCa),
    /// which speaks no APDU of its own: PC/SC Part 3, `80 4F 0C A0 00 00 03 06 SS NN NN`.
    pub fn storage_card(&self) -> Option<(u8, u16)> {
        match self.historical.as_slice() {
            [0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, standard, a, b, ..] if self.is_contactless() => {
                Some((*standard, u16::from_be_bytes([*a, *b])))
            }
            _ => None,
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The historical bytes.
    pub fn historical(&self) -> &[u8] {
        &self.historical
    }

    /// The protocols that the TDs name, first one first; none means T=0.
    pub fn protocols(&self) -> &[u8] {
        &self.protocols
    }
}

impl fmt::Display for Atr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", Hex(&self.bytes))
    }
}

impl fmt::Debug for Atr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atr({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    #[test]
    fn tells_contactless_cards_and_storage_cards() {
        let card = Atr::parse(&Atr::contactless(&[0x43, 0x57])).unwrap();
        assert!(card.is_contactless());
        assert_eq!((card.historical(), card.storage_card()), ([0x43, 0x57].as_slice(), None));
        let mifare = parse_hex("3B8F8001804F0CA000000306030001000000006A").unwrap();
        assert_eq!(Atr::parse(&mifare).unwrap().storage_card(), Some((0x03, 0x0001)));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Atr::parse(&[0x00, 0x00]), Err(AtrError::Ts { found: 0 }));
        assert!(matches!(Atr::parse(&[0x3B, 0x8F, 0x80]), Err(AtrError::Truncated(_))));
        assert!(matches!(Atr::parse(&[0x3B, 0x80, 0x80, 0x01, 0x00]), Err(AtrError::Tck { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Atr::parse(&bytes);
        }
    }
}
