//! Why a command failed, and the exit code of that.

use crate::air::host::TokenError;
use crate::air::link::LinkError;
use crate::air::trace::TraceError;
use crate::base::bytes::HexError;
use crate::devices::wallet::WalletError;
use crate::observers::campaign::CampaignError;
use crate::roles::card::CardError;
use crate::roles::issuer::IssuerError;
use crate::roles::p2p::transfer::TransferError;
use crate::roles::terminal::journal::JournalError;
use crate::roles::terminal::{ConfigError, TerminalError, TrustError};
use crate::words::iso4217::AmountError;
use crate::words::iso7816::ApduError;
use crate::world::{AddressError, WorldError};
use std::path::{Path, PathBuf};

/// How a command ended: one table for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::doors::cli) enum Exit {
    /// Done.
    Done = 0,
    /// Declined or refused: nothing is wrong with the way the command was called.
    Declined = 1,
    /// Called wrongly, or a file that cannot be read as what it should be.
    Usage = 2,
    /// The money does not add up.
    Invariant = 3,
    /// Card, reader, host or store could not be reached, or broke off.
    Transport = 4,
    /// Something is left to be settled.
    RecoveryDue = 5,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::doors::cli) enum Failure {
    /// Called wrongly; says what to do instead.
    #[error("{0}")]
    Usage(String),
    /// No address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// No hexadecimal text.
    #[error("{text:?}: {cause}")]
    Hex {
        /// The argument.
        text: String,
        /// What is wrong with it.
        cause: HexError,
    },
    /// No APDU.
    #[error("{text:?}: {cause}")]
    Apdu {
        /// The argument.
        text: String,
        /// What is wrong with it.
        cause: ApduError,
    },
    /// No terminal file.
    #[error("{}: {cause}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: ConfigError,
    },
    /// No file of CA public keys.
    #[error("{}: {cause}", path.display())]
    Trust {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: TrustError,
    },
    /// A file that could not be read or made.
    #[error("could not {doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The recording could not be written.
    #[error("{}: {cause}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: TraceError,
    },
    /// A file that is no recording, or a damaged one.
    #[error("{}: {cause}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: TraceError,
    },
    /// The stage could not be set, or a scene broke off.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A suite of scripts could not begin.
    #[error(transparent)]
    Suite(CampaignError),
    /// Kept books or journal could not be opened.
    #[error("{}: {cause}", path.display())]
    Kept {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        cause: Box<WorldError>,
    },
    /// A transaction broke off; the journal says what is due.
    #[error("{cause}\n{journal}")]
    BrokenOff {
        /// What broke.
        cause: Box<WorldError>,
        /// What the journal holds and what to do.
        journal: String,
    },
    /// A remote host that is not there.
    #[error(
        "no host answers at {address}: nothing moved. Start it with `cardwright host serve --listen HOST:PORT`, \
         or name another with --host"
    )]
    NoHost {
        /// Its address.
        address: String,
    },
    /// The money does not add up.
    #[error("the money does not add up: {0}")]
    Invariant(String),
    /// Standard output could not be written.
    #[error("could not write to standard output: {0}")]
    Output(std::io::Error),
}

impl Failure {
    /// A file that could not be read or made.
    pub(in crate::doors::cli) fn file(doing: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::File { doing, path: path.into(), cause }
    }

    /// A suite of scripts that could not begin.
    pub(in crate::doors::cli) fn suite(cause: impl Into<CampaignError>) -> Self {
        Self::Suite(cause.into())
    }

