//! Whether a card may go into a device: rules in a file, each with a name. Any red one
//! that applies refuses, else any yellow one wants a code, else it is green.

use crate::air::host::{Colour, Decision};
use serde::Deserialize;

/// What is known of an attempt. A signal that is absent is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The issuer has no such card, or it is blocked, cancelled or expired.
    CardNotGood,
    /// The four elements are not those of one holder.
    ElementsDiffer,
    /// The card is bound to another identity.
    OtherIdentity,
    /// The card is bound to another phone at this requestor.
    OtherPhone,
    /// The card is bound to nobody at this requestor.
    UnboundCard,
    /// How far the requestor trusts the device, 1 to 5.
    DeviceScore,
    /// Attempts for this card that failed within 24 hours.
    #[serde(rename = "failures_in_24_hours")]
    FailuresIn24Hours,
    /// Tokens of the card that are not terminated.
    LiveTokens,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRule {
    /// Its name, which a refusal tells.
    pub name: String,
    /// The signal that it looks at.
    pub when: Signal,
    /// It applies from this number on.
    #[serde(default)]
    pub at_least: Option<u32>,
    /// It applies up to this number.
    #[serde(default)]
    pub at_most: Option<u32>,
    /// What it makes of the attempt.
    #[serde(deserialize_with = "colour")]
    pub colour: Colour,
    /// Why, for people.
    pub reason: String,
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRules {
    #[serde(rename = "rule", default)]
    rules: Vec<DecisionRule>,
}

/// Why a text holds no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("decision rules: {cause}")]
pub struct RulesError {
    /// What the reader of TOML said.
    pub cause: String,
}

impl DecisionRules {
    /// The rules that are built in, for a user to copy.
    pub const TEXT: &'static str = include_str!("decision.toml");

    /// Reads rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        toml::from_str(text).map_err(|error| RulesError { cause: error.to_string() })
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> &[DecisionRule] {
        &self.rules
    }

    /// Decides. A signal without a number has the number 1.
    pub fn decide(&self, signals: &[(Signal, u32)]) -> Decision {
        let mut applying: Vec<_> = self.rules.iter().filter(|rule| rule.applies(signals)).collect();
        applying.sort_by_key(|rule| std::cmp::Reverse(rule.colour));
        Decision {
            colour: applying.first().map_or(Colour::Green, |rule| rule.colour),
            reasons: applying.iter().map(|rule| rule.name.clone()).collect(),
        }
    }
}

impl DecisionRule {
    fn applies(&self, signals: &[(Signal, u32)]) -> bool {
        signals.iter().any(|(signal, number)| {
            *signal == self.when
                && self.at_least.is_none_or(|least| *number >= least)
                && self.at_most.is_none_or(|most| *number <= most)
        })
    }
}

impl Default for DecisionRules {
    /// The rules that are built in.
    fn default() -> Self {
        // A test reads them; a text that did not read would refuse nobody, so it refuses all.
        Self::parse(Self::TEXT).unwrap_or_else(|error| Self {
            rules: vec![DecisionRule {
                name: "no-rules".into(),
                when: Signal::DeviceScore,
                at_least: None,
                at_most: None,
                colour: Colour::Red,
                reason: error.to_string(),
            }],
        })
    }
}

fn colour<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Colour, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Named {
        Green,
        Yellow,
        Red,
    }
    Ok(match Named::deserialize(deserializer)? {
        Named::Green => Colour::Green,
        Named::Yellow => Colour::Yellow,
        Named::Red => Colour::Red,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red_beats_yellow_beats_green() {
        let rules = DecisionRules::parse(DecisionRules::TEXT).unwrap();
        assert_eq!(rules.rules().len(), 8);
        let decide = |signals: &[(Signal, u32)]| {
            let decision = rules.decide(signals);
            (decision.colour, decision.reasons.join(" "))
        };
        assert_eq!(decide(&[(Signal::DeviceScore, 3)]), (Colour::Green, String::new()));
        assert_eq!(decide(&[(Signal::DeviceScore, 2)]), (Colour::Yellow, "doubtful-device".into()));
        let both = [(Signal::OtherPhone, 1), (Signal::ElementsDiffer, 1), (Signal::FailuresIn24Hours, 4)];
        assert_eq!(decide(&both), (Colour::Red, "elements-differ other-phone".into()));
        assert_eq!(decide(&[(Signal::FailuresIn24Hours, 5)]).0, Colour::Red);
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named() {
        let error = DecisionRules::parse("[[rule]]\nname = \"x\"\nwhen = \"moon\"").unwrap_err();
        assert!(error.to_string().contains("moon"), "{error}");
    }
}
