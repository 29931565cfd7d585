//! A row of the journal and what may be written to it.

use super::{State, Torn};
use crate::air::host::{Entry as EntryMode, Kind, MessageClass, MessageKey, Original, Request, Side};
use crate::base::bytes::Secret;
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::emv::{Pan, ScriptResult};
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};

/// What kind of transaction a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A load from the linked account: host first, then the card.
    Load,
    /// A load paid in cash.
    CashLoad,
    /// A load from the pending account.
    PendingLoad,
    /// A load from the account of another card.
    NonLinkedLoad,
    /// The void of a load paid in cash: the script lowers the balance.
    CashLoadVoid,
    /// An unload: the script lowers the balance, then the account is credited.
    Unload,
    /// An offline payment: the card first, then the host.
    OfflineSale,
    /// An offline payment on account: the card's certificate is all that moves, and the
    /// account is debited when it is uploaded.
    AccountSale,
    /// An online purchase: the host decides, no script moves money on the card.
    OnlinePurchase,
    /// An online purchase that pays a part of its amount out in cash.
    Cashback,
    /// Cash from the account.
    Cash,
    /// A hold on the account.
    PreAuthorisation,
    /// The completion of a hold.
    PreAuthorisationCompletion,
    /// The cancellation of a hold.
    PreAuthorisationCancel,
    /// A refund of an offline payment: the host alone, the card is not raised.
    Refund,
    /// A purchase with a purse and a security module.
    PursePurchase,
    /// A load of a purse.
    PurseLoad,
    /// An unload of a purse.
    PurseUnload,
    /// A change of a deposit's overdraft limit; the amount is the new limit, and no money moves.
    PurseOverdraft,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Load,
        Self::CashLoad,
        Self::PendingLoad,
        Self::NonLinkedLoad,
        Self::CashLoadVoid,
        Self::Unload,
        Self::OfflineSale,
        Self::AccountSale,
        Self::OnlinePurchase,
        Self::Cashback,
        Self::Cash,
        Self::PreAuthorisation,
        Self::PreAuthorisationCompletion,
        Self::PreAuthorisationCancel,
        Self::Refund,
        Self::PursePurchase,
        Self::PurseLoad,
        Self::PurseUnload,
        Self::PurseOverdraft,
    ];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::CashLoad => "cash load",
            Self::PendingLoad => "load from pending",
            Self::NonLinkedLoad => "load from another card",
            Self::CashLoadVoid => "void of a cash load",
            Self::Unload => "unload",
            Self::OfflineSale => "offline sale",
            Self::AccountSale => "offline sale on account",
            Self::OnlinePurchase => "online purchase",
            Self::Cashback => "purchase with cashback",
            Self::Cash => "cash",
            Self::PreAuthorisation => "pre-authorisation",
            Self::PreAuthorisationCompletion => "completion of a pre-authorisation",
            Self::PreAuthorisationCancel => "cancellation of a pre-authorisation",
            Self::Refund => "refund",
            Self::PursePurchase => "purchase with a purse",
            Self::PurseLoad => "load of a purse",
            Self::PurseUnload => "unload of a purse",
            Self::PurseOverdraft => "change of an overdraft limit",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether a script of the issuer writes the card's balance.
    pub const fn writes_card(self) -> bool {
        matches!(
            self,
            Self::Load
                | Self::CashLoad
                | Self::PendingLoad
                | Self::NonLinkedLoad
                | Self::CashLoadVoid
                | Self::Unload
        )
    }

    /// Whether that script writes a lower balance.
    pub const fn lowers_card(self) -> bool {
        matches!(self, Self::CashLoadVoid | Self::Unload)
    }

    /// Whether it is a purchase that may yet turn out to be of another kind.
    pub const fn is_purchase(self) -> bool {
        matches!(self, Self::AccountSale | Self::OnlinePurchase)
    }

    /// Whether its amount is money: a limit is none.
    pub const fn moves_money(self) -> bool {
        !matches!(self, Self::PurseOverdraft)
    }

    /// Whether it is a purse's, whose card proves what it did by GET TRANSACTION PROVE.
    pub const fn is_purse(self) -> bool {
        matches!(self, Self::PursePurchase | Self::PurseLoad | Self::PurseUnload | Self::PurseOverdraft)
    }

    /// Whether a certificate is uploaded for it.
    pub const fn is_offline_sale(self) -> bool {
        matches!(self, Self::OfflineSale | Self::AccountSale | Self::PursePurchase)
    }

    /// What the row's request asks of the host.
    pub const fn request_kind(self) -> Kind {
        match self {
            Self::Load => Kind::LinkedLoad,
            Self::CashLoad => Kind::CashLoad,
            Self::PendingLoad => Kind::PendingLoad,
            Self::NonLinkedLoad => Kind::NonLinkedLoad,
            Self::CashLoadVoid => Kind::CashLoadVoid,
            Self::Unload => Kind::UnloadScript,
            Self::OfflineSale | Self::AccountSale => Kind::OfflineSale,
            Self::OnlinePurchase => Kind::Purchase,
            Self::Cashback => Kind::PurchaseWithCashback,
            Self::Cash => Kind::Cash,
            Self::PreAuthorisation => Kind::PreAuthorisation,
            Self::PreAuthorisationCompletion => Kind::PreAuthorisationCompletion,
            Self::PreAuthorisationCancel => Kind::PreAuthorisationCancel,
            Self::Refund => Kind::EcashRefund,
            Self::PursePurchase => Kind::PurseSale,
            Self::PurseLoad => Kind::PurseLoad,
            Self::PurseUnload => Kind::PurseUnload,
            Self::PurseOverdraft => Kind::PurseOverdraft,
        }
    }
}

