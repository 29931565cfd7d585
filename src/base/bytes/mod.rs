//! Bytes and how people write them: hex, BCD, bit tables, a cursor that knows
//! its offset, secrets. Nothing here knows what the bytes mean.

mod bcd;
mod bits;
mod cursor;
mod hex;
mod secret;

pub use bcd::{BcdError, bcd_digits, bcd_to_u64, digits_to_bcd, u64_to_bcd};
pub use bits::Bit;
pub(crate) use bits::bit_field;
pub use cursor::{Cursor, Truncated};
pub use hex::{Hex, HexError, parse_hex};
pub use secret::Secret;
