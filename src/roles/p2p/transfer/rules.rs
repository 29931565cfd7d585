//! The rules that keep a transfer from happening twice, half, or unknown to one side, by
//! name: a test switches one off, to see what it is for.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferRule {
    /// The payer keeps its agreement before it says it.
    KeepAgreement,
    /// The payee keeps the agreement before it says that it does.
    KeepBeforeReceipt,
    /// An agreement of which the payer does not know that the payee has it comes before any
    /// new one with that payee.
    FormerFirst,
    /// The payer tells the host of what it agreed to, whether or not the payee heard of it.
    TellAgreed,
    /// The payee withdraws an offer that has run out, so that it learns what became of it.
    WithdrawLapsed,
    /// Only the host's signature ends a transfer, never its silence.
    SignedOutcomes,
    /// An offer that has run out is not agreed to any more.
    RefuseLapsed,
}

impl TransferRule {
    /// Every rule.
    pub const ALL: &'static [Self] = &[
        Self::KeepAgreement,
        Self::KeepBeforeReceipt,
        Self::FormerFirst,
        Self::TellAgreed,
        Self::WithdrawLapsed,
        Self::SignedOutcomes,
        Self::RefuseLapsed,
    ];

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::KeepAgreement => "keep-agreement",
            Self::KeepBeforeReceipt => "keep-before-receipt",
            Self::FormerFirst => "former-first",
            Self::TellAgreed => "tell-agreed",
            Self::WithdrawLapsed => "withdraw-lapsed",
            Self::SignedOutcomes => "signed-outcomes",
            Self::RefuseLapsed => "refuse-lapsed",
        }
    }
}

/// The rules that a phone keeps: all of them, but for one that a test switches off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransferRules {
    without: Option<TransferRule>,
}

impl TransferRules {
    /// All of them.
    pub const ALL: Self = Self { without: None };

    /// All but one.
    pub const fn without(rule: TransferRule) -> Self {
        Self { without: Some(rule) }
    }

    /// Whether a rule is kept.
    pub(super) fn keeps(self, rule: TransferRule) -> bool {
        self.without != Some(rule)
    }
}