/// Which card a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardMark {
    /// Its PAN.
    pub pan: Pan,
    /// Its PAN sequence number.
    pub psn: u8,
}

/// What a row says when it is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What kind of transaction it is.
    pub kind: EntryKind,
    /// The amount.
    pub amount: Amount,
    /// The card.
    pub card: CardMark,
    /// How the card was read.
    pub mode: EntryMode,
    /// Batch and trace number.
    pub batch: u32,
    /// Trace number.
    pub trace: u32,
    /// When the transaction was made, by the terminal's clock.
    pub at: Timestamp,
    /// The balance read before, in minor units, where the card told it.
    pub balance_before_minor: Option<u64>,
    /// The transaction counter, where it is known already.
    pub atc: Option<u16>,
    /// The chip's data so far (F55).
    pub chip: TlvStore,
    /// Whether the second currency's balance moves (DF79).
    pub second_currency: bool,
    /// The payment that a refund is of.
    pub original: Option<Original>,
}

/// What may be written to a row. Each is durable before the step it names.
#[derive(Debug, Clone)]
pub enum Change {
    /// A row begins.
    Open(Box<Opening>),
    /// The host approved.
    Authorised {
        /// The transaction counter of the cryptogram.
        atc: u16,
        /// The card's balance once the script has landed, in minor units.
        balance_after_minor: Option<u64>,
        /// The chip's data of the request.
        chip: TlvStore,
    },
    /// A purchase is of another kind than it began as: the card asked for its issuer, or
    /// the issuer could not be asked. Nothing has moved.
    Turned(EntryKind),
    /// The card is about to be told to change.
    Sending,
    /// The card is about to be asked for a cryptogram that can be asked for again.
    Asking {
        /// What is needed for that.
        torn: Box<Torn>,
        /// The row that asked for it first, or this one: its record goes.
        replaced: (u32, u32),
        /// How many earlier records are kept.
        most: usize,
    },
    /// The card answered: its cryptogram is not asked for again.
    Answered,
    /// The card's answer never came.
    InDoubt,
    /// The card has changed; with the data that proves it to the host.
    CardUpdated {
        /// The transaction counter.
        atc: Option<u16>,
        /// The chip's data of the sale or the script result.
        chip: Option<TlvStore>,
    },
    /// Card and host agree.
    Confirmed,
    /// To be undone.
    ReversalDue {
        /// Why.
        reason: &'static str,
    },
    /// Undone.
    Reversed,
    /// Nothing moved, and the issuer is to be told of it.
    AdviceDue {
        /// Why it was declined.
        reason: &'static str,
        /// The chip's data of the advice.
        chip: TlvStore,
    },
    /// The issuer has been told that nothing moved.
    Advised,
    /// Nothing moved.
    Declined {
        /// Why.
        reason: &'static str,
    },
}

impl Change {
    /// The state that the change leads to; `None` where it leaves it.
    pub const fn state(&self) -> Option<State> {
        match self {
            Self::Open(_) => Some(State::Started),
            Self::Authorised { .. } => Some(State::Authorised),
            Self::Sending | Self::Turned(_) | Self::Asking { .. } | Self::Answered => None,
            Self::InDoubt => Some(State::InDoubt),
            Self::CardUpdated { .. } => Some(State::CardUpdated),
            Self::Confirmed => Some(State::Confirmed),
            Self::ReversalDue { .. } => Some(State::ReversalDue),
            Self::Reversed => Some(State::Reversed),
            Self::AdviceDue { .. } => Some(State::AdviceDue),
            Self::Declined { .. } | Self::Advised => Some(State::Declined),
        }
    }
}

/// A row as it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Trace number; the row's name within its batch.
    pub trace: u32,
    /// Batch number.
    pub batch: u32,
    /// What kind of transaction it is.
    pub kind: EntryKind,
    /// How far it has come.
    pub state: State,
    /// Whether the card was told to change: then only proof closes the row.
    pub sent: bool,
    /// The amount.
    pub amount: Amount,
    /// The card.
    pub card: CardMark,
    /// How the card was read.
    pub mode: EntryMode,
    /// The transaction counter, once known.
    pub atc: Option<u16>,
    /// Balance before, minor units.
    pub balance_before_minor: Option<u64>,
    /// Balance once the card has changed, minor units.
    pub balance_after_minor: Option<u64>,
    /// Which of the card's balances.
    pub second_currency: bool,
    /// The chip's data for messages.
    pub chip: TlvStore,
    /// When the row was opened.
    pub at: Timestamp,
    /// Why it was declined or is to be undone.
    pub reason: String,
    /// The payment that a refund is of.
    pub original: Option<Original>,
}

