//! What a purse and a security module keep without power.

use super::profile::{Access, FileKind};
use crate::base::bytes::Secret;
use crate::words::pboc::purse::{PurseId, PurseTransactionType, limit_bytes};
use crate::words::pboc::{PurseKeyKind, PurseKeys};
use serde::{Deserialize, Serialize};

/// A purse application's memory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct PurseMemory {
    pub keys: KeyRing,
    #[serde(with = "crate::roles::card::memory::secret_bytes")]
    pub pin: Secret<Vec<u8>>,
    /// Deposit and purse, as far as the card has them.
    pub wallets: Vec<Wallet>,
    pub files: Vec<File>,
    /// Tries of the authentication key.
    pub key_tries_left: u8,
    /// Blocked for good.
    pub locked: bool,
}

/// A card's keys in the order of [`PurseKeyKind::ALL`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::roles::card) struct KeyRing(
    #[serde(with = "crate::roles::card::memory::secret_keys")] Vec<Secret<[u8; 16]>>,
);

/// A deposit or a purse.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct Wallet {
    /// 1 deposit, 2 purse.
    pub id: u8,
    /// The holder's own money, minor units: below zero by what is overdrawn.
    pub own_minor: i64,
    /// Most that may be overdrawn, minor units.
    pub overdraft_minor: u32,
    /// Steps with loads, unloads and changes of the limit.
    pub online_sequence: u16,
    /// Steps with purchases.
    pub offline_sequence: u16,
    /// What the last transaction of each type gave.
    #[serde(default)]
    pub proofs: Vec<Proof>,
}

/// What a transaction gave.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct Proof {
    pub kind: u8,
    /// The counter after it stepped.
    pub sequence: u16,
    pub mac: [u8; 4],
    pub tac: [u8; 4],
}

/// An elementary file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct File {
    pub sfi: u8,
    pub kind: FileKind,
    pub read: Access,
    pub write: Access,
    /// Of a binary file.
    pub bytes: Vec<u8>,
    /// Of the others; of a ring the newest first.
    pub records: Vec<Vec<u8>>,
    /// Where in a record its identifier stands.
    #[serde(default)]
    pub identifier_at: usize,
    pub most: u8,
    /// How long the records of a ring are.
    pub length: u8,
}

/// A security module's memory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct SamMemory {
    /// The master key of purchases.
    #[serde(with = "crate::roles::card::memory::secret_hex")]
    pub purchase: Secret<[u8; 16]>,
    pub files: Vec<File>,
    /// Transactions begun so far.
    pub sequence: u32,
    pub mac_tries_left: u8,
}

impl KeyRing {
    /// The key of a kind.
    pub(super) fn of(&self, kind: PurseKeyKind) -> [u8; 16] {
        self.0.get(kind as usize).map_or([0; 16], |key| *key.expose())
    }
}

impl From<&PurseKeys> for KeyRing {
    fn from(keys: &PurseKeys) -> Self {
        Self(keys.all().to_vec())
    }
}

impl PurseMemory {
    /// A purse that is there.
    pub(super) fn wallet(&self, id: u8) -> Option<&Wallet> {
        self.wallets.iter().find(|wallet| wallet.id == id)
    }

    /// A purse that is there, to be changed.
    pub(super) fn wallet_mut(&mut self, id: u8) -> Option<&mut Wallet> {
        self.wallets.iter_mut().find(|wallet| wallet.id == id)
    }
}

impl Wallet {
    /// A purse that nothing was done with.
    pub(super) const fn new(id: PurseId, own_minor: u32, (online, offline): (u16, u16)) -> Self {
        Self {
            id: id.0,
            own_minor: own_minor as i64,
            overdraft_minor: 0,
            online_sequence: online,
            offline_sequence: offline,
            proofs: Vec::new(),
        }
    }

    /// Most that can be spent, minor units.
    pub(super) fn spendable_minor(&self) -> u32 {
        u32::try_from(self.own_minor + i64::from(self.overdraft_minor)).unwrap_or(0)
    }

    /// The balance that it tells.
    pub(super) fn shown_minor(&self, includes_overdraft: bool) -> u32 {
        match includes_overdraft {
            true => self.spendable_minor(),
            false => u32::try_from(self.own_minor).unwrap_or(0),
        }
    }

    /// The overdraft limit as commands and records have it; it came in by one of them.
    pub(super) fn overdraft_limit(&self) -> [u8; 3] {
        limit_bytes(self.overdraft_minor).unwrap_or([0xFF; 3])
    }

    /// Keeps what a transaction gave.
    pub(super) fn keep_proof(
        &mut self,
        kind: PurseTransactionType,
        sequence: u16,
        mac: [u8; 4],
        tac: [u8; 4],
    ) {
        self.proofs.retain(|proof| proof.kind != kind.0);
        self.proofs.push(Proof { kind: kind.0, sequence, mac, tac });
    }
}

impl File {
    /// Adds a record to a ring; the oldest one goes.
    pub(super) fn push(&mut self, record: Vec<u8>) {
        self.records.insert(0, record);
        self.records.truncate(self.most.into());
    }
}
