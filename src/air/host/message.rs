//! Requests, answers and the trait. Field numbers (F2, F11 ...) are those of
//! ISO 8583:1987, so that a dialect can put them on a wire.

use super::BatchTotals;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of message a key belongs to: a reversal repeats the trace of its
/// original and is no duplicate of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// A request that wants a decision.
    Request,
    /// A reversal.
    Reversal,
    /// A notice of something that has happened.
    Notice,
    /// Batch and settlement.
    Batch,
}

/// The key under which a message acts once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageKey {
    /// The class.
    pub class: MessageClass,
    /// F42, 1 to 15 characters.
    pub merchant: String,
    /// F41, 1 to 8 characters.
    pub terminal: String,
    /// F60.2, six digits.
    pub batch: u32,
    /// F11, six digits.
    pub trace: u32,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Circle load from the linked account (指定账户圈存), F3 600000.
    LinkedLoad,
    /// Purchase that wants authorisation, F3 000000.
    Purchase,
    /// A purchase that pays a part of its amount out in cash (tag 9F03, F54), F3 090000.
    PurchaseWithCashback,
    /// Cash from the account behind the card, F3 010000.
    Cash,
    /// A sale that the card approved offline (F60.1 36).
    OfflineSale,
    /// The same without its certificate, which was lost with the card's answer: a claim
    /// that the card's next proven balance decides.
    SaleClaim,
    /// What became of a script (0620, F60.3 951).
    ScriptResult,
    /// A card that declined by itself wants its issuer told (0620, F60.3 952).
    DeclineAdvice,
    /// Circle load paid in cash (现金充值), F3 630000.
    CashLoad,
    /// Void of a cash load (现金充值撤销), F3 170000; `original` is the load.
    CashLoadVoid,
    /// Circle load from another card's account (非指定账户圈存), F3 620000.
    NonLinkedLoad,
    /// Circle load from the card's pending account (补登圈存), F3 600000.
    PendingLoad,
    /// Asks for the script that lowers a card's balance (圈提, phase one), 0100, F3 610000.
    UnloadScript,
    /// The card's balance is lowered; the account may be credited (圈提, phase two),
    /// 0200, F3 610000; `original` is phase one.
    Unload,
    /// Refund of an electronic cash sale (0220, F60.1 27); `original` is the sale.
    EcashRefund,
    /// Balance of the account, F3 310000.
    BalanceInquiry,
    /// Pre-authorisation: an amount is held (0100, F3 030000).
    PreAuthorisation,
    /// Its completion: the held amount or less is taken (0200, F25 06); as a notice it is told
    /// without the card (0220, F60.1 24).
    PreAuthorisationCompletion,
    /// Its cancellation: nothing is taken (0100, F3 200000, F25 06).
    PreAuthorisationCancel,
    /// A load of a purse (ED, EP): MAC1 asks, MAC2 answers. What networks have for purses is
    /// not published; this and the next four are ours.
    PurseLoad,
    /// An unload of a purse: the same, and the account is credited by MAC3.
    PurseUnload,
    /// A change of a deposit's overdraft limit, the same way; the amount is the new limit.
    PurseOverdraft,
    /// A purchase that a purse made with a security module, proven by its TAC.
    PurseSale,
    /// What became of a purse's load, unload or change: TAC or MAC3, or a question.
    PurseResult,
    /// A transaction's details, after the sums of its batch did not agree (0320, F60.3 205);
    /// `original` is the transaction.
    BatchUpload,
    /// A transfer that two phones agreed to, from either of them, F3 400000: `DF8A04` and
    /// `DF8A05` are its offer and agreement. It has no card.
    PhoneTransfer,
    /// A payee's phone does not want the money of an offer any more: `DF8A04` and `DF8A06`.
    PhoneTransferWithdrawal,
}

/// How the card was read (F22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Chip by contact (05x).
    Contact,
    /// Contactless, quick path (07x).
    ContactlessQuick,
    /// Contactless, full path (98x).
    ContactlessFull,
}

/// A message to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The key under which it acts once.
    pub key: MessageKey,
    /// What is asked for; in a reversal, the kind of the original.
    pub kind: Kind,
    /// F4 and F49.
    pub amount: Amount,
    /// F2, digits.
    pub pan: Secret<String>,
    /// F23, tag 5F34.
    pub psn: u8,
    /// F22.
    pub entry: Entry,
    /// When the transaction was made, by the terminal's clock (F12, F13).
    pub at: Timestamp,
    /// F55: the chip's data. `DF31` stands in script results and reversals.
    pub chip: TlvStore,
    /// F52 before it is enciphered: PIN digits.
    pub pin: Option<Secret<String>>,
    /// The message that a notice speaks of; a reversal repeats its trace instead.
    pub original: Option<Original>,
    /// F102: the PAN of the card whose account pays for the load of another one, and whose
    /// PIN it is then.
    pub payer: Option<Secret<String>>,
}

/// Which earlier request a notice speaks of (F61).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Original {
    /// Its batch.
    pub batch: u32,
    /// Its trace.
    pub trace: u32,
}

/// F39, two characters. Any value is kept; the named ones have words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseCode(pub [u8; 2]);

