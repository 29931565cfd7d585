//! A transit gate: a terminal that authenticates cards offline, a deny list, rules, and taps
//! that are kept before it opens and paid for later. Nothing of the issuer's books may enter.

mod aggregation;
mod air_time;
mod bloom;
mod book;
mod decision;
mod deny_delta;
mod deny_list;
mod due;
mod error;
mod gather;
mod handle;
mod line;
mod line_kind;
mod listing;
mod making;
mod passage;
mod purse;
mod purse_book;
mod purse_rules;
mod ride;
mod rules;
mod schema;
mod state;
mod upload;

pub use aggregation::Aggregation;
pub use air_time::AirTime;
pub use bloom::Bloom;
pub use book::{Book, Standing};
pub use deny_delta::DenyDelta;
pub use deny_list::DenyList;
pub use error::{DenyListError, GateError, LineError};
pub use handle::Gate;
pub use line::{AirRules, Line};
pub use line_kind::LineKind;
pub use listing::{Charged, KeptRide, StateSum};
pub use passage::{Passage, Timing, Why};
pub use purse_rules::PurseRules;
pub use state::TapState;
pub use upload::Uploaded;
