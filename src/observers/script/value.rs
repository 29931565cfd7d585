//! Values of a script: what a text says until somebody asks for bytes, a number or an
//! amount. Hexadecimal digits stay undecided until then.

use crate::base::bytes::{Hex, bcd_to_u64, parse_hex, u64_to_bcd};
use crate::words::dictionary::{Format, Row};
use crate::words::emv::printable;
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::Tag;
use std::fmt;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Digits or a word as the script has them: hexadecimal or decimal, as it is asked.
    Bare(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Characters.
    Text(String),
    /// An amount in minor units; what is left after a subtraction may be below 0.
    Amount(i64),
    /// A number.
    Number(i64),
}

/// How a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Bytes as they are.
    Bytes,
    /// Characters.
    Text,
    /// An amount, n12.
    Amount,
    /// A number: decimal where the dictionary says so, else binary.
    Number,
    /// How many bytes.
    Length,
}

/// Why a value cannot be taken for what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct ValueError {
    /// What was asked for.
    pub expected: String,
    /// The value.
    pub found: String,
}

/// Largest number that a value holds as an amount: n12.
const AMOUNT_LIMIT: i64 = Amount::MAX_MINOR as i64;

impl View {
    /// The views by name.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("bytes", Self::Bytes),
        ("text", Self::Text),
        ("amount", Self::Amount),
        ("number", Self::Number),
        ("length", Self::Length),
    ];
}

