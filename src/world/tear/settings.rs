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
    /// Of all cases, each so many is played; 1 is every one. Faults come with all that may follow
    /// them, so a sample of each 5th or 7th has every kind of fault.
    pub every: usize,
    /// Seed of the world.
    pub seed: u64,
    /// How many cases are played at once.
    pub jobs: usize,
    /// Ends at the first violation: enough where one is expected. It is looked for everywhere
    /// before it is looked for closely.
    pub until_violation: bool,
}

impl Default for TearSettings {
    fn default() -> Self {
        Self {
            kinds: TearKind::ALL.to_vec(),
            without: None,
            bytes: None,
            every: 1,
            seed: 1,
            jobs: 1,
            until_violation: false,
        }
    }
}
