//! A bank card's ride as the book is to keep it, and which request asks for its money.

use super::state::TapState;
use crate::air::host::Request;
use crate::base::bytes::Secret;
use crate::base::env::Timestamp;

/// A bank card's ride.
pub(super) struct Ride {
    /// What the card has signed: the issuer may be asked for so much.
    pub(super) request: Box<Request>,
    /// The account behind the card, where the card tells it.
    pub(super) account: Option<Secret<String>>,
    pub(super) state: TapState,
    /// What the ride costs, minor units; of a free one, what it would have.
    pub(super) fare_minor: u64,
    pub(super) place: Place,
}

/// Which request asks for the money of a ride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Its own.
    Alone,
    /// Its own, for the rides that join it, too.
    Leads {
        /// What the card has signed, and what is held.
        nominal_minor: u64,
        /// When nothing joins it any more.
        ends_at: Timestamp,
        /// Whether the issuer is asked before that.
        ask_first: bool,
    },
    /// That of an earlier ride.
    Joins {
        /// Batch and trace number of that ride.
        lead: (u32, u32),
        /// Whether nothing else joins after it.
        is_last: bool,
    },
}
