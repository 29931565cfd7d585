//! The rules of recovery, and which are in force.

/// A rule of recovery. Each closes a gap that no other closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecoveryRule {
    /// A request without a usable answer may have been booked: it is to be undone.
    ReverseUnanswered,
    /// An approval whose script was never sent is to be undone.
    ReverseUnsent,
    /// A reversal that is due goes out.
    SendReversal,
    /// An entry of the card's log with the row's transaction counter proves that it landed.
    ProveByLog,
    /// A log that reaches back beyond the row's transaction counter and has no entry
    /// with it proves that it did not land: the card writes the entry and the money
    /// in one step.
    ProveByAbsence,
    /// The balance proves it either way while the transaction counter is unchanged.
    ProveByBalance,
    /// The host may have proof by the card's next cryptogram.
    AskHost,
    /// A notice that is due goes out.
    SendNotice,
    /// An offline sale is uploaded.
    UploadSale,
    /// An offline sale whose certificate was lost with the card's answer is claimed.
    ClaimSale,
    /// A purse's GET TRANSACTION PROVE and its log prove it either way.
    ProveByPurse,
    /// A payment for which the card was never asked is closed: nothing moved.
    CloseUnsent,
}

impl RecoveryRule {
    /// Every rule.
    pub const ALL: &'static [Self] = &[
        Self::ReverseUnanswered,
        Self::ReverseUnsent,
        Self::SendReversal,
        Self::ProveByLog,
        Self::ProveByAbsence,
        Self::ProveByBalance,
        Self::AskHost,
        Self::SendNotice,
        Self::UploadSale,
        Self::ClaimSale,
        Self::ProveByPurse,
        Self::CloseUnsent,
    ];

    /// Its name for switches and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReverseUnanswered => "reverse-unanswered",
            Self::ReverseUnsent => "reverse-unsent",
            Self::SendReversal => "send-reversal",
            Self::ProveByLog => "prove-by-log",
            Self::ProveByAbsence => "prove-by-absence",
            Self::ProveByBalance => "prove-by-balance",
            Self::AskHost => "ask-host",
            Self::SendNotice => "send-notice",
            Self::UploadSale => "upload-sale",
            Self::ClaimSale => "claim-sale",
            Self::ProveByPurse => "prove-by-purse",
            Self::CloseUnsent => "close-unsent",
        }
    }
}

/// Which rules are in force. Switching one off is for tests that show what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecoveryRules {
    off: Option<RecoveryRule>,
}

impl RecoveryRules {
    /// Every rule.
    pub const ALL: Self = Self { off: None };

    /// Every rule but one.
    pub const fn without(rule: RecoveryRule) -> Self {
        Self { off: Some(rule) }
    }

    pub(super) fn has(self, rule: RecoveryRule) -> bool {
        self.off != Some(rule)
    }
}