impl Value {
    /// As bytes: an amount is six bytes of BCD, text its characters.
    pub fn bytes(&self) -> Result<Vec<u8>, ValueError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Bare(digits) => parse_hex(digits).map_err(|_| self.not("bytes in hexadecimal")),
            Self::Text(text) => Ok(text.as_bytes().to_vec()),
            Self::Amount(minor) => u64::try_from(*minor)
                .ok()
                .and_then(|minor| u64_to_bcd(minor, 6).ok())
                .ok_or_else(|| self.not("an amount from 0 to 12 digits of minor units")),
            Self::Number(_) => Err(self.not("bytes; bcd(number, length) makes them of a number")),
        }
    }

    /// As exactly `N` bytes.
    pub fn array<const N: usize>(&self, what: &str) -> Result<[u8; N], ValueError> {
        self.bytes()?.try_into().map_err(|_| self.not(&format!("{N} bytes for the {what}")))
    }

    /// As a number: digits are decimal, bytes binary, most significant first.
    pub fn number(&self) -> Result<i64, ValueError> {
        let not = || self.not("a number");
        match self {
            Self::Number(number) => Ok(*number),
            Self::Bare(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| not())
            }
            Self::Bytes(bytes) if bytes.len() <= 7 => {
                Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte)))
            }
            _ => Err(not()),
        }
    }

    /// As an amount in minor units: digits are decimal, bytes BCD.
    pub fn amount(&self, currency: Currency) -> Result<i64, ValueError> {
        let not = || self.not("an amount such as 12.50");
        match self {
            Self::Amount(minor) => Ok(*minor),
            Self::Bare(text) | Self::Text(text) => {
                Amount::parse_or_zero(text, currency).map(|amount| amount.minor as i64).map_err(|_| not())
            }
            Self::Bytes(bytes) => {
                let minor = bcd_to_u64(bytes).ok().and_then(|minor| i64::try_from(minor).ok());
                minor.filter(|minor| *minor <= AMOUNT_LIMIT).ok_or_else(not)
            }
            Self::Number(_) => Err(not()),
        }
    }

    /// As text.
    pub fn text(&self) -> String {
        match self {
            Self::Bare(text) | Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => printable(bytes),
            Self::Amount(_) | Self::Number(_) => self.to_string(),
        }
    }

    /// The bytes of a data element: decimal digits fill it as its format says.
    pub fn element(&self, tag: Tag, currency: Currency) -> Result<Vec<u8>, ValueError> {
        let row = Row::of_tag(tag);
        let format = row.map_or(Format::Binary, |row| row.format);
        let length = row.map_or(0, |row| row.min as usize);
        match (self, format) {
            // As many digits as the element has are its bytes.
            (Self::Bare(digits), Format::Amount | Format::Numeric) if digits.len() == length * 2 => {
                self.bytes()
            }
            (Self::Bare(_), Format::Amount) => Self::Amount(self.amount(currency)?).bytes(),
            (Self::Bare(word), Format::Numeric) => {
                let is_letters = word.bytes().all(|byte| byte.is_ascii_uppercase());
                if let Some(named) = Currency::parse(word).filter(|_| is_letters) {
                    return Ok(named.to_bcd().to_vec());
                }
                let number = self.number()?;
                Self::Number(number).element(tag, currency)
            }
            (Self::Number(number), Format::Numeric) => u64::try_from(*number)
                .ok()
                .and_then(|number| u64_to_bcd(number, length.max(1)).ok())
                .ok_or_else(|| self.not(&format!("at most {} digits for {tag}", length * 2))),
            _ => self.bytes(),
        }
    }

    /// What the value is, seen in this way. `tag` tells how numbers are written, where the
    /// value is a data element.
    pub fn viewed(&self, view: View, tag: Option<Tag>, currency: Currency) -> Result<Self, ValueError> {
        Ok(match view {
            View::Bytes => Self::Bytes(self.bytes()?),
            View::Text => Self::Text(self.text()),
            View::Amount => Self::Amount(self.amount(currency)?),
            View::Length => Self::Number(self.bytes()?.len() as i64),
            View::Number => {
                let decimal = tag
                    .and_then(Row::of_tag)
                    .is_some_and(|row| matches!(row.format, Format::Numeric | Format::Amount | Format::Date));
                match self {
                    Self::Bytes(bytes) if decimal => {
                        let number = bcd_to_u64(bytes).ok().and_then(|number| i64::try_from(number).ok());
                        Self::Number(number.ok_or_else(|| self.not("decimal digits"))?)
                    }
                    _ => Self::Number(self.number()?),
                }
            }
        })
    }

    /// The error of a value that is something else.
    pub fn not(&self, expected: &str) -> ValueError {
        let found = match self {
            Self::Bare(text) => format!("{text:?}"),
            // It may be a name, a PAN or a key.
            Self::Text(text) => format!("a text of {} characters", text.chars().count()),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::Amount(_) => format!("the amount {self}"),
            Self::Number(_) => format!("the number {self}"),
        };
        ValueError { expected: expected.to_owned(), found }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(text) => f.write_str(text),
            Self::Bytes(bytes) => Hex(bytes).fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Amount(minor) => {
                let (sign, minor) = (if *minor < 0 { "-" } else { "" }, minor.unsigned_abs());
                write!(f, "{sign}{}.{:02}", minor / 100, minor % 100)
            }
            Self::Number(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::dictionary::tag;

    const CNY: Currency = Currency::CNY;

    #[test]
    fn digits_are_what_is_asked_of_them() {
        let bare = |text: &str| Value::Bare(text.into());
        assert_eq!(bare("0010").bytes().unwrap(), [0x00, 0x10]);
        assert_eq!(bare("0010").number().unwrap(), 10);
        assert_eq!(bare("10").amount(CNY).unwrap(), 1000);
        assert!(bare("1").bytes().is_err() && bare("A0").number().is_err());
    }

    #[test]
    fn elements_are_filled_as_their_format_says() {
        let element = |text: &str, tag| Value::Bare(text.into()).element(tag, CNY).unwrap();
        assert_eq!(element("12.50", tag::AMOUNT_AUTHORISED), [0, 0, 0, 0, 0x12, 0x50]);
        assert_eq!(element("000000001250", tag::AMOUNT_AUTHORISED), [0, 0, 0, 0, 0x12, 0x50]);
        assert_eq!(element("156", tag::TRANSACTION_CURRENCY_CODE), [0x01, 0x56]);
        assert_eq!(element("HKD", tag::TRANSACTION_CURRENCY_CODE), [0x03, 0x44]);
        assert_eq!(element("261121", tag::TRANSACTION_DATE), [0x26, 0x11, 0x21]);
        assert_eq!(element("60", tag::TRANSACTION_TYPE), [0x60]);
    }

    #[test]
    fn an_error_shows_no_bytes() {
        let error = Value::Bytes(vec![0x62; 20]).number().unwrap_err();
        assert_eq!(error.to_string(), "expected a number, found 20 bytes");
    }

    #[test]
    fn numbers_are_decimal_where_the_dictionary_says_so() {
        let number = |bytes: &[u8], tag| Value::Bytes(bytes.to_vec()).viewed(View::Number, Some(tag), CNY);
        assert_eq!(number(&[0x01, 0x56], tag::TRANSACTION_CURRENCY_CODE), Ok(Value::Number(156)));
        assert_eq!(number(&[0x01, 0x56], tag::ATC), Ok(Value::Number(0x156)));
    }
}