impl From<Opening> for Entry {
    fn from(opening: Opening) -> Self {
        Self {
            trace: opening.trace,
            batch: opening.batch,
            kind: opening.kind,
            state: State::Started,
            sent: false,
            amount: opening.amount,
            card: opening.card,
            mode: opening.mode,
            atc: opening.atc,
            balance_before_minor: opening.balance_before_minor,
            balance_after_minor: None,
            second_currency: opening.second_currency,
            chip: opening.chip,
            at: opening.at,
            reason: String::new(),
            original: opening.original,
        }
    }
}

impl Entry {
    /// How its batch counts the row: on its side once the host has approved it, an
    /// offline sale once the card has given its certificate; not where it was undone or
    /// is to be. What is in doubt counts as the host has booked it.
    pub fn side(&self) -> Option<Side> {
        let counts = match self.state {
            State::Confirmed => true,
            State::CardUpdated => {
                !self.kind.is_offline_sale()
                    || self.chip.has(tag::APPLICATION_CRYPTOGRAM)
                    || self.chip.has(tag::PURSE_TAC)
            }
            State::Authorised | State::InDoubt => !self.kind.is_offline_sale(),
            State::Started | State::ReversalDue | State::AdviceDue | State::Reversed | State::Declined => {
                false
            }
        };
        self.kind.request_kind().side().filter(|_| counts)
    }

    /// The message that tells the row as a detail of its batch.
    pub fn detail(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Batch, Kind::BatchUpload, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that undoes the row.
    pub fn reversal(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Reversal, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that tells the issuer that its card declined.
    pub fn advice(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Notice, Kind::DeclineAdvice, self.trace, merchant, terminal)
    }

    /// The message that uploads an offline sale, or a purchase with a purse.
    pub fn upload(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Notice, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that asks the host for a purse's load, unload or change.
    pub fn purse_request(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Request, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that tells what a purse has proved of it; without a proof, it asks.
    pub fn purse_result(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::PurseResult, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that claims an offline sale whose certificate was lost. It is a request
    /// under the row's trace, so that the sale itself could still be uploaded under it.
    pub fn claim(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Request, Kind::SaleClaim, self.trace, merchant, terminal);
        if let Some(atc) = self.atc {
            request.chip.put(tag::ATC, atc.to_be_bytes());
        }
        request
    }

    /// The message that tells of a refund.
    pub fn refund(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::EcashRefund, self.trace, merchant, terminal);
        request.original = self.original;
        request
    }

    /// The message that tells that the script has landed. It has the trace of its
    /// request, so that telling it again is the same message.
    pub fn notice(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::ScriptResult, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that tells that the script of an unload has landed, so that the
    /// account may be credited. It is a request, so it has a trace of its own; the
    /// host knows it by its original.
    pub fn confirmation(&self, trace: (u32, u32), merchant: &str, terminal: &str) -> Request {
        let mut request = self.request(MessageClass::Request, Kind::Unload, trace.1, merchant, terminal);
        request.key.batch = trace.0;
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that asks how the host's row of a load stands: a script result
    /// "not performed" under a trace number of its own.
    pub fn inquiry(&self, trace: (u32, u32), merchant: &str, terminal: &str) -> Request {
        let mut request = self.notice(merchant, terminal);
        request.key.batch = trace.0;
        request.key.trace = trace.1;
        let result = ScriptResult::NotPerformed.to_bytes([0; 4]);
        request.chip.put(tag::ISSUER_SCRIPT_RESULTS, result);
        request
    }

    fn request(
        &self,
        class: MessageClass,
        kind: Kind,
        trace: u32,
        merchant: &str,
        terminal: &str,
    ) -> Request {
        Request {
            key: MessageKey {
                class,
                merchant: merchant.into(),
                terminal: terminal.into(),
                batch: self.batch,
                trace,
            },
            kind,
            amount: self.amount,
            pan: Secret::new(self.card.pan.expose().to_owned()),
            psn: self.card.psn,
            entry: self.mode,
            at: self.at,
            chip: self.chip.clone(),
            pin: None,
            original: None,
            payer: None,
        }
    }
}

/// What a row keeps sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedPart {
    pub(super) pan: String,
    pub(super) psn: u8,
    pub(super) chip: TlvStore,
    #[serde(default)]
    pub(super) original: Option<Original>,
}

/// Columns of a row that are not sealed, as the table holds them.
pub(super) fn mode_word(mode: EntryMode) -> &'static str {
    match mode {
        EntryMode::Contact => "contact",
        EntryMode::ContactlessQuick => "contactless quick",
        EntryMode::ContactlessFull => "contactless full",
    }
}

pub(super) fn mode_from_word(word: &str) -> Option<EntryMode> {
    [EntryMode::Contact, EntryMode::ContactlessQuick, EntryMode::ContactlessFull]
        .into_iter()
        .find(|mode| mode_word(*mode) == word)
}

pub(super) fn amount(minor: i64, currency: i64) -> Amount {
    Amount::new(minor.unsigned_abs(), Currency(u16::try_from(currency).unwrap_or_default()))
}
