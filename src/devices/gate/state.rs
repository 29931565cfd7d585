//! How a tap that opened the gate stands, and every way between the states.

use std::fmt;

/// How a tap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TapState {
    /// Its issuer is still to be asked.
    Waiting,
    /// The day's cap was reached before it: the ride costs nothing, and nobody is asked.
    Free,
    /// The issuer holds the money for it and those that are charged with it.
    Held,
    /// The issuer approved: the ride is paid.
    Approved,
    /// The issuer declined and may be asked again: the rider owes the ride.
    Owed,
    /// Paid after the issuer had declined.
    Recovered,
    /// A purse was told to pay, and what it did is not known: its next tap proves it.
    InDoubt,
    /// What proves that a purse has paid is lost: its issuer waits for the purse's next proven
    /// balance.
    Claimed,
    /// It is proven that the purse has not paid: there was no ride.
    Void,
    /// The security module says that what the purse gave is not the purse's: the gate stayed
    /// shut, and the issuer is to judge.
    Doubtful,
    /// Nobody is going to pay: declined for good, or asked as often as the ladder has steps.
    Lost,
}

/// Every way.
const WAYS: &[(TapState, TapState)] = &[
    (TapState::Waiting, TapState::Held),
    (TapState::Held, TapState::Approved),
    (TapState::Held, TapState::Owed),
    (TapState::Held, TapState::Lost),
    (TapState::Waiting, TapState::Approved),
    (TapState::Waiting, TapState::Owed),
    (TapState::Waiting, TapState::Lost),
    (TapState::Owed, TapState::Recovered),
    (TapState::Owed, TapState::Owed),
    (TapState::Owed, TapState::Lost),
    (TapState::InDoubt, TapState::Waiting),
    (TapState::InDoubt, TapState::Free),
    (TapState::InDoubt, TapState::Doubtful),
    (TapState::InDoubt, TapState::Void),
    (TapState::InDoubt, TapState::Claimed),
    (TapState::Claimed, TapState::Claimed),
    (TapState::Claimed, TapState::Approved),
    (TapState::Claimed, TapState::Void),
    (TapState::Doubtful, TapState::Approved),
    (TapState::Doubtful, TapState::Lost),
];

impl TapState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Waiting,
        Self::Free,
        Self::Held,
        Self::Approved,
        Self::Owed,
        Self::Recovered,
        Self::InDoubt,
        Self::Claimed,
        Self::Void,
        Self::Doubtful,
        Self::Lost,
    ];

    /// Whether there is a way.
    pub fn may_become(self, next: Self) -> bool {
        WAYS.contains(&(self, next))
    }

    /// Whether its card is not let through any more.
    pub const fn bars(self) -> bool {
        matches!(self, Self::Owed | Self::Lost | Self::Doubtful)
    }

    /// Whether it is a ride: what is in doubt may not be one.
    pub const fn is_ride(self) -> bool {
        !matches!(self, Self::InDoubt | Self::Claimed | Self::Void)
    }

    /// Whether its issuer is to be asked or told.
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Waiting | Self::Held | Self::Owed | Self::Claimed | Self::Doubtful)
    }

    /// Its word, in the store and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Free => "free",
            Self::Held => "held",
            Self::Approved => "approved",
            Self::Owed => "owed",
            Self::Recovered => "recovered",
            Self::InDoubt => "in doubt",
            Self::Claimed => "claimed",
            Self::Void => "not debited",
            Self::Doubtful => "doubtful",
            Self::Lost => "lost",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.word() == word)
    }
}

impl fmt::Display for TapState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
