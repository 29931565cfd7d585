//! What a deployment of the service may choose.

use super::{DecisionRules, Domain, LimitedUse};

/// The service's rules.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRules {
    /// Green, yellow or red.
    pub decision: DecisionRules,
    /// The name of the terms that a holder accepts.
    pub terms: String,
    /// How long a token lives, whole years.
    pub years: i64,
    /// Where a token pays.
    pub domain: Domain,
    /// How far a limited-use key reaches.
    pub limited_use: LimitedUse,
}

impl Default for TokenRules {
    /// Three years; contactless, on its own device.
    fn default() -> Self {
        Self {
            decision: DecisionRules::default(),
            terms: "cardwright-terms-1".into(),
            years: 3,
            domain: Domain::default(),
            limited_use: LimitedUse::default(),
        }
    }
}
