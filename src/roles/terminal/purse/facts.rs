//! What is known of a purse, and why the rest is not.

use crate::roles::terminal::Fact;
use crate::words::iso4217::Amount;
use crate::words::iso7816::Aid;
use crate::words::pboc::{LogForm, PurseNumber, PurseRecord, TravelRecord};
use std::fmt;

/// A purse application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseFacts {
    /// Its name.
    pub aid: PurseName,
    /// What people call it.
    pub name: String,
    /// Whether a public dump reads by this layout as its source says.
    pub is_checked: bool,
    /// Whether the issuer has blocked it.
    pub blocked: bool,
    /// The card's number; printed, it is masked.
    pub number: Fact<PurseNumber>,
    /// The other fields of its layout, by name.
    pub fields: Vec<(String, Fact<String>)>,
    /// What it holds.
    pub balances: Vec<PurseBalance>,
    /// Its transactions, newest first.
    pub log: Fact<Vec<PurseLogEntry>>,
    /// Its further logs, by name.
    pub more_logs: Vec<(String, Fact<Vec<PurseLogEntry>>)>,
    /// Its rides, newest first, where its layout has a log of them.
    pub rides: Option<Fact<Vec<Ride>>>,
    /// What else people should know: what is malformed, and what stands for what is missing.
    pub remarks: Vec<String>,
}

/// How a purse is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurseName {
    /// By its name.
    Aid(Aid),
    /// By its file identifier.
    File(u16),
}

/// One balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseBalance {
    /// What people call it.
    pub name: String,
    /// 1 deposit, 2 purse.
    pub purse: u8,
    /// What can be spent; with the overdraft limit where there is one.
    pub balance: Fact<Amount>,
    /// How much of it is overdraft, where there is such a limit.
    pub overdraft_limit: Option<Amount>,
    /// What is overdrawn where nothing can be spent.
    pub overdrawn: Option<Amount>,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseLogEntry {
    /// As the card has it.
    pub record: PurseRecord,
    /// Its amount.
    pub amount: Amount,
    /// How it is written.
    pub form: LogForm,
}

/// A ride.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ride {
    /// As the card has it.
    pub record: TravelRecord,
    /// Its fare.
    pub amount: Amount,
    /// What the purse held afterwards.
    pub balance: Amount,
}

impl fmt::Display for PurseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aid(aid) => aid.fmt(f),
            Self::File(identifier) => write!(f, "file {identifier:04X}"),
        }
    }
}

impl PurseBalance {
    /// The holder's own money in minor units: below zero by what is overdrawn.
    pub fn own_minor(&self) -> Option<i64> {
        let limit = self.overdraft_limit.map_or(0, |limit| limit.minor as i64);
        Some(self.spendable_minor()? - limit)
    }

    /// What can be spent in minor units, with what is lent: below zero by what is overdrawn.
    pub fn spendable_minor(&self) -> Option<i64> {
        let overdrawn = self.overdrawn.map_or(0, |overdrawn| overdrawn.minor as i64);
        Some(self.balance.known()?.minor as i64 - overdrawn)
    }
}
