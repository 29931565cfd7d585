//! What kind of transaction a row of the journal is.

use crate::air::host::Kind;

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
