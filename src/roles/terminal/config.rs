//! The terminal's own data, from a TOML file.

use super::certificate_cache::CertificateCache;
use super::flow::Flow;
use super::{Combination, ContactlessPath, Trust};
use crate::air::host::Entry;
use crate::air::link::Interface;
use crate::base::bytes::parse_hex;
use crate::words::iso4217::Currency;
use crate::words::iso7816::Aid;
use serde::Deserialize;
use std::sync::Arc;

/// The shipped terminal file.
pub(super) const DEFAULT: &str = include_str!("terminal.toml");

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
    /// Whether the directory of a card's payment system environment is read first, by
    /// contact: EMV Book 1 12.3.2.
    #[serde(default = "yes")]
    pub pse: bool,
    /// Whether the cardholder chooses among applications and confirms one, by contact:
    /// EMV Book 1 12.4.
    #[serde(default = "yes")]
    pub cardholder_selection: bool,
    /// Languages (ISO 639-1), most preferred first: EMV Book 4 11.1.
    #[serde(default = "english")]
    pub languages: Vec<String>,
    /// Which path of a contactless card a payment takes; everything else takes the full one.
    #[serde(default)]
    pub contactless_payments: ContactlessPath,
    /// Whether every name is tried where a contactless card has no directory (PPSE).
    #[serde(default)]
    pub names_without_ppse: bool,
    /// When a combined signature (CDA) is asked for: EMV Book 4 6.3.2.1, 1 to 4.
    pub cda_mode: CdaMode,
    /// Default DDOL, for cards without tag 9F49.
    pub default_ddol: AnyBytes,
    /// The TDOL (97) for cards that have none and ask for a TC hash; empty where it is left
    /// out (EMV Book 3 9.2.2).
    #[serde(default)]
    pub default_tdol: AnyBytes,
    /// Tag 9F7B, minor units.
    pub ecash_limit_minor: u64,
    /// Whether the PIN pad works.
    pub pin_pad_works: bool,
    /// Cards that are not to be accepted: PAN, hyphen, sequence number.
    pub exception_file: Vec<String>,
    /// Terminal risk management.
    pub risk: Risk,
    /// Terminal action codes.
    pub action_codes: ActionCodes,
    /// The applications that it accepts, most preferred first.
    #[serde(rename = "application")]
    pub applications: Vec<AcceptedApplication>,
    /// What the reader does over contactless, a combination of AID and kernel each.
    #[serde(rename = "combination", default)]
    pub combinations: Vec<Combination>,
    /// CA public keys and revoked certificates, as `[[trust.capk_rsa]]` and so on.
    #[serde(default)]
    pub trust: Trust,
    /// Files with more of them, TOML or `capk.txt`: whoever reads this file reads them
    /// too, from its folder, and adds them to [`Self::trust`].
    #[serde(default)]
    pub trust_files: Vec<String>,
    /// Issuer certificates that this terminal has recovered before.
    #[serde(skip)]
    pub certificates: CertificateCache,
    /// The file's text, from which [`Self::changed`] makes another terminal.
    #[serde(skip)]
    pub text: Arc<str>,
}

/// An application that the terminal accepts; what it does not say, the terminal says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedApplication {
    /// Its name, or the beginning of its name.
    pub aid: Aid,
    /// Whether only the whole name will do (Application Selection Indicator).
    #[serde(default)]
    pub exact: bool,
    /// Tag 9F09.
    pub application_version: Option<Bytes<2>>,
    /// Terminal risk management.
    pub risk: Option<Risk>,
    /// Terminal action codes.
    pub action_codes: Option<ActionCodes>,
}

/// Figures of terminal risk management: EMV Book 3 10.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Tag 9F1B, in minor units here.
    pub floor_limit_minor: u64,
    /// Threshold Value for Biased Random Selection, minor units.
    pub random_threshold_minor: u64,
    /// Target Percentage to be Used for Random Selection, 0 to 99.
    pub random_target_percent: u8,
    /// Maximum Target Percentage to be Used for Biased Random Selection, 0 to 99.
    pub random_maximum_percent: u8,
}

