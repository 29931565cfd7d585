//! The life of a provisioning, a token and a binding: three tables, one row for each
//! event, one column for each state. Nothing else decides what may follow.

use crate::air::host::{ProvisioningState, TokenState};
use Step::{No, Stays, To};

/// What an event does to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<S> {
    /// It becomes another.
    To(S),
    /// It is so already, or it does not matter: the event acts once.
    Stays,
    /// It does not follow; why, and what would help.
    No(&'static str),
}

/// What happens to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenEvent {
    /// The device has its data, and the wallet wants to pay.
    Activate,
    /// The holder suspends it.
    Suspend,
    /// The holder resumes it.
    Resume,
    /// The issuer suspends it, or its device is lost.
    Hold,
    /// The issuer resumes it.
    Release,
    /// Holder or issuer removes it.
    Remove,
    /// A newer token of the card on this device took its place, or its binding ended.
    Supersede,
    /// The physical card is cancelled.
    CancelCard,
    /// The physical card is replaced: the token moves to the new one.
    MoveCard,
    /// It gets a later expiry.
    Renew,
    /// Its provisioning is rolled back.
    Abandon,
}

/// The columns of [`TOKEN_TABLE`].
pub const TOKEN_STATES: [TokenState; 5] = [
    TokenState::Requested,
    TokenState::Active,
    TokenState::Suspended,
    TokenState::Held,
    TokenState::Terminated,
];

const ACTIVE: Step<TokenState> = To(TokenState::Active);
const SUSPENDED: Step<TokenState> = To(TokenState::Suspended);
const HELD: Step<TokenState> = To(TokenState::Held);
const TERMINATED: Step<TokenState> = To(TokenState::Terminated);
const GONE: Step<TokenState> = No("the token is terminated: add the card again");
const NOT_YET: Step<TokenState> = No("the token is not activated yet");
const HOLDERS: Step<TokenState> = No("the token is suspended: its holder resumes it");
const ISSUERS: Step<TokenState> = No("the token is held: its issuer resumes it");
const PAID: Step<TokenState> = No("the token has been activated: remove it");

/// Every event in every state of a token.
#[rustfmt::skip]
pub const TOKEN_TABLE: &[(TokenEvent, [Step<TokenState>; 5])] = &[
    //                        Requested   Active      Suspended   Held        Terminated
    (TokenEvent::Activate,   [ACTIVE,     Stays,      HOLDERS,    ISSUERS,    GONE]),
    (TokenEvent::Suspend,    [NOT_YET,    SUSPENDED,  Stays,      Stays,      GONE]),
    (TokenEvent::Resume,     [NOT_YET,    Stays,      ACTIVE,     ISSUERS,    GONE]),
    (TokenEvent::Hold,       [TERMINATED, HELD,       HELD,       Stays,      Stays]),
    (TokenEvent::Release,    [NOT_YET,    Stays,      HOLDERS,    ACTIVE,     GONE]),
    (TokenEvent::Remove,     [TERMINATED, TERMINATED, TERMINATED, TERMINATED, Stays]),
    (TokenEvent::Supersede,  [TERMINATED, TERMINATED, TERMINATED, TERMINATED, Stays]),
    (TokenEvent::CancelCard, [TERMINATED, TERMINATED, TERMINATED, TERMINATED, Stays]),
    (TokenEvent::MoveCard,   [Stays,      Stays,      Stays,      Stays,      Stays]),
    (TokenEvent::Renew,      [NOT_YET,    Stays,      HOLDERS,    ISSUERS,    GONE]),
    (TokenEvent::Abandon,    [TERMINATED, PAID,       PAID,       PAID,       Stays]),
];

/// How a binding of a card to a holder's phone at one requestor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BindingState {
    /// Asked for; an older one keeps working.
    Pending,
    /// The holder is identified; no token of it is active yet, and an older one keeps
    /// working.
    Confirmed,
    /// Beside an older one, on the word of the four elements alone: it takes effect
    /// with its first payment.
    OnTrial,
    /// In effect: the only one of the card at this requestor.
    Bound,
    /// It was in effect, and ended.
    Released,
    /// It never took effect.
    Failed,
}

/// What happens to a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingEvent {
    /// The one-time code is confirmed, or no other binding is there and the four
    /// elements are enough.
    Identify,
    /// A token of it is activated.
    Activate,
    /// A token of it has paid.
    Pay,
    /// Another binding of the card took effect at this requestor.
    Supersede,
    /// Its last token is removed, or the card is cancelled.
    Unbind,
    /// The attempt ended: refused, no code, rolled back.
    Fail,
}

