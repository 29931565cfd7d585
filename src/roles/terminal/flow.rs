//! What a terminal can be told to do with a card.

use crate::air::host::Kind;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Load from the linked account (圈存).
    Load,
    /// Load paid in cash (现金充值).
    CashLoad,
    /// Load from the card's pending account (补登圈存).
    PendingLoad,
    /// Load from the account of another card (非指定账户圈存); the terms say how that is read.
    NonLinkedLoad,
    /// Void of a load paid in cash (现金充值撤销); the terms name the load.
    CashLoadVoid,
    /// Electronic cash goes back to the linked account (圈提).
    Unload,
    /// Pay.
    Pay,
    /// A ride: the card is authenticated offline and gives an ARQC; its issuer is asked
    /// later (deferred authorisation). Nothing moves now.
    Ride,
    /// Pay, and take a part of the amount as cash; the terms say which.
    Cashback,
    /// Take the amount as cash.
    Cash,
    /// What the linked account may spend; the amount is 0 and nothing moves.
    Inquire,
    /// Pre-authorisation: an amount is held (预授权).
    PreAuthorise,
    /// Its completion (预授权完成); the terms name the hold.
    CompletePreAuthorisation,
    /// Its cancellation (预授权撤销); the terms name the hold.
    CancelPreAuthorisation,
}

impl Flow {
    /// Tag 9C: the first two digits of the processing code.
    pub const fn transaction_type(self) -> u8 {
        match self {
            Self::Load | Self::PendingLoad => 0x60,
            Self::CashLoad => 0x63,
            Self::NonLinkedLoad => 0x62,
            Self::CashLoadVoid => 0x17,
            Self::Unload => 0x61,
            Self::Pay | Self::Ride | Self::CompletePreAuthorisation => 0x00,
            Self::Cash => 0x01,
            Self::Cashback => 0x09,
            Self::Inquire => 0x31,
            Self::PreAuthorise => 0x03,
            Self::CancelPreAuthorisation => 0x20,
        }
    }

    /// Whether money can move: then the journal knows of it before it does.
    pub const fn moves_money(self) -> bool {
        !matches!(self, Self::Inquire | Self::Ride)
    }

    /// Whether the issuer's script writes the card's balance.
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

    /// Whether the online PIN is wanted whatever the card's list of methods says: an
    /// account is about to be moved. Cash on the counter wants none.
    pub const fn wants_pin(self) -> bool {
        matches!(self, Self::Load | Self::PendingLoad | Self::NonLinkedLoad | Self::Unload | Self::Inquire)
    }

    /// Whether the card's list of verification methods is worked through: a payment
    /// does, or what holds an amount for one.
    pub const fn verifies_by_list(self) -> bool {
        matches!(self, Self::Pay | Self::Cashback | Self::Cash | Self::PreAuthorise)
    }

    /// What is asked of the host.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Load => Kind::LinkedLoad,
            Self::CashLoad => Kind::CashLoad,
            Self::PendingLoad => Kind::PendingLoad,
            Self::NonLinkedLoad => Kind::NonLinkedLoad,
            Self::CashLoadVoid => Kind::CashLoadVoid,
            Self::Unload => Kind::UnloadScript,
            Self::Pay | Self::Ride => Kind::Purchase,
            Self::Cashback => Kind::PurchaseWithCashback,
            Self::Cash => Kind::Cash,
            Self::Inquire => Kind::BalanceInquiry,
            Self::PreAuthorise => Kind::PreAuthorisation,
            Self::CompletePreAuthorisation => Kind::PreAuthorisationCompletion,
            Self::CancelPreAuthorisation => Kind::PreAuthorisationCancel,
        }
    }
}
