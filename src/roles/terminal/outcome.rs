//! What a transaction came to.

use super::entry_point::Parameters;
use super::message::Message;
use crate::air::host::Request;
use crate::base::bytes::Secret;
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;
use crate::words::iso7816::StatusWord;

/// What people must be told where the card's certificates were not looked at.
pub(super) const ODA_NOT_PERFORMED: &str = "offline data authentication not performed";

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The card holds the money and the host knows.
    Loaded,
    /// The card holds the money; the host has not taken note yet.
    LoadedUnconfirmed,
    /// The card has given the money up and the host knows.
    Unloaded,
    /// The card has given the money up; the host has not taken note yet.
    UnloadedUnconfirmed,
    /// The card has the new overdraft limit and the host knows.
    LimitChanged,
    /// The card has the new overdraft limit; the host has not taken note yet.
    LimitChangedUnconfirmed,
    /// The card approved offline; the sale waits for its upload.
    ApprovedOffline,
    /// The host approved.
    ApprovedOnline,
    /// The card is authentic and its issuer is to be asked later: the outcome has the request.
    Deferred,
    /// The host could not be reached: the request never left, and nothing moved.
    HostUnreachable,
    /// The host has given the money of a sale back.
    Refunded,
    /// The refund is in the journal; the host has not taken note yet.
    RefundUnconfirmed,
    /// Declined, by card or host; nothing moved, or what moved is being undone.
    Declined,
    /// Refused by a rule of the terminal or a limit of the card, before money moved.
    Refused,
    /// Not over contactless: the card is to be inserted (EMV Contactless Book A 6.1).
    TryAnotherInterface,
    /// Ended without a decision, over contactless (EMV Contactless Book A 6.1).
    EndApplication,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &'static [Self] = &[
        Self::Loaded,
        Self::LoadedUnconfirmed,
        Self::Unloaded,
        Self::UnloadedUnconfirmed,
        Self::LimitChanged,
        Self::LimitChangedUnconfirmed,
        Self::ApprovedOffline,
        Self::ApprovedOnline,
        Self::Deferred,
        Self::HostUnreachable,
        Self::Refunded,
        Self::RefundUnconfirmed,
        Self::Declined,
        Self::Refused,
        Self::TryAnotherInterface,
        Self::EndApplication,
    ];

    /// Its word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::LoadedUnconfirmed => "loaded, the host is still to be told",
            Self::Unloaded => "taken off the card",
            Self::UnloadedUnconfirmed => "taken off the card, the host is still to be told",
            Self::LimitChanged => "set as overdraft limit",
            Self::LimitChangedUnconfirmed => "set as overdraft limit, the host is still to be told",
            Self::ApprovedOffline => "approved offline",
            Self::ApprovedOnline => "approved online",
            Self::Deferred => "authenticated offline, the issuer is to be asked",
            Self::HostUnreachable => "not done, the host is not there",
            Self::Refunded => "refunded",
            Self::RefundUnconfirmed => "to be refunded, the host is still to be told",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::TryAnotherInterface => "not over this interface",
            Self::EndApplication => "ended without a decision",
        }
    }

    /// Whether the host is still to be told what was done.
    pub const fn is_unconfirmed(self) -> bool {
        matches!(
            self,
            Self::LoadedUnconfirmed
                | Self::UnloadedUnconfirmed
                | Self::LimitChangedUnconfirmed
                | Self::RefundUnconfirmed
        )
    }

    /// What the cardholder is shown.
    pub const fn message(self) -> Message {
        match self {
            Self::HostUnreachable | Self::Declined => Message::NotAuthorised,
            Self::Refused => Message::NotAccepted,
            Self::TryAnotherInterface => Message::InsertOrSwipe,
            Self::EndApplication => Message::TryAnotherCard,
            _ => Message::Approved,
        }
    }

    /// Whether the cardholder got what was asked for.
    pub const fn is_success(self) -> bool {
        !matches!(
            self,
            Self::HostUnreachable
                | Self::Declined
                | Self::Refused
                | Self::TryAnotherInterface
                | Self::EndApplication
        )
    }
}

/// What a transaction came to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The end.
    pub verdict: Verdict,
    /// Which rule led there.
    pub reason: String,
    /// The amount asked for.
    pub amount: Amount,
    /// The balance before, where the card told it.
    pub balance_before: Option<Amount>,
    /// The balance after, where it is known.
    pub balance_after: Option<Amount>,
    /// What the account behind the card may spend, where the host told it.
    pub account_balance: Option<Amount>,
    /// Batch and trace number.
    pub trace: (u32, u32),
    /// The card's transaction counter, once it was used.
    pub atc: Option<u16>,
    /// The card; printed, it is masked.
    pub pan: Option<Pan>,
    /// The last four digits of the card that a token stands for (9F25), for the receipt.
    pub funding_last_four: Option<String>,
    /// The cardholder's language, two letters (ISO 639-1); empty where nobody was asked.
    pub language: String,
    /// What people must be told besides: offline data authentication that was not performed.
    pub remarks: Vec<&'static str>,
    /// What the reader does with it, over contactless.
    pub parameters: Option<Parameters>,
    /// What the issuer is to be asked later, of a ride that was deferred.
    pub deferred: Option<Box<Request>>,
    /// What a purse, or the security module of its MAC2, answered where it refused.
    pub refused_with: Option<StatusWord>,
    /// The account behind the card or token (9F24), where the card tells it.
    pub account_reference: Option<Secret<String>>,
}

/// The end of a transaction with a purse, which has no language and no certificates.
pub(super) fn purse_outcome(
    verdict: Verdict,
    reason: String,
    amount: Amount,
    trace: (u32, u32),
    number: &Pan,
) -> Outcome {
    Outcome {
        verdict,
        reason,
        amount,
        balance_before: None,
        balance_after: None,
        account_balance: None,
        trace,
        atc: None,
        pan: Some(number.clone()),
        funding_last_four: None,
        language: String::new(),
        remarks: Vec::new(),
        parameters: None,
        deferred: None,
        refused_with: None,
        account_reference: None,
    }
}
