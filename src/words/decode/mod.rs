//! Walks all commands and elements: names AIDs, explains to the bit, and masks
//! whole exchanges. Prints nothing itself.

mod aid_names;
mod atr;
mod bit_names;
mod bits;
mod codes;
mod command_meaning;
mod element_words;
mod explain;
mod fields;
mod iad;
mod iad_layouts;
mod iso8583;
mod judge;
mod kind;
mod line;
mod mask;
mod mask_text;
mod meaning;
mod merchant_category;
mod parts;
mod pseudonym;
mod session;

pub use aid_names::{AID_NAMES, aid_name};
pub use atr::explain_atr;
pub use bit_names::{BitName, bit_names};
pub use codes::code_words;
pub use element_words::element_words;
pub use explain::Explainer;
pub use iso8583::explain_message;
pub use judge::{COMMAND_ROOMS, HARMLESS_READS, HarmlessRead, command_row, judge};
pub use kind::{DecodeError, KINDS, Kind, Ways, decode, guess};
pub use line::Line;
pub use mask::Masker;
pub use meaning::meaning;