macro_rules! response_codes {
    ($( $name:ident = $value:literal, $words:literal; )*) => {
        impl ResponseCode {
            $( #[doc = $words] pub const $name: Self = Self(*$value); )*

            /// Every named code and what it says.
            pub const ROWS: &'static [(Self, &'static str)] = &[$((Self::$name, $words)),*];
        }
    };
}

response_codes! {
    APPROVED = b"00", "approved";
    DO_NOT_HONOUR = b"05", "do not honour";
    INVALID_TRANSACTION = b"12", "invalid transaction";
    INVALID_AMOUNT = b"13", "invalid amount";
    NO_SUCH_CARD = b"14", "no such card number";
    NO_ORIGINAL = b"25", "original transaction not found";
    FORMAT_ERROR = b"30", "format error";
    INSUFFICIENT_FUNDS = b"51", "insufficient funds";
    EXPIRED = b"54", "expired card";
    WRONG_PIN = b"55", "incorrect PIN";
    NOT_PERMITTED = b"57", "transaction not permitted to this cardholder";
    LIMIT_EXCEEDED = b"61", "exceeds an amount limit";
    RESTRICTED = b"62", "restricted card";
    PIN_TRIES_EXCEEDED = b"75", "PIN tries exceeded";
    ISSUER_UNREACHABLE = b"91", "issuer or switch inoperative";
    DUPLICATE = b"94", "duplicate transmission with other content";
    NOT_BALANCED = b"95", "the totals do not agree";
    MALFUNCTION = b"96", "system malfunction";
    UNKNOWN_TERMINAL = b"97", "unknown terminal";
    MAC_FAILED = b"A0", "message authentication failed";
}

impl ResponseCode {
    /// Whether the host approved.
    pub fn is_approved(self) -> bool {
        self == Self::APPROVED
    }

    /// What it says, where that is known.
    pub fn words(self) -> &'static str {
        Self::ROWS.iter().find(|row| row.0 == self).map_or("unnamed code", |row| row.1)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", String::from_utf8_lossy(&self.0), self.words())
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

/// How the host's own row of a load, or claim of a sale, stands. The answer to a script
/// result or claim carries it, so that a terminal whose card never came back still learns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Nothing is proven yet.
    Open,
    /// The card holds the money.
    Landed,
    /// The card does not hold it, and the account has it back.
    Returned,
}

/// A host's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// F39.
    pub code: ResponseCode,
    /// Which rule led to the code, for people and traces; no card data.
    pub reason: String,
    /// F38, six characters, when approved.
    pub authorisation_code: Option<String>,
    /// F55: tags 91, 71, 72.
    pub chip: TlvStore,
    /// How the row that a script result or reversal speaks of stands now.
    pub settlement: Option<Settlement>,
    /// F54: the account's balance, in the answer to an inquiry.
    #[serde(default)]
    pub balance: Option<Amount>,
}

impl Answer {
    /// An answer without chip data.
    pub fn new(code: ResponseCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            authorisation_code: None,
            chip: TlvStore::new(),
            settlement: None,
            balance: None,
        }
    }
}

/// Why there is no answer. The request may or may not have acted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing left the terminal: the host cannot have acted.
    #[error("could not reach the host: {cause}")]
    Unreachable {
        /// What the transport said.
        cause: String,
    },
    /// Sent, and no answer came in time.
    #[error("the host did not answer within {timeout_ms} ms")]
    NoAnswer {
        /// The time allowed.
        timeout_ms: u64,
    },
    /// An answer came that cannot be trusted or read.
    #[error("the host's answer cannot be used: {cause}")]
    Unusable {
        /// What is wrong with it.
        cause: String,
    },
    /// The host's own store failed.
    #[error("the host failed: {cause}")]
    Failed {
        /// What it said.
        cause: String,
    },
}

/// How an answer is sent on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// How often; with 0 the line stays open and says nothing.
    pub copies: u8,
    /// How long it waits, milliseconds.
    pub after_ms: u64,
}

impl Default for Delivery {
    /// Once and at once.
    fn default() -> Self {
        Self { copies: 1, after_ms: 0 }
    }
}

/// A host: the issuer, a token service in front of it, or a client of a remote one.
pub trait Host: Send {
    /// Decides on a request. Sent twice under one key, it acts once and answers the same.
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError>;

    /// Takes note of something that has happened.
    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError>;

    /// Undoes the request with the same key but for the class. A reversal of an
    /// unknown original is accepted and bars that original from acting later.
    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError>;

    /// Compares the sums of a batch with its own: approved where they agree, which ends
    /// the batch, [`ResponseCode::NOT_BALANCED`] where they do not. Then it takes a
    /// [`Kind::BatchUpload`] for each transaction, and the sums again as
    /// [`super::BatchStep::End`]. No money moves by it. A host that keeps no batches
    /// refuses, which is what it does unless it says otherwise.
    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        let _ = (totals, context);
        Ok(Answer::new(ResponseCode::INVALID_TRANSACTION, "this host keeps no batches"))
    }

    /// How the answer just given is to be sent: once and at once, unless a host that
    /// tests terminals says otherwise.
    fn delivery(&mut self) -> Delivery {
        Delivery::default()
    }
}

impl<H: Host + ?Sized> Host for Box<H> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (**self).authorise(request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (**self).advise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (**self).reverse(request, context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        (**self).settle(totals, context)
    }

    fn delivery(&mut self) -> Delivery {
        (**self).delivery()
    }
}
