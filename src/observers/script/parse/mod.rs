//! Reads a script's text. It knows the words of the language and the registries of
//! commands and functions; it sends nothing and works nothing out.

mod command;
mod each;
mod element;
mod errand;
mod expectation;
mod expression;
mod header;
mod line;
mod lua;
mod names;
mod part;
mod part_check;
mod script;
mod table;

pub(super) use command::command_names;
pub use element::ELEMENT_WORDS;
pub(super) use element::element_named;
pub use errand::ERRAND_WORDS;
pub(super) use expectation::looked_at;
pub(super) use expression::value_of;
pub use line::STATEMENT_WORDS;
pub(super) use names::tag_name;
pub use part::ACTION_WORDS;
pub(super) use script::steps;
pub use script::{Loader, parse};
