//! ISO 4217: currencies by number, and amounts in minor units. No floats.

use crate::base::bytes::{BcdError, bcd_to_u64, u64_to_bcd};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A currency by its ISO 4217 number (three digits). Unknown numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(pub u16);

impl Currency {
    /// Renminbi.
    pub const CNY: Self = Self(156);
    /// Hong Kong dollar.
    pub const HKD: Self = Self(344);
    /// Macau pataca.
    pub const MOP: Self = Self(446);
    /// US dollar.
    pub const USD: Self = Self(840);
    /// Euro.
    pub const EUR: Self = Self(978);
    /// Yen.
    pub const JPY: Self = Self(392);

    /// Reads a number (`344`) or letters (`HKD`).
    pub fn parse(text: &str) -> Option<Self> {
        let by_letters = iso_currency::Currency::from_code(&text.to_ascii_uppercase());
        by_letters
            .map(|known| Self(known.numeric()))
            .or_else(|| text.parse::<u16>().ok().filter(|n| (1..=999).contains(n)).map(Self))
    }

    /// From tags 5F2A, 9F51, DF71: n3 over two bytes.
    pub fn from_bcd(bytes: &[u8]) -> Option<Self> {
        let number = bcd_to_u64(bytes).ok()?;
        (bytes.len() == 2 && number <= 999).then_some(Self(number as u16))
    }

    /// As tags 5F2A, 9F51, DF71 have it.
    pub fn to_bcd(self) -> [u8; 2] {
        let n = self.0 % 1000;
        [(n / 100) as u8, ((((n / 10) % 10) << 4) | (n % 10)) as u8]
    }

    /// Digits after the point; 2 where the currency is not known, or has none (gold).
    pub fn exponent(self) -> u8 {
        let digits = self.known().and_then(iso_currency::Currency::exponent);
        digits.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(2)
    }

    /// What the standard calls it; `None` where the number is not known.
    pub fn name(self) -> Option<String> {
        self.known().map(|known| known.name().to_owned())
    }

    fn known(self) -> Option<iso_currency::Currency> {
        iso_currency::Currency::from_numeric(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some(known) => f.write_str(known.code()),
            None => write!(f, "{:03}", self.0),
        }
    }
}

/// Why a text is not an amount that can be loaded or paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing, or something that is no digit or point.
    #[error("expected an amount such as 50.00, found {found:?}")]
    NotNumber {
        /// The text.
        found: String,
    },
    /// A minus sign.
    #[error("expected an amount above 0, found {found:?}: amounts are never negative")]
    Negative {
        /// The text.
        found: String,
    },
    /// Zero.
    #[error("expected an amount above 0, found {found:?}")]
    Zero {
        /// The text.
        found: String,
    },
    /// More digits after the point than the currency has.
    #[error("expected at most {exponent} digits after the point for {currency}, found {found:?}")]
    TooFine {
        /// The text.
        found: String,
        /// Digits the currency has.
        exponent: u8,
        /// The currency.
        currency: Currency,
    },
    /// More than twelve digits of minor units, which n12 (tag 9F02) cannot hold.
    #[error("expected at most 12 digits of minor units (n12, tag 9F02), found {found:?}")]
    TooLarge {
        /// The text.
        found: String,
    },
}

/// An amount of money in minor units: 5000 is 50.00 where the exponent is 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units, at most twelve digits.
    pub minor: u64,
    /// The currency.
    pub currency: Currency,
}

impl Amount {
    /// The largest amount that n12 holds.
    pub const MAX_MINOR: u64 = 999_999_999_999;

    /// An amount in minor units.
    pub const fn new(minor: u64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads `50`, `50.0` or `50.00`; zero is refused, as nothing is moved by it.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        match Self::parse_or_zero(text, currency)? {
            Self { minor: 0, .. } => Err(AmountError::Zero { found: text.to_owned() }),
            amount => Ok(amount),
        }
    }

    /// Reads an amount that may be zero, as an opening balance may.
    pub fn parse_or_zero(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let found = || text.to_owned();
        if text.starts_with(['-', '\u{2212}']) {
            return Err(AmountError::Negative { found: found() });
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(AmountError::NotNumber { found: found() });
        }
        let exponent = currency.exponent();
        if fraction.len() > usize::from(exponent) {
            return Err(AmountError::TooFine { found: found(), exponent, currency });
        }
        let minor = format!("{whole}{fraction:0<width$}", width = usize::from(exponent));
        match minor.trim_start_matches('0') {
            "" => Ok(Self::new(0, currency)),
            significant if significant.len() > 12 => Err(AmountError::TooLarge { found: found() }),
            significant => significant
                .parse()
                .map(|minor| Self::new(minor, currency))
                .map_err(|_| AmountError::NotNumber { found: found() }),
        }
    }

    /// From n12 (tags 9F02, 9F79 ...).
    pub fn from_bcd(bytes: &[u8], currency: Currency) -> Result<Self, BcdError> {
        bcd_to_u64(bytes).map(|minor| Self::new(minor, currency))
    }

    /// As n12: six bytes. What is over twelve digits keeps its low twelve, which
    /// cannot happen to an amount that was parsed.
    pub fn to_bcd(self) -> [u8; 6] {
        let mut out = [0; 6];
        if let Ok(bytes) = u64_to_bcd(self.minor % (Self::MAX_MINOR + 1), 6) {
            out.copy_from_slice(&bytes);
        }
        out
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = usize::from(self.currency.exponent());
        if exponent == 0 {
            return write!(f, "{} {}", self.minor, self.currency);
        }
        let scale = 10u64.pow(exponent as u32);
        write!(f, "{}.{:0exponent$} {}", self.minor / scale, self.minor % scale, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_minor_units() {
        let parse = |text| Amount::parse(text, Currency::CNY);
        assert_eq!(parse("50").unwrap().minor, 5000);
        assert_eq!(parse("12.5").unwrap().to_string(), "12.50 CNY");
        assert_eq!(parse("0.01").unwrap().to_bcd(), [0, 0, 0, 0, 0, 1]);
        assert_eq!(Amount::parse("7", Currency::JPY).unwrap().to_string(), "7 JPY");
    }

    #[test]
    fn refuses_what_is_no_amount_and_names_the_rule() {
        let parse = |text: &str| Amount::parse(text, Currency::CNY).unwrap_err();
        assert!(matches!(parse("0.00"), AmountError::Zero { .. }));
        assert!(matches!(parse("-5"), AmountError::Negative { .. }));
        assert!(matches!(parse("1.005"), AmountError::TooFine { .. }));
        assert!(matches!(parse("10000000000.00"), AmountError::TooLarge { .. }));
        assert_eq!(Amount::parse("9999999999.99", Currency::CNY).unwrap().minor, Amount::MAX_MINOR);
        for text in ["", ".", "5.", ".5", "1,5", "five", "1e3", "5 0", "+5", "٥"] {
            assert!(matches!(parse(text), AmountError::NotNumber { .. }), "{text:?}");
        }
    }

    #[test]
    fn currencies_go_by_number_or_letters() {
        assert_eq!(Currency::parse("344"), Some(Currency::HKD));
        assert_eq!(Currency::parse("hkd"), Some(Currency::HKD));
        assert_eq!(Currency::HKD.to_bcd(), [0x03, 0x44]);
        assert_eq!(Currency::from_bcd(&[0x01, 0x56]), Some(Currency::CNY));
        assert_eq!(Currency::parse("1000"), None);
    }
}
