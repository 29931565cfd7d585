//! Why the phone did not do what it was told.

use super::CardState;
use crate::air::host::TokenError;
use crate::air::link::LinkError;
use crate::base::store::{SealedError, StoreError};
use crate::roles::card::CardError;
use crate::words::emv::PanError;
use crate::words::globalplatform::ChannelError;

/// Why the phone did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The store failed.
    #[error("wallet: {0}")]
    Store(#[from] StoreError),
    /// A sealed column does not open.
    #[error("wallet: {0}")]
    Sealed(#[from] SealedError),
    /// A card's file failed.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The token service did not do what it was asked.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The wire to the secure element failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The secure channel failed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A number that is no card's.
    #[error(transparent)]
    Pan(#[from] PanError),
    /// The secure element refused its data.
    #[error("personalisation: {step} answered {found}; the same command begins it anew")]
    Personalisation {
        /// The command.
        step: &'static str,
        /// What came.
        found: String,
    },
    /// The card is still on its way into the phone.
    #[error("the card {name:?} is not active yet: `cardwright wallet add` goes on with it")]
    NotYet {
        /// The card.
        name: String,
    },
    /// No card of this name.
    #[error("the wallet has no card {name:?}; it has {}: `cardwright wallet list` shows them", cards(known))]
    NoCard {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No card at all, or none that is the default one.
    #[error(
        "the wallet has no default card: open one with `cardwright wallet open-ecash` or add one with \
         `cardwright wallet add`"
    )]
    NoDefault,
    /// The name is taken.
    #[error("the wallet has a card {name:?} already, {state}: choose another name")]
    Taken {
        /// The name.
        name: String,
        /// How that card stands.
        state: CardState,
    },
    /// A name that cannot be a file's.
    #[error("expected a card's name of 1 to 32 letters, digits, `-` or `_`, found {name:?}")]
    Name {
        /// What came.
        name: String,
    },
    /// A way between states that there is not.
    #[error("the card {name:?} is {from}: it cannot become {to}")]
    Transition {
        /// The card.
        name: String,
        /// Its state.
        from: CardState,
        /// The state asked for.
        to: CardState,
    },
    /// The card is another kind than the verb is for.
    #[error("expected {expected}, found that {name:?} is {found}")]
    Kind {
        /// The card.
        name: String,
        /// What the verb is for.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A wrong passcode; it cost a try.
    #[error("the passcode is wrong: {left} tries left")]
    Passcode {
        /// How many are left.
        left: u8,
    },
    /// No try is left.
    #[error("the phone is disabled: its passcode was wrong too often, and it unlocks no more")]
    Disabled,
    /// A biometric match before the passcode was entered once.
    #[error(
        "expected the passcode first: biometrics count once it has been entered since the last wrong try"
    )]
    BiometricFirst,
    /// A passcode that is no passcode.
    #[error("expected a passcode of 4 to 12 digits, found {found} characters")]
    PasscodeForm {
        /// How many characters came.
        found: usize,
    },
    /// A column holds what no wallet wrote.
    #[error("wallet card {name:?}: unexpected {column}")]
    Column {
        /// The card, or the phone.
        name: String,
        /// The column.
        column: &'static str,
    },
    /// A card's file could not be removed.
    #[error("could not remove {path}: {cause}")]
    Remove {
        /// The file.
        path: String,
        /// What the system said.
        cause: String,
    },
}

fn cards(known: &[String]) -> String {
    if known.is_empty() { "none".into() } else { known.join(", ") }
}
