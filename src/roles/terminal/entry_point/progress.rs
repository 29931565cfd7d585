//! What Entry Point retains from one start to the next: EMV Contactless Book A 5.3.

use super::Message;
use crate::roles::terminal::journal::CardMark;
use crate::words::emv::{CryptogramType, Ttq};
use crate::words::iso7816::Aid;

/// How far Entry Point has come in a transaction.
#[derive(Debug, Default)]
pub(in crate::roles::terminal) struct Progress {
    /// The combinations that this amount allows.
    pub(super) allowed: Vec<Indicators>,
    /// The Candidate List, the best one last; the one that is selected has left it.
    pub(super) candidates: Vec<Candidate>,
    /// The combination that is selected, by its place in the terminal file.
    pub(super) selected: Option<usize>,
    /// How often the card has been presented again.
    pub(super) presentments: usize,
    /// Whether the card is to go online, whatever pre-processing says.
    pub(super) online: bool,
    /// The card that is to be presented again, where no other one will do.
    pub(in crate::roles::terminal) expected: Option<CardMark>,
    /// What the journal's row began as, where the card was asked before it was presented
    /// again.
    pub(in crate::roles::terminal) opened: Option<CryptogramType>,
    /// What the person is told at the end, where the verdict alone does not say it.
    pub(super) message: Option<Message>,
}

/// Entry Point Pre-Processing Indicators of a combination that is allowed: Book A table 5-3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Indicators {
    /// The combination's place in the terminal file.
    pub(super) place: usize,
    /// Status Check Requested.
    pub(super) status_check: bool,
    /// Zero Amount.
    pub(super) zero_amount: bool,
    /// Reader CVM Required Limit Exceeded.
    pub(super) cvm_required: bool,
    /// Reader Contactless Floor Limit Exceeded.
    pub(super) above_floor_limit: bool,
    /// Copy of TTQ.
    pub(super) ttq: Option<Ttq>,
}

/// A combination that card and reader have in common: Book B 3.3.2.5 E.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// ADF Name.
    pub(super) name: Aid,
    /// Application priority, 1 is highest; 16 where the card gives none.
    pub(super) rank: u8,
    /// Its place in the directory.
    pub(super) order: usize,
    /// Extended Selection (9F29).
    pub(super) extended: Option<Vec<u8>>,
    /// The reader's side.
    pub(super) indicators: Indicators,
}

impl Progress {
    /// The place of the selected combination in the terminal file.
    pub(in crate::roles::terminal) const fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// What the person is told, where the verdict alone does not say it.
    pub(in crate::roles::terminal) const fn message(&self) -> Option<Message> {
        self.message
    }
}
