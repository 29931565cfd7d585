//! The script language: its grammar, and the player of one case. It speaks to a card only
//! through the seat that the world gives it; files are found and results told elsewhere.

mod cursor;
pub mod errand;
pub mod function;
mod function_row;
mod key_version;
pub mod lua;
mod parse;
pub mod part;
pub mod pattern;
mod problem;
mod proof;
pub mod run;
mod source;
mod suggest;
pub mod tree;
mod value;

pub use errand::{Attendant, Ran, Unattended};
pub use function::FUNCTIONS;
pub use function_row::{Function, FunctionError, Surroundings};
pub use parse::{ACTION_WORDS, ELEMENT_WORDS, ERRAND_WORDS, Loader, STATEMENT_WORDS, parse};
pub use problem::{Problem, ScriptError};
pub use proof::Proof;
pub use run::{
    CaseRun, Chair, Counter, Failure, HostMoment, Moment, Outcome, Puppet, Said, Session, SessionTrouble,
    Shown, Tested, play,
};
pub use source::{Place, Source, Span};
pub use value::{Value, ValueError, View};
