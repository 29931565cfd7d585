//! A terminal's batch: what it counts, and its sums as they go to the host. The same
//! table counts for both sides; no store and no message may enter.

use super::{Kind, MessageKey};
use crate::words::iso4217::Currency;

/// How a batch counts a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// It took money from the cardholder: a sale, or a load that was paid for.
    Debit,
    /// It gave money to the cardholder: a refund, a void, an unload.
    Credit,
}

impl Kind {
    /// How a batch counts what was approved; none where no money moved. Which side loads
    /// and unloads are on is not published and is ours.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::LinkedLoad | Self::CashLoad | Self::NonLinkedLoad | Self::PendingLoad | Self::PurseLoad => {
                Some(Side::Debit)
            }
            Self::Purchase | Self::PurchaseWithCashback | Self::Cash => Some(Side::Debit),
            Self::OfflineSale | Self::PreAuthorisationCompletion | Self::PurseSale => Some(Side::Debit),
            Self::CashLoadVoid | Self::UnloadScript | Self::EcashRefund | Self::PurseUnload => {
                Some(Side::Credit)
            }
            // The second phase of an unload moves what the first one counted.
            Self::Unload => None,
            Self::PreAuthorisation | Self::PreAuthorisationCancel | Self::BalanceInquiry => None,
            // It is between two accounts and no business of a terminal's.
            Self::PhoneTransfer | Self::PhoneTransferWithdrawal => None,
            // A limit moves no money, and a result tells of what was counted.
            Self::PurseOverdraft | Self::PurseResult => None,
            // A claim that is proven counts as the sale that it claims.
            Self::ScriptResult | Self::DeclineAdvice | Self::BatchUpload | Self::SaleClaim => None,
        }
    }
}

/// How many transactions of a batch, and what they come to, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchSums {
    /// How many took money from cardholders; a message holds at most 999.
    pub debit_count: u64,
    /// What they come to, minor units.
    pub debit_minor: u64,
    /// How many gave money to cardholders; a message holds at most 999.
    pub credit_count: u64,
    /// What they come to, minor units.
    pub credit_minor: u64,
}

impl BatchSums {
    /// Counts one transaction.
    pub fn add(&mut self, side: Side, minor: u64) {
        let (count, sum) = match side {
            Side::Debit => (&mut self.debit_count, &mut self.debit_minor),
            Side::Credit => (&mut self.credit_count, &mut self.credit_minor),
        };
        *count = count.saturating_add(1);
        *sum = sum.saturating_add(minor);
    }
}

/// What sums are sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchStep {
    /// The host compares them with its own (0500, F60.3 201).
    Compare,
    /// They did not agree, and every detail has been uploaded: the batch ends (0320,
    /// F60.3 207).
    End,
}

/// The sums of a terminal's batch in one currency (F48).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTotals {
    /// The key; its class is `Batch`, its batch the one that ends.
    pub key: MessageKey,
    /// The currency of the sums.
    pub currency: Currency,
    /// The sums by the terminal's journal.
    pub sums: BatchSums,
    /// What they are sent for.
    pub step: BatchStep,
}
