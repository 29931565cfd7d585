//! What is known of a purse, and why the rest is not.

use crate::roles::terminal::Fact;
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;
use crate::words::iso7816::Aid;
use crate::words::pboc::PurseRecord;

/// A purse application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseFacts {
    /// Its name.
    pub aid: Aid,
    /// What people call it.
    pub name: String,
    /// Whether the issuer has blocked it.
    pub blocked: bool,
    /// The card's number; printed, it is masked.
    pub number: Fact<Pan>,
    /// The other fields of its layout, by name.
    pub fields: Vec<(String, Fact<String>)>,
    /// What it holds.
    pub balances: Vec<PurseBalance>,
    /// Its transactions, newest first.
    pub log: Fact<Vec<PurseLogEntry>>,
}

/// One balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseBalance {
    /// What people call it.
    pub name: String,
    /// 1 deposit, 2 purse.
    pub purse: u8,
    /// Whether it is the whole of it, and no part.
    pub is_whole: bool,
    /// What can be spent; with the overdraft limit where the card tells both together.
    pub balance: Fact<Amount>,
    /// What may be overdrawn, where there is such a limit.
    pub overdraft_limit: Option<Amount>,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseLogEntry {
    /// As the card has it.
    pub record: PurseRecord,
    /// Its amount.
    pub amount: Amount,
}

impl PurseBalance {
    /// The holder's own money in minor units: below zero by what is overdrawn.
    pub fn own_minor(&self) -> Option<i64> {
        let balance = self.balance.known()?;
        Some(balance.minor as i64 - self.overdraft_limit.map_or(0, |limit| limit.minor as i64))
    }
}
