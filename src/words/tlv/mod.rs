//! BER-TLV, data object lists and tag lists, with offsets in every error. No
//! tag has a meaning here: meanings are in the dictionary.

mod dol;
mod element;
mod store;
mod tag;

pub use dol::{Dol, DolEntry, parse_tag_list};
pub use element::{Tlv, TlvError, encode, encode_into, find, parse, parse_one};
pub use store::TlvStore;
pub use tag::Tag;
