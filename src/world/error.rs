//! Why the stage could not be set.

use super::address::AddressError;
use crate::air::host::TerminalKeyError;
use crate::air::link::LinkError;
use crate::air::trace::TraceError;
use crate::base::bytes::Hex;
use crate::base::store::{SealedError, StoreError};
use crate::devices::gate::{DenyListError, GateError};
use crate::devices::wallet::WalletError;
use crate::roles::bureau::BureauError;
use crate::roles::card::CardError;
use crate::roles::issuer::IssuerError;
use crate::roles::p2p::transfer::TransferError;
use crate::roles::terminal::journal::JournalError;
use crate::roles::terminal::{ConfigError, TerminalError};
use crate::roles::token::VaultError;
use crate::words::emv::PanError;
use crate::words::emv::cryptogram::CryptogramError;
use crate::words::iso8583::Iso8583Error;

/// Why the stage could not be set, or a scene broke off.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// An address cannot be read.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A simulated card failed.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The issuer failed.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The terminal broke off.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A gate failed.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A deny list failed.
    #[error(transparent)]
    DenyList(#[from] DenyListError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealing key failed.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A PAN cannot be used.
    #[error(transparent)]
    Pan(#[from] PanError),
    /// Certificates could not be made.
    #[error(transparent)]
    Bureau(#[from] BureauError),
    /// A folder that holds no certification authority.
    #[error(
        "expected a certification authority (made by `cardwright ca new`) in {path}, found something else"
    )]
    NoAuthority {
        /// The file.
        path: String,
    },
    /// Card keys could not be made.
    #[error(transparent)]
    Cryptogram(#[from] CryptogramError),
    /// A file or folder failed.
    #[error("could not {doing} {path}: {cause}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// A file that is no recording, or a damaged one.
    #[error("{path}: {cause}")]
    Trace {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: TraceError,
    },
    /// A recording that does not hold what is made of it.
    #[error(
        "expected a recording that holds {expected}, found {found}: record a whole payment with --save FILE"
    )]
    Recording {
        /// What it has to hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// The phone failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// No phone in the folder.
    #[error(
        "there is no wallet in {folder}: make one with `cardwright wallet open-ecash` or \
         `cardwright wallet add`, and name its folder with --wallet"
    )]
    NoWallet {
        /// The folder.
        folder: String,
    },
    /// Another process is this terminal.
    #[error(
        "another cardwright is at work as this terminal ({path}): wait until it has ended, or name another --state"
    )]
    InUse {
        /// The lock.
        path: String,
    },
    /// A card that another cannot take the place of.
    #[error(
        "expected the card in use with sequence number {psn} to renew, found {found} on the issuer's file"
    )]
    NotInUse {
        /// The PAN sequence number that was named.
        psn: u8,
        /// What the issuer has.
        found: String,
    },
    /// A card whose number cannot be kept any longer.
    #[error(
        "expected a card with a sequence number below 99 and an expiry (YYMMDD) before 2045 to renew, found \
         sequence number {psn} and expiry {}: replace it by one with another number",
        Hex(expiry)
    )]
    Renewal {
        /// Its PAN sequence number.
        psn: u8,
        /// Its expiry, YYMMDD in BCD.
        expiry: [u8; 3],
    },
    /// A profile without what the scene needs.
    #[error("the card profile {profile} has no {what}")]
    Profile {
        /// The profile.
        profile: String,
        /// What it lacks.
        what: &'static str,
    },
    /// An address whose driver is not part of this program.
    #[error("{scheme}: readers are not part of this program; it was built without them or they come later")]
    NoDriver {
        /// The first part of the address.
        scheme: String,
    },
    /// A fresh card, and no issuer here that could know it.
    #[error(
        "a remote host does not know a card that is made this moment: make one in its books with \
         `cardwright card new ecash my.card --store ...`, and name it with --reader sim:my.card"
    )]
    NoIssuer,
    /// A terminal's key, or the tables of a host's terminals, failed.
    #[error(transparent)]
    TerminalKey(#[from] TerminalKeyError),
    /// A dialect that is not known.
    #[error(transparent)]
    Dialect(#[from] Iso8583Error),
    /// A host's server could not be started.
    #[error("could not listen at {listen}: {cause}")]
    Listen {
        /// The address.
        listen: String,
        /// What the system said.
        cause: String,
    },
    /// A store on a server without the file of its sealing key.
    #[error("expected --seal-key FILE beside a store on a server, found none: all its hosts share that file")]
    NoSealKey,
    /// A store on a server without the file of the vault's key.
    #[error(
        "expected --token-key FILE beside a store on a server, found none: all its hosts share that file"
    )]
    NoTokenKey,
    /// The vault of tokens failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The transaction that is to be undone is not what it must be.
    #[error("expected {expected}, found {found}")]
    Original {
        /// What it must be.
        expected: &'static str,
        /// What the journal holds.
        found: String,
    },
    /// A planted fault that nobody has written.
    #[error("there is no planted fault called {name:?}: `cardwright test --plant list` names them all")]
    NoFault {
        /// What was asked for.
        name: String,
    },
    /// A change that a file cannot have.
    #[error("{file} cannot be changed so: {cause}")]
    Change {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// A terminal's file failed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A terminal elsewhere has no place for what a script plays.
    #[error("a terminal elsewhere finds no {what} of this script: name its place with {switch}")]
    NoSeat {
        /// `card` or `host`.
        what: &'static str,
        /// The switch.
        switch: &'static str,
    },
    /// A phone that transfers failed.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The invariant of the money is broken.
    #[error("the books do not balance: {what}")]
    Invariant {
        /// Where.
        what: String,
    },
}
