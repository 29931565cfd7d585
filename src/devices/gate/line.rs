//! A line's rules as data: fare, intervals, upload, debt recovery, and what the reader tells a
//! card. What a card is worth may not enter.

use super::aggregation::Aggregation;
use super::error::LineError;
use super::line_kind::LineKind;
use super::purse_rules::PurseRules;
use crate::roles::terminal::{AnyBytes, Bytes, TerminalConfig};
use crate::words::dictionary::tag;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso14443::BitRate;
use serde::Deserialize;
use std::time::Duration;

/// The shipped line file.
const DEFAULT: &str = include_str!("line.toml");

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Where it stands.
    #[serde(default)]
    pub kind: LineKind,
    /// The station.
    pub station: Bytes<2>,
    /// F41, tag 9F1C: 8 characters.
    pub terminal: String,
    /// F42, tag 9F16: 15 characters.
    pub merchant: String,
    /// Tag 9F4E.
    pub merchant_name: String,
    /// What rides cost.
    pub currency: Currency,
    /// What a ride costs, minor units.
    pub fare_minor: u64,
    /// What a card is charged in a day at most, minor units.
    pub daily_cap_minor: Option<u64>,
    /// The hour, UTC, at which a day begins: 0 to 23.
    #[serde(default)]
    pub day_begins_hour: u8,
    /// The longest that a tap may take.
    pub budget_ms: u64,
    /// Within so many seconds the same card is not charged again.
    pub same_card_seconds: u64,
    /// How rides of a bank card are charged together; each by itself where there is no such section.
    pub aggregation: Option<Aggregation>,
    /// How often a card may ride.
    #[serde(default)]
    pub velocity: Vec<Velocity>,
    /// Cards of which no ride has been paid yet.
    pub first_ride: FirstRide,
    /// What the reader tells a card.
    pub reader: Reader,
    /// Purses, which are met before bank cards; none where there is no such section.
    pub purse: Option<PurseRules>,
    /// How requests are uploaded.
    pub upload: Upload,
    /// How debts are recovered.
    pub debt: Debt,
    /// What a tap costs on the air.
    pub air: AirRules,
}

/// At most so many rides within so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Velocity {
    /// The window.
    pub seconds: u64,
    /// Rides in it.
    pub most: usize,
}

/// What a card may owe before its issuer has answered for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstRide {
    /// Minor units, this ride counted.
    pub most_unanswered_minor: u64,
}

/// What the reader tells a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// Tag 9F35.
    pub terminal_type: Bytes<1>,
    /// Tag 9F33.
    pub capabilities: Bytes<3>,
    /// Tag 9F66.
    pub ttq: Bytes<4>,
    /// Terminal action code - denial.
    pub denial: Bytes<5>,
}

/// How requests are uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// Requests in a batch, at least 1.
    pub batch: u32,
    /// Pauses after a host did not answer; the last one is used again.
    pub pauses_seconds: Vec<u64>,
}

/// How debts are recovered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debt {
    /// Response codes (F39) after which the issuer may be asked again.
    pub codes: Vec<String>,
    /// Pauses before each further attempt.
    pub pauses_hours: Vec<u64>,
}

/// What a tap costs on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AirRules {
    /// Bit rate: 106, 212, 424 or 848 kbit/s.
    pub kbit: u16,
    /// What a card works on a command. An assumption.
    pub card_command_ms: u64,
    /// What it works on a signature beside that. An assumption.
    pub card_signature_ms: u64,
    /// What a security module takes for a command, its line counted in. An assumption.
    #[serde(default)]
    pub sam_command_ms: u64,
}

