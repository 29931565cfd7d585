//! What a card knows only while it has power: the selected application and the
//! transaction that is under way.

use super::Device;
use super::capp::{Extension, Place};
use super::mchip_profile::MchipProfile;
use super::purse::PurseSession;
use crate::air::link::Interface;
use crate::words::emv::command::RelayResistanceData;
use crate::words::emv::mchip;
use crate::words::emv::{Afl, CryptogramType};
use crate::words::globalplatform::{CardChannel, Channel, StoredGroupings};
use crate::words::pboc::{Cvr, EcashSet};
use crate::words::tlv::{Tag, TlvStore};

/// Volatile memory.
pub(super) struct Session {
    pub interface: Interface,
    /// The consumer device around the card, as it was when the card got power.
    pub device: Option<Device>,
    pub selected: Selected,
    /// What GET CHALLENGE gave, for the next command alone.
    pub challenge: Option<[u8; 8]>,
    pub channel: SecureChannel,
    /// Of a purse or a security module.
    pub purse: PurseSession,
    /// The record of an industry that was read last since the selection, and its index.
    pub capp_read: Option<(Place, usize)>,
}

/// The secure channel to the selected application.
#[derive(Default)]
pub(super) enum SecureChannel {
    /// There is none.
    #[default]
    Closed,
    /// INITIALIZE UPDATE was answered.
    Waiting(Box<CardChannel>),
    /// It is open, with what has been stored so far.
    Open(Box<(Channel, StoredGroupings)>),
}

/// What is selected.
pub(super) enum Selected {
    /// Nothing yet.
    Nothing,
    /// PSE or PPSE.
    Directory,
    /// The master file.
    MasterFile,
    /// An application, by its index in the profile.
    Application { index: usize, phase: Phase },
}

/// What the application waits for.
pub(super) enum Phase {
    /// GET PROCESSING OPTIONS.
    Selected,
    /// The last record of a quick payment, or nothing where the quick path is over.
    Quick(Box<Transaction>, Option<Box<Pending>>),
    /// The first GENERATE AC.
    Initiated(Box<Transaction>),
    /// The issuer's answer and the second GENERATE AC.
    AskedOnline(Box<Transaction>),
    /// Scripts after the second GENERATE AC, if the issuer was asked.
    Completed(Box<Transaction>),
    /// A new selection; nothing else is taken.
    Over,
}

/// Which way the transaction goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Decided at GET PROCESSING OPTIONS.
    Quick,
    /// Electronic cash with GENERATE AC.
    Ecash,
    /// Debit/credit.
    Full,
}

/// A transaction under way.
#[derive(Clone)]
pub(super) struct Transaction {
    pub path: Path,
    pub aip: [u8; 2],
    pub atc: u16,
    /// The electronic cash set of the transaction's currency.
    pub set: Option<EcashSet>,
    /// What PDOL and CDOLs brought.
    pub data: TlvStore,
    /// The same as it came, one list after the other: a combined signature is over it.
    pub exchanged: Vec<u8>,
    pub cvr: Cvr,
    /// The first cryptogram: ARPC and script MACs are bound to it.
    pub first: Option<(CryptogramType, [u8; 8])>,
    pub authentication: Authentication,
    /// Whether the issuer approves, where its authentication vouches for that.
    pub issuer_approves: Option<bool>,
    pub scripts: Scripts,
    /// Whether it came by radio.
    pub contactless: bool,
    /// The response code behind the ARPC that came.
    pub response_code: Option<[u8; 2]>,
    /// Whether this answer is signed (CDA).
    pub signs: bool,
    /// Whether the PIN came enciphered.
    pub enciphered_pin: bool,
    /// What an M/Chip card decided by.
    pub results: mchip::Cvr,
    /// How it does what public sources leave open.
    pub mchip: MchipProfile,
    /// What was exchanged against relaying, last, and how often.
    pub relay: Option<Relay>,
}

/// Relay resistance in this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relay {
    pub terminal_entropy: [u8; 4],
    pub answer: RelayResistanceData,
    /// Exchanges so far, at most three.
    pub exchanges: u8,
}

/// Issuer authentication in this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    NotPerformed,
    Failed,
    Succeeded,
}

/// Whether script commands are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scripts {
    Open,
    /// A command failed before the second GENERATE AC.
    FailedBefore,
    /// A MAC was wrong: nothing more in this transaction.
    Closed,
}

/// What reading the last record of a quick transaction brings about.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub last: (u8, u8),
    /// What it writes, where the card has approved.
    pub change: Option<Box<QuickChange>>,
    /// Data objects of this transaction that the record has beside its own.
    pub appended: Vec<u8>,
}

/// What a quick payment writes.
#[derive(Debug, Clone)]
pub(super) struct QuickChange {
    pub balance: Option<(Tag, u64)>,
    pub cumulative_minor: u64,
    pub international: u8,
    pub log: Option<Vec<u8>>,
    /// What the extended application writes.
    pub extension: Option<Extension>,
}

impl Session {
    /// Just switched on.
    pub(super) fn new(interface: Interface, device: Option<Device>) -> Self {
        let (selected, channel) = (Selected::Nothing, SecureChannel::Closed);
        let purse = PurseSession::default();
        Self { interface, device, selected, challenge: None, channel, purse, capp_read: None }
    }

    /// The transaction under way, in any phase.
    pub(super) fn transaction(&self) -> Option<&Transaction> {
        match &self.selected {
            Selected::Application { phase, .. } => phase.transaction(),
            _ => None,
        }
    }
}

impl Phase {
    /// The transaction, where there is one.
    pub(super) fn transaction(&self) -> Option<&Transaction> {
        match self {
            Self::Selected | Self::Over => None,
            Self::Quick(t, _) | Self::Initiated(t) | Self::AskedOnline(t) | Self::Completed(t) => Some(t),
        }
    }

    /// The transaction, where there is one.
    pub(super) fn transaction_mut(&mut self) -> Option<&mut Transaction> {
        match self {
            Self::Selected | Self::Over => None,
            Self::Quick(t, _) | Self::Initiated(t) | Self::AskedOnline(t) | Self::Completed(t) => Some(t),
        }
    }
}

impl Pending {
    /// What the extended application writes.
    pub(super) fn extension(&self) -> Option<&Extension> {
        self.change.as_ref()?.extension.as_ref()
    }

    /// The same, to be changed.
    pub(super) fn extension_mut(&mut self) -> Option<&mut Extension> {
        self.change.as_mut()?.extension.as_mut()
    }

    /// The last record of an AFL.
    pub(super) fn last_record(afl: &[u8]) -> Option<(u8, u8)> {
        Afl::parse(afl).ok()?.last_record()
    }
}