/// Terminal action codes: masks over the TVR, EMV Book 3 10.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionCodes {
    /// Declined without asking.
    pub denial: Bytes<5>,
    /// Asks the issuer.
    pub online: Bytes<5>,
    /// Declined where the issuer cannot be asked.
    pub default: Bytes<5>,
}

/// The modes of CDA, which a terminal file writes as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum CdaMode {
    /// With an ARQC, and with the TC after the issuer's approval.
    One,
    /// With an ARQC alone.
    Two,
    /// With neither: only what the card approves by itself.
    Three,
    /// With the TC after the issuer's approval alone.
    Four,
}

/// Bytes of any length, written as hexadecimal text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AnyBytes(pub Vec<u8>);

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
    /// Percentages that cannot be.
    #[error(
        "terminal file: expected random_target_percent <= random_maximum_percent <= 99, found {target} and \
         {maximum}"
    )]
    Percent {
        /// The target percentage.
        target: u8,
        /// The maximum target percentage.
        maximum: u8,
    },
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
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
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
        let own = config.applications.iter().filter_map(|application| application.risk.as_ref());
        own.chain([&config.risk]).try_for_each(Risk::check)?;
        config.text = text.into();
        Ok(config)
    }

    /// The same terminal, its file changed by `change`. The keys that it trusts stay unless
    /// the file says other ones then.
    pub fn changed(&self, change: impl FnOnce(&mut toml::Table)) -> Result<Self, ConfigError> {
        let read = |cause: toml::de::Error| ConfigError::Toml(cause.to_string());
        let mut table: toml::Table = toml::from_str(&self.text).map_err(read)?;
        let trusted = table.get("trust").cloned();
        change(&mut table);
        let mut config = Self::parse(&table.to_string())?;
        if table.get("trust") == trusted.as_ref() {
            config.trust = self.trust.clone();
        }
        Ok(config)
    }

    /// The names that it looks for, most preferred first.
    pub fn aids(&self) -> impl Iterator<Item = &Aid> {
        self.applications.iter().map(|application| &application.aid)
    }

    /// What is said of the application that a card calls `name`.
    pub fn application(&self, name: &[u8]) -> Option<&AcceptedApplication> {
        self.applications.get(self.place_of(name)?)
    }

    /// The place in the list of the application that a card calls `name`.
    pub fn place_of(&self, name: &[u8]) -> Option<usize> {
        self.applications.iter().position(|application| match application.exact {
            true => name == application.aid.as_bytes(),
            false => name.starts_with(application.aid.as_bytes()),
        })
    }

    /// Accepts nothing but the applications that this name, or the beginning of a name,
    /// fits; `false` where there are none, and then nothing has changed.
    pub fn accept_only(&mut self, name: &Aid) -> bool {
        let fits = |application: &&AcceptedApplication| {
            application.aid.begins_with(name.as_bytes())
                || !application.exact && name.begins_with(application.aid.as_bytes())
        };
        let narrowed = |application: &AcceptedApplication| {
            let longer = name.as_bytes().len() > application.aid.as_bytes().len();
            let aid = if longer { name.clone() } else { application.aid.clone() };
            AcceptedApplication { aid, ..application.clone() }
        };
        let left: Vec<_> = self.applications.iter().filter(fits).map(narrowed).collect();
        let any = !left.is_empty();
        if any {
            self.applications = left;
            let fits = |aid: &Aid| aid.begins_with(name.as_bytes()) || name.begins_with(aid.as_bytes());
            self.combinations.iter_mut().for_each(|combination| combination.aids.retain(fits));
            self.combinations.retain(|combination| !combination.aids.is_empty());
        }
        any
    }

    /// Whether the terminal shows the characters of a part of ISO/IEC 8859: tag 9F40,
    /// EMV Book 4 A3, tables 32 and 33.
    pub fn has_code_table(&self, part: u8) -> bool {
        let [.., fourth, fifth] = self.additional_capabilities.0;
        match part {
            1..=8 => fifth >> (part - 1) & 1 == 1,
            9 | 10 => fourth >> (part - 9) & 1 == 1,
            _ => false,
        }
    }

    /// Whether a card is on the exception file.
    pub fn is_excepted(&self, pan: &str, psn: u8) -> bool {
        let named =
            |row: &String| row.split_once('-').is_some_and(|(a, b)| a == pan && b == format!("{psn:02X}"));
        self.exception_file.iter().any(named)
    }

    /// How a card is read: over contacts, or over contactless by which path.
    pub const fn entry(&self, flow: Flow, interface: Interface) -> Entry {
        match (interface, flow) {
            (Interface::Contact, _) => Entry::Contact,
            (Interface::Contactless, Flow::Pay | Flow::Ride) => self.contactless_payments.entry(),
            (Interface::Contactless, _) => Entry::ContactlessFull,
        }
    }
}