    /// The exit code.
    pub(in crate::doors::cli) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Address(_)
            | Self::Amount(_)
            | Self::Hex { .. }
            | Self::Apdu { .. }
            | Self::Config { .. }
            | Self::Trust { .. }
            | Self::Trace { .. }
            | Self::File { .. } => Exit::Usage,
            Self::World(cause) | Self::Suite(CampaignError::World(cause)) => of_world(cause),
            Self::Suite(CampaignError::Changed { .. }) => Exit::Invariant,
            Self::Suite(
                CampaignError::Unreachable { .. }
                | CampaignError::Store(_)
                | CampaignError::NoAgent { .. }
                | CampaignError::Lost { .. }
                | CampaignError::Result { .. },
            ) => Exit::Transport,
            Self::Suite(_) => Exit::Usage,
            Self::Kept { cause, .. } | Self::BrokenOff { cause, .. } => of_world(cause),
            Self::Recording { .. } | Self::NoHost { .. } | Self::Output(_) => Exit::Transport,
            Self::Invariant(_) => Exit::Invariant,
        }
    }
}

macro_rules! through_world {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::World(error.into())
            }
        })*
    };
}

through_world!(CardError, IssuerError, JournalError, LinkError, TerminalError, TransferError, WalletError);

impl From<TokenError> for Failure {
    /// As if a phone had been told.
    fn from(error: TokenError) -> Self {
        WalletError::from(error).into()
    }
}

fn of_world(error: &WorldError) -> Exit {
    match error {
        WorldError::Link(error) | WorldError::Terminal(TerminalError::Link(error)) => of_link(error),
        WorldError::Terminal(
            TerminalError::NoApplication { .. }
            | TerminalError::CardBlocked { .. }
            | TerminalError::NoPurse
            | TerminalError::OtherPurses { .. },
        ) => Exit::Declined,
        // A card that answers nonsense: the conversation broke off.
        WorldError::Terminal(_) => Exit::Transport,
        WorldError::Wallet(
            WalletError::Passcode { .. }
            | WalletError::Disabled
            | WalletError::Token(TokenError::Refused { .. } | TokenError::State { .. }),
        ) => Exit::Declined,
        WorldError::Wallet(WalletError::Token(TokenError::Failed { .. }) | WalletError::Link(_)) => {
            Exit::Transport
        }
        WorldError::Wallet(WalletError::Card(CardError::InUse { .. }))
        | WorldError::Card(CardError::InUse { .. })
        | WorldError::InUse { .. } => Exit::Transport,
        WorldError::Invariant { .. } => Exit::Invariant,
        WorldError::Issuer(IssuerError::Refused { .. }) => Exit::Declined,
        WorldError::Original { .. }
        | WorldError::Address(_)
        | WorldError::Card(_)
        | WorldError::Issuer(_)
        | WorldError::Journal(_)
        | WorldError::Gate(_)
        | WorldError::DenyList(_)
        | WorldError::Store(_)
        | WorldError::Sealed(_)
        | WorldError::Pan(_)
        | WorldError::Bureau(_)
        | WorldError::NoAuthority { .. }
        | WorldError::Cryptogram(_)
        | WorldError::File { .. }
        | WorldError::Trace { .. }
        | WorldError::Recording { .. }
        | WorldError::Profile { .. }
        | WorldError::NotInUse { .. }
        | WorldError::Renewal { .. }
        | WorldError::NoDriver { .. }
        | WorldError::Wallet(_)
        | WorldError::Vault(_)
        | WorldError::NoSealKey
        | WorldError::NoTokenKey
        | WorldError::NoIssuer
        | WorldError::NoWallet { .. }
        | WorldError::TerminalKey(_)
        | WorldError::NoFault { .. }
        | WorldError::Dialect(_) => Exit::Usage,
        WorldError::Change { .. } | WorldError::Config(_) | WorldError::NoSeat { .. } => Exit::Usage,
        WorldError::Transfer(
            TransferError::Link(_) | TransferError::Snep(_) | TransferError::Broken { .. },
        ) => Exit::Transport,
        WorldError::Transfer(_) => Exit::Usage,
        WorldError::Listen { .. } => Exit::Transport,
    }
}

fn of_link(error: &LinkError) -> Exit {
    match error {
        LinkError::NotAllowed { .. } => Exit::Declined,
        _ => Exit::Transport,
    }
}
