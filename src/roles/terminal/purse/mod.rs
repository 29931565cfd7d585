//! Purses (PBOC ED/EP) at the terminal: read, pay with a security module, load and unload with a
//! host, and what a card that was pulled proves afterwards. Nothing of debit and credit may enter.

mod balance;
mod calendar;
mod change;
mod facts;
mod file;
mod find;
mod keeper;
mod logs;
mod online;
mod proof;
mod purchase;
mod read;
mod sam;
mod select;

pub use change::PurseChange;
pub use facts::{PurseBalance, PurseFacts, PurseLogEntry, PurseName, Ride};
pub(super) use find::{Found, by_file, by_name, is_blocked};
pub use keeper::Keeper;
pub use online::{Desk, PurseOrder, change};
pub use proof::{Proven, prove, prove_selected};
pub use purchase::{CappRecord, Counter, Purchase, PurchaseKind, purchase};
pub(super) use read::read_purse;
pub use read::read_record;
pub use sam::{Sam, judge};
pub use select::{PurseChoice, SelectedPurse, expect, select, select_named};
