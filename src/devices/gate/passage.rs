//! What a tap came to: whether the gate opens, why, and how long it took.

use super::air_time::AirTime;
use crate::words::emv::Pan;
use std::time::Duration;

/// Why a gate opened, or stayed shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The card is authentic, nothing speaks against it, and its ride is kept.
    Authentic,
    /// The card left the field.
    Gone,
    /// The card could not be read, or nothing on it is for this gate.
    Unreadable,
    /// The card is not authentic, is expired, or does not ask its issuer.
    Refused,
    /// The purse is not valid today.
    Expired,
    /// The card is on the deny list.
    Denied,
    /// The card owes a ride.
    Owes,
    /// The same card passed just before.
    SameCard,
    /// The card has passed too often.
    Velocity,
    /// The purse holds less than the fare.
    NoMoney,
    /// What became of an earlier ride of the purse is not proven.
    Unproven,
    /// No ride of the card has been paid yet, and it has had enough of them.
    FirstRides,
}

impl Why {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Authentic,
        Self::Gone,
        Self::Unreadable,
        Self::Refused,
        Self::Expired,
        Self::Denied,
        Self::Owes,
        Self::SameCard,
        Self::Velocity,
        Self::NoMoney,
        Self::Unproven,
        Self::FirstRides,
    ];

    /// Its words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::Gone => "card gone",
            Self::Unreadable => "unreadable",
            Self::Expired => "not valid today",
            Self::Refused => "not authentic or expired",
            Self::Denied => "on the deny list",
            Self::Owes => "owes a ride",
            Self::SameCard => "same card again",
            Self::Velocity => "too many rides",
            Self::NoMoney => "not enough money",
            Self::Unproven => "an earlier ride is not proven",
            Self::FirstRides => "unpaid first rides",
        }
    }
}

/// How long a tap took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// The gate's own work until it has decided, measured; without the store.
    pub decision: Duration,
    /// Keeping the tap, measured.
    pub store: Duration,
    /// The air and the card, counted.
    pub air: AirTime,
}

impl Timing {
    /// From the field's start to the open gate: what was counted and what was measured.
    pub fn total(&self) -> Duration {
        let counted = Duration::from_micros(self.air.air.micros()) + self.air.card + self.air.module;
        counted + self.decision + self.store
    }

    /// Whether it took longer than so many milliseconds.
    pub fn is_over(&self, budget_ms: u64) -> bool {
        self.total().as_millis() > u128::from(budget_ms)
    }
}

/// What a tap came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Why.
    pub why: Why,
    /// The rule that led there, in words.
    pub reason: String,
    /// Batch and trace number of the tap; of one that opened the gate it is kept.
    pub trace: (u32, u32),
    /// The card, where it could be read; printed, it is masked.
    pub pan: Option<Pan>,
    /// How long it took.
    pub timing: Timing,
}

impl Passage {
    /// Whether the gate opens.
    pub fn is_open(&self) -> bool {
        self.why == Why::Authentic
    }
}
