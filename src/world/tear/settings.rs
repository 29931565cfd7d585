//! What is played, and under which rules.

use super::kind::TearKind;
use crate::world::rule::Rule;

/// What is played, and under which rules.
#[derive(Debug, Clone)]
pub struct TearSettings {
    /// Which transactions.
    pub kinds: Vec<TearKind>,
    /// The rule of recovery that is switched off, to see what it is for.
    pub without: Option<Rule>,
    /// Cuts the wire at bytes, each so many, instead of pulling the card between
    /// messages; 1 is every byte.
    pub bytes: Option<usize>,
    /// Seed of the world.
    pub seed: u64,
    /// How many cases are played at once.
    pub jobs: usize,
    /// Ends at the first violation: enough where one is expected.
    pub until_violation: bool,
}

impl Default for TearSettings {
    fn default() -> Self {
        Self {
            kinds: TearKind::ALL.to_vec(),
            without: None,
            bytes: None,
            seed: 1,
            jobs: 1,
            until_violation: false,
        }
    }
}
