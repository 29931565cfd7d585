//! What a purse or security module knows only while it has power.

use super::file::CacheWrite;
use crate::words::pboc::purse::{PurseSessionKey, PurseTerms, PurseTransactionType};

/// Since the application was selected.
#[derive(Default)]
pub(in crate::roles::card) struct PurseSession {
    /// The PIN was right.
    pub pin_verified: bool,
    /// The authentication key was proved.
    pub key_proved: bool,
    /// What GET CHALLENGE gave, 4 or 8 bytes: until a command takes it to check a MAC or a proof.
    pub challenge: Option<Vec<u8>>,
    /// The transaction that waits for its completion.
    pub open: Option<OpenTransaction>,
    /// What waits for CREDIT SAM FOR PURCHASE.
    pub sam: Option<OpenSam>,
}

/// A transaction that was initialised.
pub(in crate::roles::card) struct OpenTransaction {
    pub kind: PurseTransactionType,
    pub purse: u8,
    pub amount_minor: u32,
    pub terminal: [u8; 6],
    /// The counter before it steps.
    pub sequence: u16,
    pub random: [u8; 4],
    /// The records that land with a compound purchase.
    pub cache: Vec<CacheWrite>,
}

/// A purchase that a security module has begun.
pub(in crate::roles::card) struct OpenSam {
    pub key: PurseSessionKey,
    pub terms: PurseTerms,
}

impl OpenTransaction {
    /// The terms once date and time are there.
    pub(super) const fn terms(&self, date: [u8; 4], time: [u8; 3]) -> PurseTerms {
        PurseTerms { amount_minor: self.amount_minor, kind: self.kind, terminal: self.terminal, date, time }
    }
}

impl PurseSession {
    /// The challenge as a MAC begins with it: 4 bytes and zeros, or 8 bytes.
    pub(super) fn take_iv(&mut self) -> Option<[u8; 8]> {
        let mut challenge = self.challenge.take()?;
        challenge.resize(8, 0);
        challenge.try_into().ok()
    }
}
