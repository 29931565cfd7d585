//! The number of a purse card, 4 to 20 digits, and the account number that terminals and issuers
//! know it by. How a card writes it is its layout's business.

use crate::base::bytes::{Hex, Secret};
use crate::words::emv::{Pan, PanError};
use std::fmt;

/// A card's number. Printed, it is masked: the last four digits stay, and of twelve or more the
/// first six.
#[derive(Clone, PartialEq, Eq)]
pub struct PurseNumber(Secret<String>);

/// Why bytes are no number. None of the bytes is in it: they may be most of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// A nibble that is no digit.
    #[error("expected decimal digits, found {found:X} at digit {place}")]
    NoDigit {
        /// Which nibble, from 1.
        place: usize,
        /// What it is.
        found: u8,
    },
    /// Too few digits, or none but zeros.
    #[error("expected 4 to 20 digits, found {found}")]
    Length {
        /// How many came, without the zeros before them.
        found: usize,
    },
}

impl PurseNumber {
    /// Of BCD digits, without the zeros before them and the filling (F) around them.
    pub fn from_bcd(bytes: &[u8]) -> Result<Self, NumberError> {
        let text = Hex(bytes).to_string();
        let from = text.len() - text.trim_start_matches('F').len();
        let digits = text.trim_matches('F');
        if let Some((at, found)) = digits.char_indices().find(|(_, digit)| !digit.is_ascii_digit()) {
            let found = found.to_digit(16).and_then(|found| u8::try_from(found).ok()).unwrap_or(0);
            return Err(NumberError::NoDigit { place: from + at + 1, found });
        }
        Self::of_digits(digits.trim_start_matches('0'))
    }

    /// Of an integer, the least significant byte first; at most 8 bytes.
    pub fn from_reversed(bytes: &[u8]) -> Result<Self, NumberError> {
        let number = bytes.iter().rev().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self::of_digits(&number.to_string())
    }

    fn of_digits(digits: &str) -> Result<Self, NumberError> {
        match digits.len() {
            4..=20 => Ok(Self(Secret::new(digits.to_owned()))),
            found => Err(NumberError::Length { found }),
        }
    }

    /// The digits; the word is long so that a reader sees each use.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The account number: 12 to 19 digits, zeros before those of a shorter number.
    pub fn account(&self) -> Result<Pan, PanError> {
        Pan::new(&format!("{:0>12}", self.expose()))
    }
}

impl fmt::Display for PurseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.expose();
        let shown = if digits.len() >= 12 { 6 } else { 0 };
        let hidden = digits.len() - shown - 4;
        write!(f, "{}{}{}", &digits[..shown], "*".repeat(hidden), &digits[shown + hidden..])
    }
}

impl fmt::Debug for PurseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PurseNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    #[test]
    fn numbers_are_told_and_masked() {
        let bcd = |text: &str| PurseNumber::from_bcd(&parse_hex(text).unwrap());
        let long = bcd("00006299991234567890").unwrap();
        assert_eq!((long.expose(), long.to_string()), ("6299991234567890", "629999******7890".into()));
        let short = bcd("0012345678").unwrap();
        assert_eq!((short.expose(), short.to_string()), ("12345678", "****5678".into()));
        assert_eq!(short.account().unwrap().expose(), "000012345678");
        assert_eq!(bcd("FFFF123456789012FFFF").unwrap().expose(), "123456789012");
        assert_eq!(bcd("12A456").unwrap_err(), NumberError::NoDigit { place: 3, found: 0x0A });
        assert_eq!(bcd("0000000000").unwrap_err(), NumberError::Length { found: 0 });
        assert_eq!(bcd("FFFFFFFF").unwrap_err(), NumberError::Length { found: 0 });
        let reversed = PurseNumber::from_reversed(&[0xC2, 0x39, 0x85, 0x34]).unwrap();
        assert_eq!(reversed.expose(), "881146306");
    }
}
