//! Walks all commands and elements: names AIDs, explains to the bit, and masks
//! whole exchanges. Prints nothing itself.

mod aid_names;
mod bits;
mod command_meaning;
mod element_words;
mod explain;
mod iad;
mod iso8583;
mod judge;
mod line;
mod mask;
mod mask_text;
mod meaning;
mod pseudonym;
mod session;

pub use aid_names::{AID_NAMES, aid_name};
pub use element_words::element_words;
pub use explain::Explainer;
pub use iso8583::explain_message;
pub use judge::{COMMAND_ROOMS, HARMLESS_READS, HarmlessRead, command_row, judge};
pub use line::Line;
pub use mask::Masker;
pub use meaning::meaning;