/// The columns of [`BINDING_TABLE`].
pub const BINDING_STATES: [BindingState; 6] = [
    BindingState::Pending,
    BindingState::Confirmed,
    BindingState::OnTrial,
    BindingState::Bound,
    BindingState::Released,
    BindingState::Failed,
];

const CONFIRMED: Step<BindingState> = To(BindingState::Confirmed);
const ON_TRIAL: Step<BindingState> = To(BindingState::OnTrial);
const BOUND: Step<BindingState> = To(BindingState::Bound);
const RELEASED: Step<BindingState> = To(BindingState::Released);
const FAILED: Step<BindingState> = To(BindingState::Failed);
const OVER: Step<BindingState> = No("the binding has ended: add the card again");
const NO_TOKEN: Step<BindingState> = No("the binding has no active token yet");

/// Every event in every state of a binding.
#[rustfmt::skip]
pub const BINDING_TABLE: &[(BindingEvent, [Step<BindingState>; 6])] = &[
    //                         Pending    Confirmed  OnTrial   Bound     Released  Failed
    (BindingEvent::Identify,  [CONFIRMED, Stays,     BOUND,    Stays,    OVER,     OVER]),
    (BindingEvent::Activate,  [ON_TRIAL,  BOUND,     Stays,    Stays,    OVER,     OVER]),
    (BindingEvent::Pay,       [NO_TOKEN,  NO_TOKEN,  BOUND,    Stays,    OVER,     OVER]),
    (BindingEvent::Supersede, [Stays,     Stays,     RELEASED, RELEASED, Stays,    Stays]),
    (BindingEvent::Unbind,    [FAILED,    FAILED,    RELEASED, RELEASED, Stays,    Stays]),
    (BindingEvent::Fail,      [FAILED,    FAILED,    Stays,    Stays,    Stays,    Stays]),
];

/// What happens to a provisioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProvisioningEvent {
    /// The holder accepts the terms.
    Accept,
    /// The rules say green.
    DecideGreen,
    /// The rules say yellow.
    DecideYellow,
    /// The rules say red.
    DecideRed,
    /// A code is wanted, for the first time or again.
    SendCode,
    /// The code is confirmed.
    ConfirmCode,
    /// No try of the code is left.
    ExhaustCode,
    /// The token is wanted.
    MakeToken,
    /// The device has stored everything.
    Personalise,
    /// The token is to pay.
    Activate,
    /// It is rolled back.
    Abandon,
}

/// The columns of [`PROVISIONING_TABLE`].
pub const PROVISIONING_STATES: [ProvisioningState; 9] = [
    ProvisioningState::Eligible,
    ProvisioningState::Accepted,
    ProvisioningState::Identifying,
    ProvisioningState::Approved,
    ProvisioningState::TokenMade,
    ProvisioningState::Personalised,
    ProvisioningState::Activated,
    ProvisioningState::Refused,
    ProvisioningState::Abandoned,
];

const ACCEPTED: Step<ProvisioningState> = To(ProvisioningState::Accepted);
const IDENTIFYING: Step<ProvisioningState> = To(ProvisioningState::Identifying);
const APPROVED: Step<ProvisioningState> = To(ProvisioningState::Approved);
const MADE: Step<ProvisioningState> = To(ProvisioningState::TokenMade);
const STORED: Step<ProvisioningState> = To(ProvisioningState::Personalised);
const DONE: Step<ProvisioningState> = To(ProvisioningState::Activated);
const REFUSED: Step<ProvisioningState> = To(ProvisioningState::Refused);
const ABANDONED: Step<ProvisioningState> = To(ProvisioningState::Abandoned);
const TERMS: Step<ProvisioningState> = No("the terms are not accepted: accept them first");
const DECIDE: Step<ProvisioningState> = No("nothing is decided yet: accept the terms again");
const CODE: Step<ProvisioningState> = No("a code must be confirmed first");
const NO_CODE: Step<ProvisioningState> = No("no code is wanted");
const NO_CARD: Step<ProvisioningState> = No("the token is not made: make it first");
const NO_DATA: Step<ProvisioningState> = No("the device has not stored the card: say when it has");
const ACTIVE_NOW: Step<ProvisioningState> = No("the token is active: renew or remove it");
const WAS_REFUSED: Step<ProvisioningState> = No("it was refused: begin anew");
const WAS_ABANDONED: Step<ProvisioningState> = No("it was rolled back: begin anew");