impl Line {
    /// Reads a line file.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let line: Self = toml::from_str(text).map_err(|error| LineError::Toml(error.to_string()))?;
        let wrong = |field, expected, found: String| Err(LineError::Value { field, expected, found });
        for (field, value, length) in [("terminal", &line.terminal, 8), ("merchant", &line.merchant, 15)] {
            if value.len() != length || !value.is_ascii() {
                let expected = if length == 8 { "8 characters" } else { "15 characters" };
                return wrong(field, expected, format!("{value:?}"));
            }
        }
        if line.fare_minor == 0 || line.fare_minor > Amount::MAX_MINOR {
            return wrong("fare_minor", "1 to 999999999999", line.fare_minor.to_string());
        }
        if line.day_begins_hour > 23 {
            return wrong("day_begins_hour", "0 to 23", line.day_begins_hour.to_string());
        }
        if line.upload.batch == 0 {
            return wrong("upload.batch", "1 or more", "0".into());
        }
        if line.upload.pauses_seconds.is_empty() {
            return wrong("upload.pauses_seconds", "one pause at least", "none".into());
        }
        if let Some(aggregation) = &line.aggregation {
            aggregation.check(line.fare_minor)?;
        }
        if let Some(purse) = &line.purse {
            purse.check()?;
        }
        if BitRate::of_kbit(line.air.kbit).is_none() {
            return wrong("air.kbit", "106, 212, 424 or 848", line.air.kbit.to_string());
        }
        Ok(line)
    }

    /// What a bank card signs: what a ride costs, or what is held for several.
    pub fn signed(&self) -> Amount {
        let minor = self.aggregation.map_or(self.fare_minor, |aggregation| aggregation.nominal_minor);
        Amount::new(minor, self.currency)
    }

    /// The terminal behind the gate: `config` with what this line says of its reader. Whoever
    /// passes is authenticated and asks its issuer, whatever the amount.
    pub fn terminal(&self, mut config: TerminalConfig) -> TerminalConfig {
        config.terminal.clone_from(&self.terminal);
        config.merchant.clone_from(&self.merchant);
        config.merchant_name.clone_from(&self.merchant_name);
        config.currency = self.currency;
        config.terminal_type = self.reader.terminal_type;
        config.capabilities = self.reader.capabilities;
        config.action_codes.denial = self.reader.denial;
        for application in &mut config.applications {
            if let Some(codes) = &mut application.action_codes {
                codes.denial = self.reader.denial;
            }
        }
        for combination in &mut config.combinations {
            combination.ttq = combination.ttq.map(|_| self.reader.ttq);
            combination.floor_limit_minor = Some(0);
            combination.cvm_limit_minor = None;
            if combination.data.contains_key(&tag::CONTACTLESS_FLOOR_LIMIT) {
                combination.data.insert(tag::CONTACTLESS_FLOOR_LIMIT, AnyBytes(NOTHING.to_vec()));
            }
        }
        config
    }

    /// How long to wait after the nth attempt (from 0) that a host did not answer.
    pub(super) fn upload_pause(&self, attempt: usize) -> Duration {
        let pauses = &self.upload.pauses_seconds;
        Duration::from_secs(pauses.get(attempt).or(pauses.last()).copied().unwrap_or(0))
    }

    /// How long to wait before the nth step (from 0) of debt recovery; none where the ladder
    /// has no such step.
    pub(super) fn debt_pause(&self, step: usize) -> Option<Duration> {
        self.debt.pauses_hours.get(step).map(|hours| Duration::from_secs(hours.saturating_mul(3600)))
    }
}

/// An amount of 0 as the data objects of kernel 2 have it.
const NOTHING: [u8; 6] = [0; 6];

impl Default for Line {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the file is part of the program and read by a test")]
        Self::parse(DEFAULT).expect("the shipped line file is sound")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_line_is_sound() {
        let line = Line::default();
        let config = line.terminal(TerminalConfig::default());
        assert_eq!(config.terminal, line.terminal);
        assert_eq!(line.upload_pause(99), Duration::from_secs(3600));
        assert_eq!(line.debt_pause(4), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (old, new, says) in [
            ("GATE0001", "GATE1", "expected 8 characters for terminal"),
            ("fare_minor = 200", "fare_minor = 0", "fare_minor"),
            ("day_begins_hour = 20", "day_begins_hour = 24", "expected 0 to 23"),
            ("kbit = 106", "kbit = 9600", "106, 212, 424 or 848"),
            ("travel_sfi = 30", "travel_sfi = 31", "purse.travel_sfi"),
            ("batch = 100", "batch = 0", "upload.batch"),
            ("budget_ms", "budget", "budget"),
        ] {
            let error = Line::parse(&DEFAULT.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
