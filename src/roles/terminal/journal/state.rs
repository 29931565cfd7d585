//! The states of a row and the ways between them.

use std::fmt;

/// How far a row has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The transaction has begun; a request may have left the terminal.
    Started,
    /// The host approved; the card has not been told to change.
    Authorised,
    /// The card was told to change and its answer is not known.
    InDoubt,
    /// The card has changed; the host has not taken note yet.
    CardUpdated,
    /// Card and host agree. Final.
    Confirmed,
    /// The host may have booked and the card has not changed: to be undone.
    ReversalDue,
    /// Nothing moved, and the card wants its issuer told.
    AdviceDue,
    /// Undone. Final.
    Reversed,
    /// Nothing moved: declined, or given up before anything could. Final.
    Declined,
}

impl State {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Started,
        Self::Authorised,
        Self::InDoubt,
        Self::CardUpdated,
        Self::Confirmed,
        Self::ReversalDue,
        Self::AdviceDue,
        Self::Reversed,
        Self::Declined,
    ];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Authorised => "authorised",
            Self::InDoubt => "in doubt",
            Self::CardUpdated => "card updated",
            Self::Confirmed => "confirmed",
            Self::ReversalDue => "reversal due",
            Self::AdviceDue => "advice due",
            Self::Reversed => "reversed",
            Self::Declined => "declined",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.word() == word)
    }

    /// Whether nothing is left to do.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Reversed | Self::Declined)
    }

    /// Whether a row may go from here to `next`.
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }
}

/// The ways between states; every other way is refused.
pub const TRANSITIONS: &[(State, State)] = &[
    (State::Started, State::Authorised),
    // No usable answer came, or the row was found after a crash: the host may have booked.
    (State::Started, State::ReversalDue),
    (State::Started, State::Declined),
    // The card declined, and asked for an advice to its issuer.
    (State::Started, State::AdviceDue),
    (State::AdviceDue, State::Declined),
    // A refund: the host takes note, and nobody else is asked.
    (State::Started, State::Confirmed),
    // An offline payment: the card is asked for its certificate and nobody else.
    (State::Started, State::InDoubt),
    (State::Started, State::CardUpdated),
    (State::Authorised, State::CardUpdated),
    (State::Authorised, State::InDoubt),
    // The script was never sent, or the card refused before it.
    (State::Authorised, State::ReversalDue),
    // An online purchase that card and host approved has no script to wait for.
    (State::Authorised, State::Confirmed),
    (State::InDoubt, State::CardUpdated),
    (State::InDoubt, State::ReversalDue),
    // An offline payment that is proven not to have happened.
    (State::InDoubt, State::Declined),
    // The host has settled it by the card's next cryptogram.
    (State::InDoubt, State::Confirmed),
    (State::InDoubt, State::Reversed),
    (State::CardUpdated, State::Confirmed),
    // A claimed payment that the card's next proven balance shows not to have happened.
    (State::CardUpdated, State::Declined),
    (State::ReversalDue, State::Reversed),
    // The host has proof that the card holds the money.
    (State::ReversalDue, State::Confirmed),
];

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_the_final_ones_are_left_by_none() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(*state));
            let left = TRANSITIONS.iter().any(|(from, _)| from == state);
            assert_eq!(left, !state.is_final(), "{state}");
            assert!(*state == State::Started || TRANSITIONS.iter().any(|(_, to)| to == state), "{state}");
        }
    }

    #[test]
    fn what_is_in_doubt_is_never_simply_forgotten() {
        assert!(!State::Confirmed.may_become(State::ReversalDue));
        assert!(!State::CardUpdated.may_become(State::ReversalDue));
        assert!(!State::Authorised.may_become(State::Declined));
    }
}
