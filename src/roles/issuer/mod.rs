//! The issuer: keys, decision, ledger, recovery of what is in flight. It meets
//! terminals through `air::host` alone; nothing of a card or a terminal may enter.

mod account;
mod answer;
mod cards;
mod check;
mod decision;
mod error;
mod evidence;
mod grant;
mod history;
mod hold;
mod holder;
mod host;
mod identity;
mod inquiry;
mod keys;
mod ledger;
mod load;
mod message;
mod one_time_code;
mod pending;
mod present;
mod purchase;
pub mod reconciliation;
mod reversal;
mod rules;
mod sale;
mod schema;
mod work;

pub use account::{AccountId, AccountSummary};
pub use cards::{CardAccount, CardOrder, EcashTerms};
pub use check::Violation;
pub use error::IssuerError;
pub use history::{Counts, HistoryRow};
pub use host::Issuer;
pub use keys::{KeyRow, KeyTable};
pub use ledger::{Books, CurrencyBooks};
pub use load::{LoadKind, OpenLoad};
pub use rules::{Recovery, Rules};
