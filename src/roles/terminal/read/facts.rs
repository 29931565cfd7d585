//! What is known of a card, and why the rest is not.

use crate::air::link::{Interface, RadioIdentity};
use crate::roles::terminal::purse::PurseFacts;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Aid;
use crate::words::tlv::TlvStore;

/// Something a card told, or the reason why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// The card told it.
    Known(T),
    /// It did not, for this reason.
    Absent(String),
}

impl<T> Fact<T> {
    /// What the card told.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent(_) => None,
        }
    }

    /// Keeps what is known; else takes `other`.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Known(_) => self,
            Self::Absent(_) => other(),
        }
    }
}

/// What kind of card lies on the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardKind {
    /// It speaks ISO/IEC 7816-4.
    Chip,
    /// A contactless storage card (MIFARE, FeliCa): type, and no applications.
    Storage {
        /// Its type, as PC/SC Part 3 names it.
        name: String,
    },
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// Where it is.
    pub place: String,
    /// How it is reached.
    pub interface: Interface,
    /// Its answer to reset.
    pub atr: Vec<u8>,
    /// What kind of card it is.
    pub kind: CardKind,
    /// What the reader tells of it as a card on radio.
    pub radio: Fact<RadioIdentity>,
    /// Its applications.
    pub applications: Vec<ApplicationFacts>,
    /// Its purses (PBOC ED/EP and the cards that cities made of it).
    pub purses: Vec<PurseFacts>,
    /// What else people should know: a blocked card, an answer that makes no sense.
    pub remarks: Vec<String>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationFacts {
    /// Its name (DF name).
    pub aid: Aid,
    /// Its label.
    pub label: Option<String>,
    /// Whether the issuer has blocked it.
    pub blocked: bool,
    /// Its PAN; printed, it is masked.
    pub pan: Fact<Pan>,
    /// Its PAN sequence number; 0 where the card gives none.
    pub psn: u8,
    /// Its expiry, YYMMDD in BCD.
    pub expiry: Fact<[u8; 3]>,
    /// PIN tries left.
    pub pin_tries: Fact<u8>,
    /// Transactions so far.
    pub atc: Fact<u16>,
    /// The transaction counter at the last online transaction.
    pub last_online_atc: Fact<u16>,
    /// Electronic cash, a row for each currency.
    pub ecash: Vec<EcashFacts>,
    /// Last transactions, newest first.
    pub payments: Fact<Vec<PaymentFact>>,
    /// Last loads, newest first.
    pub loads: Fact<Vec<LoadFact>>,
    /// How many entries the transaction log and the load log can hold.
    pub log_depths: (Option<u8>, Option<u8>),
    /// Whether the card says that it logs what it approves offline (9F68 byte 2 bit 5).
    pub logs_offline: bool,
    /// The transaction counter that `--full` has spent.
    pub spent_atc: Option<u16>,
}

/// Electronic cash in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcashFacts {
    /// The currency.
    pub currency: Currency,
    /// What can be spent: the stored balance less what segment billing has overdrawn.
    pub balance: Fact<Amount>,
    /// Most that the card may hold.
    pub balance_limit: Fact<Amount>,
    /// Most that one payment may take.
    pub single_limit: Fact<Amount>,
    /// At or below what is left after a payment, an online-capable reader goes online.
    pub reset_threshold: Fact<Amount>,
    /// What segment billing adds, where the card tells it (JR/T 0025.14).
    pub segments: Option<SegmentFacts>,
}

/// What a card with segment billing may pay besides its balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentFacts {
    /// How much may be offset, DF62.
    pub limit: Amount,
    /// How much of it is, DF63.
    pub used: Amount,
    /// What a ride may cost: stored balance and limit less what is used.
    pub spendable: Amount,
}

/// One entry of the transaction log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFact {
    /// Date, YYMMDD in BCD.
    pub date: Option<[u8; 3]>,
    /// Time, HHMMSS in BCD.
    pub time: Option<[u8; 3]>,
    /// The amount.
    pub amount: Option<Amount>,
    /// Merchant name.
    pub merchant: Option<String>,
    /// The transaction counter.
    pub atc: Option<u16>,
    /// Everything that the log holds.
    pub data: TlvStore,
}

/// One entry of the load log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadFact {
    /// Date, YYMMDD in BCD.
    pub date: Option<[u8; 3]>,
    /// Time, HHMMSS in BCD.
    pub time: Option<[u8; 3]>,
    /// Balance before.
    pub before: Amount,
    /// Balance after.
    pub after: Amount,
    /// The transaction counter.
    pub atc: Option<u16>,
    /// Whether it is the second currency's balance.
    pub second_currency: bool,
}