/// Every event in every state of a provisioning.
#[rustfmt::skip]
pub const PROVISIONING_TABLE: &[(ProvisioningEvent, [Step<ProvisioningState>; 9])] = &[
    //                                 Eligible   Accepted     Identifying Approved   TokenMade  Personalised Activated   Refused      Abandoned
    (ProvisioningEvent::Accept,       [ACCEPTED,  Stays,       Stays,      Stays,     Stays,     Stays,       Stays,      Stays,       WAS_ABANDONED]),
    (ProvisioningEvent::DecideGreen,  [TERMS,     APPROVED,    Stays,      Stays,     Stays,     Stays,       Stays,      Stays,       WAS_ABANDONED]),
    (ProvisioningEvent::DecideYellow, [TERMS,     IDENTIFYING, Stays,      Stays,     Stays,     Stays,       Stays,      Stays,       WAS_ABANDONED]),
    (ProvisioningEvent::DecideRed,    [TERMS,     REFUSED,     Stays,      Stays,     Stays,     Stays,       Stays,      Stays,       WAS_ABANDONED]),
    (ProvisioningEvent::SendCode,     [TERMS,     DECIDE,      Stays,      NO_CODE,   NO_CODE,   NO_CODE,     NO_CODE,    WAS_REFUSED, WAS_ABANDONED]),
    (ProvisioningEvent::ConfirmCode,  [TERMS,     DECIDE,      APPROVED,   Stays,     Stays,     Stays,       Stays,      WAS_REFUSED, WAS_ABANDONED]),
    (ProvisioningEvent::ExhaustCode,  [TERMS,     DECIDE,      REFUSED,    NO_CODE,   NO_CODE,   NO_CODE,     NO_CODE,    Stays,       Stays]),
    (ProvisioningEvent::MakeToken,    [TERMS,     DECIDE,      CODE,       MADE,      Stays,     Stays,       ACTIVE_NOW, WAS_REFUSED, WAS_ABANDONED]),
    (ProvisioningEvent::Personalise,  [TERMS,     DECIDE,      CODE,       NO_CARD,   STORED,    Stays,       Stays,      WAS_REFUSED, WAS_ABANDONED]),
    (ProvisioningEvent::Activate,     [TERMS,     DECIDE,      CODE,       NO_CARD,   NO_DATA,   DONE,        Stays,      WAS_REFUSED, WAS_ABANDONED]),
    (ProvisioningEvent::Abandon,      [ABANDONED, ABANDONED,   ABANDONED,  ABANDONED, ABANDONED, ABANDONED,   ACTIVE_NOW, Stays,       Stays]),
];

/// Looks an event up. What no table holds does not follow; the tests walk all of it.
pub fn step<E: Copy + PartialEq, S: Copy + PartialEq, const N: usize>(
    table: &[(E, [Step<S>; N])],
    states: &[S; N],
    event: E,
    state: S,
) -> Step<S> {
    let row = table.iter().find(|row| row.0 == event);
    let column = states.iter().position(|known| *known == state);
    match (row, column) {
        (Some((_, steps)), Some(column)) => steps[column],
        _ => No("the table has no such row"),
    }
}

/// The word of a state in a column, and back.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Each state and its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of a state.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The state of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|row| row.1 == word).map(|row| row.0)
    }
}

impl Word for TokenState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Requested, Self::Requested.word()),
        (Self::Active, Self::Active.word()),
        (Self::Suspended, Self::Suspended.word()),
        (Self::Held, Self::Held.word()),
        (Self::Terminated, Self::Terminated.word()),
    ];
}

impl Word for BindingState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Pending, "pending"),
        (Self::Confirmed, "confirmed"),
        (Self::OnTrial, "on trial"),
        (Self::Bound, "bound"),
        (Self::Released, "released"),
        (Self::Failed, "failed"),
    ];
}

impl Word for ProvisioningState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Eligible, "eligible"),
        (Self::Accepted, "accepted"),
        (Self::Identifying, "identifying"),
        (Self::Approved, "approved"),
        (Self::TokenMade, "token made"),
        (Self::Personalised, "personalised"),
        (Self::Activated, "activated"),
        (Self::Refused, "refused"),
        (Self::Abandoned, "abandoned"),
    ];
}
