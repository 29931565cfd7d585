//! Plays one case on the seat that the world gives it: sends, judges, keeps what came. It
//! opens nothing, prints nothing, and knows no other case.

mod bench;
mod case;
mod changes;
mod command;
mod comparison;
mod edit;
mod errand;
mod evaluate;
mod expectation;
mod knowledge;
mod layout;
mod line;
mod lua;
mod matching;
mod outcome;
mod puppet;
mod scope;
mod session;
mod subject;
mod wording;

pub use bench::{Counter, Tested};
pub use case::{Chair, play};
pub use outcome::{CaseRun, Failure, HostMoment, Moment, Outcome, Shown};
pub use puppet::Puppet;
pub use session::{Said, Session, SessionTrouble};