impl Risk {
    fn check(&self) -> Result<(), ConfigError> {
        let Self { random_target_percent: target, random_maximum_percent: maximum, .. } = *self;
        match target <= maximum && maximum <= 99 {
            true => Ok(()),
            false => Err(ConfigError::Percent { target, maximum }),
        }
    }
}

impl Default for TerminalConfig {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the file is part of the program and read by a test")]
        Self::parse(DEFAULT).expect("the shipped terminal file is sound")
    }
}

fn yes() -> bool {
    true
}

fn english() -> Vec<String> {
    vec!["en".into()]
}

impl TryFrom<u8> for CdaMode {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            3 => Ok(Self::Three),
            4 => Ok(Self::Four),
            other => Err(format!("expected a mode of CDA, 1 to 4, found {other}")),
        }
    }
}

impl TryFrom<String> for AnyBytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(Self).map_err(|error| error.to_string())
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
    use crate::roles::terminal::Kernel;
    use crate::words::emv::Ttq;

    #[test]
    fn the_shipped_terminal_is_sound() {
        let config = TerminalConfig::default();
        for combination in &config.combinations {
            let ttq = Ttq(combination.ttq.map_or([0; 4], |ttq| ttq.0));
            let is_full = combination.path == ContactlessPath::Full;
            assert_eq!(ttq.has(Ttq::FULL_PATH), is_full, "{:?}", combination.aids);
            assert!(Kernel::of_combination(combination.kernel, combination.path).is_some());
        }
        assert_eq!(config.aids().next().unwrap().to_string(), "A000000333010106");
    }

    #[test]
    fn a_name_narrows_what_is_accepted() {
        let aid = |text: &str| Aid::try_from(text.to_owned()).unwrap();
        let left = |name: &str| {
            let mut config = TerminalConfig::default();
            (config.accept_only(&aid(name)), config.aids().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(left("A000000333010102"), (true, vec!["A000000333010102".to_owned()]));
        assert_eq!(left("A00000033301010201"), (true, vec!["A00000033301010201".to_owned()]));
        let all = TerminalConfig::default().aids().map(ToString::to_string).collect::<Vec<_>>();
        let own: Vec<_> = all.iter().filter(|name| name.starts_with("A000000333")).cloned().collect();
        assert!(own.len() < all.len());
        assert_eq!(left("A000000333"), (true, own));
        assert!(!left("A000000999").0);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = DEFAULT.replace("CW000001", "CW1");
        assert!(matches!(TerminalConfig::parse(&wrong), Err(ConfigError::Length { field: "terminal", .. })));
        let unknown = format!("colour = \"red\"\n{DEFAULT}");
        assert!(TerminalConfig::parse(&unknown).unwrap_err().to_string().contains("colour"));
    }
}
