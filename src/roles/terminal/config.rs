//! The terminal's own data, from a TOML file.

use super::Trust;
use crate::base::bytes::parse_hex;
use crate::words::emv::Ttq;
use crate::words::iso4217::Currency;
use crate::words::iso7816::Aid;
use serde::Deserialize;

const DEFAULT: &str = include_str!("terminal.toml");

/// What a terminal is and may do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalConfig {
    /// Tag 9F1C, F41: 8 characters.
    pub terminal: String,
    /// Tag 9F16, F42: 15 characters.
    pub merchant: String,
    /// Tag 9F4E.
    pub merchant_name: String,
    /// Tag 9F15: 4 digits.
    pub merchant_category: Bytes<2>,
    /// Tag 9F1E: 8 characters.
    pub serial: String,
    /// Tag 9F1A.
    pub country: Currency,
    /// Tag 5F2A where nothing else is asked for.
    pub currency: Currency,
    /// Tag 9F35.
    pub terminal_type: Bytes<1>,
    /// Tag 9F33.
    pub capabilities: Bytes<3>,
    /// Tag 9F40.
    pub additional_capabilities: Bytes<5>,
    /// Tag 9F09.
    pub application_version: Bytes<2>,
    /// Tag 9F66 for a quick payment.
    pub ttq_quick: Bytes<4>,
    /// Tag 9F66 for the full path over contactless.
    pub ttq_full: Bytes<4>,
    /// Offline data authentication.
    pub oda: Oda,
    /// Tag 9F7B, minor units.
    pub ecash_limit_minor: u64,
    /// The applications that it accepts, most preferred first.
    pub aids: Vec<Aid>,
    /// CA public keys and revoked certificates, as `[[trust.capk_rsa]]` and so on.
    #[serde(default)]
    pub trust: Trust,
    /// Files with more of them, TOML or `capk.txt`: whoever reads this file reads them
    /// too, from its folder, and adds them to [`Self::trust`].
    #[serde(default)]
    pub trust_files: Vec<String>,
}

/// Whether offline data authentication is performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oda {
    /// It is not: offline approval is then for test cards of our own alone.
    Skip,
}

/// Bytes of a fixed length, written as hexadecimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Bytes<const N: usize>(pub [u8; N]);

/// Why a terminal file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No TOML, or other fields than a terminal has.
    #[error("terminal file: {0}")]
    Toml(String),
    /// A text of another length.
    #[error("terminal file: expected {expected} characters for {field}, found {found:?}")]
    Length {
        /// The field.
        field: &'static str,
        /// How many.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

impl TerminalConfig {
    /// Reads a terminal file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        let check = |field, value: &str, range: std::ops::RangeInclusive<usize>, expected| {
            if range.contains(&value.len()) && value.is_ascii() {
                Ok(())
            } else {
                Err(ConfigError::Length { field, expected, found: value.into() })
            }
        };
        check("terminal", &config.terminal, 8..=8, "8")?;
        check("merchant", &config.merchant, 15..=15, "15")?;
        check("serial", &config.serial, 8..=8, "8")?;
        check("merchant_name", &config.merchant_name, 1..=40, "1 to 40")?;
        Ok(config)
    }

    /// The quick path's qualifiers.
    pub fn quick(&self) -> Ttq {
        Ttq(self.ttq_quick.0)
    }

    /// The full path's qualifiers.
    pub fn full(&self) -> Ttq {
        Ttq(self.ttq_full.0)
    }
}

impl Default for TerminalConfig {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the file is part of the program and read by a test")]
        Self::parse(DEFAULT).expect("the shipped terminal file is sound")
    }
}

impl<const N: usize> TryFrom<String> for Bytes<N> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = parse_hex(&text).map_err(|error| error.to_string())?;
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| format!("expected {N} bytes, found {found} in {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::Ttq;

    #[test]
    fn the_shipped_terminal_is_sound() {
        let config = TerminalConfig::default();
        assert!(config.quick().has(Ttq::QUICK_PATH) && !config.quick().has(Ttq::FULL_PATH));
        assert!(config.full().has(Ttq::FULL_PATH) && !config.full().has(Ttq::QUICK_PATH));
        assert_eq!(config.aids[0].to_string(), "A000000333010106");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = DEFAULT.replace("CW000001", "CW1");
        assert!(matches!(TerminalConfig::parse(&wrong), Err(ConfigError::Length { field: "terminal", .. })));
        let unknown = format!("colour = \"red\"\n{DEFAULT}");
        assert!(TerminalConfig::parse(&unknown).unwrap_err().to_string().contains("colour"));
    }
}
