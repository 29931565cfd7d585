//! Why a transaction broke off. What the card said is a status word, what the
//! transaction came to is an outcome; an error is what broke.

use super::journal::JournalError;
use crate::air::host::HostError;
use crate::air::link::LinkError;
use crate::words::emv::{AflError, CvmListError, FciError, Pan, PanError, ScriptError};
use crate::words::iso4217::Amount;
use crate::words::iso7816::{CommandError, StatusWord};
use crate::words::pboc::IadError;
use crate::words::tlv::{Tag, TlvError};

/// Why a transaction broke off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerminalError {
    /// The link to the card failed.
    #[error("{0}")]
    Link(#[from] LinkError),
    /// The journal failed: nothing may be done that it does not know.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The host failed where there is no way on without it.
    #[error("{0}")]
    Host(#[from] HostError),
    /// The card refused a command or answered nonsense.
    #[error("{0}")]
    Command(#[from] CommandError),
    /// The answer to SELECT cannot be used.
    #[error("{0}")]
    Fci(#[from] FciError),
    /// The file locator cannot be used.
    #[error("{0}")]
    Afl(#[from] AflError),
    /// A record or template is no TLV.
    #[error("{place}: {source}")]
    Tlv {
        /// Where the bytes stood.
        place: String,
        /// What is wrong with them.
        source: TlvError,
    },
    /// A record does not hold what it must.
    #[error("expected template 70 in record {record} of SFI {sfi}, found {found}")]
    Record {
        /// Short file identifier.
        sfi: u8,
        /// Record number.
        record: u8,
        /// What stood there.
        found: String,
    },
    /// The same data object came twice.
    #[error("data object {tag} came twice: the card's records contradict each other (EMV Book 3 10.2)")]
    Redundant {
        /// The data object.
        tag: Tag,
    },
    /// A data object of another length than it has.
    #[error("expected {min} to {max} bytes of {tag} from the card, found {found} (EMV Book 3 7.5)")]
    Format {
        /// The data object.
        tag: Tag,
        /// Shortest.
        min: usize,
        /// Longest.
        max: usize,
        /// How many came.
        found: usize,
    },
    /// A list that asks for more than a command can carry.
    #[error("expected {name} to ask for at most {limit} bytes, found {found} (EMV Book 3 5.4)")]
    List {
        /// The list.
        name: &'static str,
        /// What a command can carry.
        limit: usize,
        /// What it asks for.
        found: usize,
    },
    /// A mandatory data object is absent.
    #[error("expected data object {tag} ({name}) from the card, found none ({clause})")]
    Missing {
        /// The data object.
        tag: Tag,
        /// Its name.
        name: &'static str,
        /// Who demands it.
        clause: &'static str,
    },
    /// The PAN cannot be used.
    #[error("{0}")]
    Pan(#[from] PanError),
    /// The CVM List cannot be used.
    #[error("{0}")]
    CvmList(#[from] CvmListError),
    /// Issuer application data cannot be used.
    #[error("{0}")]
    Iad(#[from] IadError),
    /// A script cannot be run.
    #[error("{0}")]
    Script(#[from] ScriptError),
    /// A load is to be paid by another card, and there is none.
    #[error("expected a second card that pays for the load, found none: name where it is")]
    NoPayer,
    /// The whole card is blocked.
    #[error("the card is blocked: SELECT answered {status}")]
    CardBlocked {
        /// The status word.
        status: StatusWord,
    },
    /// No application in common.
    #[error("no application that this terminal supports; it looked for {looked_for}")]
    NoApplication {
        /// What it looked for.
        looked_for: String,
    },
    /// Another card was presented where one was to be presented again.
    #[error("expected card {expected} again, found card {found}: present the card that it began with")]
    OtherCard {
        /// The card that it began with; printed, it is masked.
        expected: Pan,
        /// The card that came.
        found: Pan,
    },
    /// A purse's number cannot be used: nothing may be booked under it.
    #[error("expected the purse's number, 4 to 19 decimal digits: {found}")]
    PurseNumber {
        /// What was there.
        found: String,
    },
    /// There is no purse on the card.
    #[error("the card has no purse of a layout that is known: `cardwright read` names what it has")]
    NoPurse,
    /// The card has purses, and not the one that was named.
    #[error("expected purse {expected} on the card, found {found}: name one of these with --purse")]
    OtherPurses {
        /// What was named.
        expected: String,
        /// The purses that are there.
        found: String,
    },
    /// There is no security module.
    #[error(
        "expected a security module (PSAM) with a terminal number and a purchase key, found none: name it with --sam, such as --sam sim:psam"
    )]
    NoSam,
    /// The card goes on without end.
    #[error("{what} did not end after {limit}: giving up")]
    Endless {
        /// What went on.
        what: &'static str,
        /// How often.
        limit: usize,
    },
    /// The card was told to change, and its word and its balance do not agree.
    #[error("{said}, but the balance is {found} where {expected} was expected: in doubt until it is proven")]
    Unproven {
        /// What the card said.
        said: String,
        /// The balance that fits what it said.
        expected: Amount,
        /// The balance that it told, or why it told none.
        found: String,
    },
    /// A step was given another reply than it asked for: a fault of the program.
    #[error("step {step} was given another reply than it asked for")]
    Reply {
        /// The step.
        step: &'static str,
    },
}

impl TerminalError {
    /// Whether it is what the card said that cannot be used.
    pub(super) const fn is_of_card(&self) -> bool {
        matches!(
            self,
            Self::Command(_)
                | Self::Fci(_)
                | Self::Afl(_)
                | Self::Tlv { .. }
                | Self::Record { .. }
                | Self::Redundant { .. }
                | Self::Format { .. }
                | Self::List { .. }
                | Self::Missing { .. }
                | Self::Pan(_)
                | Self::CvmList(_)
                | Self::Iad(_)
                | Self::OtherCard { .. }
        )
    }

    /// Whether another card came than the one that was to be presented again.
    pub(super) const fn is_other_card(&self) -> bool {
        matches!(self, Self::OtherCard { .. })
    }
}
