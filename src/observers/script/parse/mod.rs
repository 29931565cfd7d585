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
mod names;
mod part;
mod part_check;
mod script;
mod table;

pub use element::ELEMENT_WORDS;
pub use errand::ERRAND_WORDS;
pub use line::STATEMENT_WORDS;
pub(super) use names::tag_name;
pub use part::ACTION_WORDS;
pub use script::{Loader, parse};
