//! The issuer: keys, decision, ledger, recovery of what is in flight. It meets
//! terminals through `air::host` alone; nothing of a card or a terminal may enter.

mod account;
mod answer;
mod batch;
mod cards;
mod check;
mod decision;
mod error;
mod evidence;
mod flag;
mod grant;
mod history;
mod hold;
mod host;
mod inquiry;
mod keys;
mod ledger;
mod limits;
mod load;
mod message;
mod pending;
mod present;
mod purchase;
pub mod reconciliation;
mod reversal;
mod rules;
mod sale;
mod schema;
mod settlement;
mod usage;
mod work;

pub use account::{AccountId, AccountSummary, NewAccount};
pub use batch::{BatchDifference, BatchState, BatchSummary, Difference};
pub use cards::{CardAccount, CardOrder, EcashTerms};
pub use check::Violation;
pub use error::IssuerError;
pub use flag::{Flag, FlagKind};
pub use history::{Counts, HistoryRow};
pub use host::Issuer;
pub use keys::{KeyRow, KeyTable};
pub use ledger::{Books, CurrencyBooks};
pub use limits::{AccountClass, ClassLimits, EcashLimits, Figures, Limits, LimitsError, Party};
pub use load::{LoadKind, OpenLoad};
pub use rules::{Recovery, Rules};
pub use usage::Used;
