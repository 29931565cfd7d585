//! Plays one case on the seat that the world gives it: sends, judges, keeps what came. It
//! opens nothing, prints nothing, and knows no other case.

mod case;
mod command;
mod comparison;
mod evaluate;
mod expectation;
mod outcome;
mod scope;
mod subject;
mod wording;

pub use case::play;
pub use outcome::{CaseRun, Failure, Moment, Outcome, Shown};
