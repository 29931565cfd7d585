//! Primary account number and track 2 equivalent data: ISO/IEC 7812-1, 7813.

use crate::base::bytes::{Secret, bcd_digits, digits_to_bcd};
use std::fmt;

/// A PAN of 12 to 19 digits. Printed, it is masked: first six and last four stay.
#[derive(Clone, PartialEq, Eq)]
pub struct Pan(Secret<String>);

/// Why digits are no PAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PanError {
    /// Wrong number of digits, or something that is no digit.
    #[error("expected a PAN of 12 to 19 digits, found {found} characters")]
    Digits {
        /// How many characters came.
        found: usize,
    },
    /// The check digit does not fit.
    #[error("expected a PAN whose last digit is the Luhn check digit (ISO/IEC 7812-1 Annex B)")]
    Luhn,
}

impl Pan {
    /// The BIN of cards that this project makes itself. A card of this range may
    /// be written and spent without leave.
    pub const TEST_BIN: &'static str = "629999";

    /// The range of our own tokens, within the test range. No card is ever made in it,
    /// and no token outside it.
    pub const TOKEN_BIN: &'static str = "6299999";

    /// From digits; the check digit is not looked at, since cards in the field
    /// are taken as they are.
    pub fn new(digits: &str) -> Result<Self, PanError> {
        if !(12..=19).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PanError::Digits { found: digits.chars().count() });
        }
        Ok(Self(Secret::new(digits.to_owned())))
    }

    /// From digits that a person typed: the check digit must fit.
    pub fn checked(digits: &str) -> Result<Self, PanError> {
        let pan = Self::new(digits)?;
        let (body, last) = digits.split_at(digits.len() - 1);
        if last.parse() == Ok(luhn_digit(body)) { Ok(pan) } else { Err(PanError::Luhn) }
    }

    /// From all digits but the last, which is worked out.
    pub fn with_check_digit(body: &str) -> Result<Self, PanError> {
        Self::new(&format!("{body}{}", luhn_digit(body)))
    }

    /// From tag 5A.
    pub fn from_bcd(bytes: &[u8]) -> Result<Self, PanError> {
        let digits = bcd_digits(bytes).map_err(|_| PanError::Digits { found: bytes.len() * 2 })?;
        Self::new(&digits)
    }

    /// As tag 5A has it, filled with F to a whole byte.
    pub fn to_bcd(&self) -> Vec<u8> {
        let digits = self.0.expose();
        // Digits fit by the constructor.
        digits_to_bcd(digits, digits.len().div_ceil(2)).unwrap_or_default()
    }

    /// The digits; the word is long so that a reader sees each use.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Its last four digits, as receipts show them.
    pub fn last_four(&self) -> &str {
        self.expose().get(self.expose().len().saturating_sub(4)..).unwrap_or_default()
    }

    /// Whether it is in the range of our own test cards.
    pub fn is_test(&self) -> bool {
        self.expose().starts_with(Self::TEST_BIN)
    }

    /// Whether it is a number of our own token range, and so of no card.
    pub fn is_token(&self) -> bool {
        self.expose().starts_with(Self::TOKEN_BIN)
    }
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.expose();
        let hidden = digits.len() - 10;
        write!(f, "{}{}{}", &digits[..6], "*".repeat(hidden), &digits[6 + hidden..])
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan({self})")
    }
}

/// Track 2 equivalent data, tag 57: PAN, `D`, expiry YYMM, service code, discretionary data.
#[derive(Clone, PartialEq, Eq)]
pub struct Track2 {
    /// The PAN.
    pub pan: Pan,
    /// Expiry, YYMM as four digits.
    pub expiry: [u8; 4],
    /// Everything after the expiry, as digits.
    pub rest: Secret<String>,
}

impl Track2 {
    /// From tag 57; `None` where it is no track 2.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text: String = bytes.iter().flat_map(|b| [b >> 4, b & 0x0F]).map(hex_digit).collect();
        let text = Secret::new(text);
        let (pan, rest) = text.expose().split_once('D')?;
        let rest = rest.trim_end_matches('F');
        let expiry = rest.get(..4)?.as_bytes().try_into().ok()?;
        if !rest.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let pan = Pan::new(pan).ok()?;
        Some(Self { pan, expiry, rest: Secret::new(rest.get(4..)?.to_owned()) })
    }

    /// As tag 57 has it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let expiry = String::from_utf8_lossy(&self.expiry);
        let mut text = format!("{}D{expiry}{}", self.pan.expose(), self.rest.expose());
        if text.len() % 2 == 1 {
            text.push('F');
        }
        crate::base::bytes::parse_hex(&text).unwrap_or_default()
    }
}

impl fmt::Debug for Track2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Track2({})", self.pan)
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

/// The Luhn check digit of digits without it.
fn luhn_digit(body: &str) -> u32 {
    let sum: u32 = body
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit * 2 / 10 + digit * 2 % 10,
            _ => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_masked_when_printed() {
        let pan = Pan::checked("4111111111111111").unwrap();
        assert_eq!(pan.to_string(), "411111******1111");
        assert!(!pan.is_test() && Pan::with_check_digit("629999000000001").unwrap().is_test());
        assert_eq!(Pan::checked("4111111111111112"), Err(PanError::Luhn));
        assert_eq!(Pan::new("12345"), Err(PanError::Digits { found: 5 }));
    }

    #[test]
    fn track_2_goes_both_ways() {
        let pan = Pan::with_check_digit("629999000000001").unwrap();
        let track = Track2 { pan, expiry: *b"3012", rest: Secret::new("2010000".into()) };
        let read = Track2::parse(&track.to_bytes()).unwrap();
        assert_eq!(read, track);
        assert_eq!(Track2::parse(&[0x12, 0x34]), None);
    }
}
