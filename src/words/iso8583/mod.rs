//! Host messages (ISO 8583:1987): fields by number, and dialects that say how they
//! are written. No meaning of a transaction and no socket may enter.

mod dialect;
mod encode;
mod error;
mod frame;
mod layout;
mod mac;
mod message;
mod parse;

pub use dialect::{
    Binary, DIALECTS, Dialect, DialectRow, Digits, FieldLength, FieldRow, Format, Justify, MacAlgorithm,
    dialect,
};
pub use encode::encode;
pub use error::Iso8583Error;
pub use frame::{Frame, LengthPrefix};
pub use layout::{Holds, Part};
pub use mac::{mac, mac_input, seal};
pub use message::{Message, Mti};
pub use parse::{Parsed, Span, parse, parse_as_far, parse_spans};
