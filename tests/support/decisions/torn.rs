//! A transaction that was torn before the one that a row is of.

use serde::Deserialize;
use std::sync::{Arc, Mutex};

/// A transaction whose card acted, and whose answer never came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TornRow {
    /// How the command begins whose answer was lost.
    pub(super) lost: String,
    /// Whether the command itself was lost, and the card never acted.
    #[serde(default)]
    pub(super) unheard: bool,
    #[serde(default = "super::ten")]
    pub(super) amount: u64,
    /// Until the card is tapped again.
    #[serde(default)]
    pub(super) seconds: u64,
    /// Payments at this terminal by another card of the same kind meanwhile.
    #[serde(default)]
    pub(super) others: usize,
    /// Payments by the same card at another terminal meanwhile.
    #[serde(default)]
    pub(super) elsewhere: usize,
}

/// What is lost on the line, while it is; and whether the card hears it.
pub(super) type Tear = Arc<Mutex<Option<(Vec<u8>, bool)>>>;
