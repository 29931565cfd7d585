//! Entry Point configuration data: EMV Contactless Book A 5.2 (tables 5-2 and 5-6). What is
//! the same for every combination is the terminal's own and may not enter.

use super::Refusals;
use crate::air::host::Entry;
use crate::roles::terminal::config::{AnyBytes, Bytes};
use crate::words::iso7816::Aid;
use crate::words::tlv::Tag;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the reader does with applications that belong to one kernel: a combination for
/// each of its AIDs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// Names of applications, or beginnings of their names.
    pub aids: Vec<Aid>,
    /// Kernel ID, as tag 9F2A has it: 2, 3, 7.
    pub kernel: u8,
    /// Which of kernel 7's two charts; the others have one.
    #[serde(default)]
    pub path: ContactlessPath,
    /// Terminal Transaction Qualifiers (9F66) before pre-processing, for kernels that have them.
    pub ttq: Option<Bytes<4>>,
    /// Reader Contactless Transaction Limit, minor units: from here on another interface.
    pub transaction_limit_minor: Option<u64>,
    /// Reader CVM Required Limit, minor units: from here on the cardholder is verified.
    pub cvm_limit_minor: Option<u64>,
    /// Reader Contactless Floor Limit, minor units: above it the issuer is asked. Without
    /// one the application's floor limit counts.
    pub floor_limit_minor: Option<u64>,
    /// Zero Amount Allowed flag.
    #[serde(default = "yes")]
    pub zero_amount_allowed: bool,
    /// Status Check Support flag: one unit of the currency asks for the card's status.
    #[serde(default)]
    pub status_check: bool,
    /// Extended Selection Support flag: the directory's 9F29 is added to the name.
    #[serde(default)]
    pub extended_selection: bool,
    /// Whether a card that approved is asked once more where its own qualifiers want its
    /// issuer asked; else it is declined. Public sources leave open how it goes online.
    #[serde(default = "yes")]
    pub asks_again_online: bool,
    /// Kernel 2: whether a torn transaction is recovered for the same amount alone, so that a
    /// sale is never paid by another one's cryptogram; else for the card alone, as EMV Book
    /// C-2 has it, and then what was torn is what is paid.
    #[serde(default = "yes")]
    pub recovers_same_amount_only: bool,
    /// Kernel 3: whether a card that approves where an online cryptogram was required is
    /// taken at its word; else it is declined. No public clause says what follows.
    #[serde(default)]
    pub takes_unasked_approval: bool,
    /// Kernel 3: whether a card that is not valid at contactless ATMs (9F6C byte 1 bit 1) is
    /// to be inserted there; else it is declined. Public sources name the bit alone.
    #[serde(default = "yes")]
    pub switches_interface_at_atm: bool,
    /// What a refused GET PROCESSING OPTIONS leads to, by status word, where it is other than
    /// what the kernel does; `other` stands for those that neither names.
    #[serde(default)]
    pub refusals: Refusals,
    /// Data objects that this kernel is given beside the terminal's own.
    #[serde(default)]
    pub data: BTreeMap<Tag, AnyBytes>,
}

/// An outcome that a refused GET PROCESSING OPTIONS may lead to: EMV Contactless Book B 3.5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefusal {
    /// The next application of the card is tried.
    SelectNext,
    /// The card is presented again, once its holder has looked at the device it is in.
    SeePhone,
    /// The card is to be inserted.
    TryAnotherInterface,
    /// It ends without a decision.
    EndApplication,
}

/// Which path of a contactless card: JR/T 0025.12, TTQ byte 1 bits 7 and 6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactlessPath {
    /// The card decides at GET PROCESSING OPTIONS, or as its kernel has it.
    #[default]
    Quick,
    /// Debit/credit with GENERATE AC, as over contacts.
    Full,
}

impl ContactlessPath {
    /// What the host is told of it.
    pub const fn entry(self) -> Entry {
        match self {
            Self::Quick => Entry::ContactlessQuick,
            Self::Full => Entry::ContactlessFull,
        }
    }
}

const fn yes() -> bool {
    true
}
