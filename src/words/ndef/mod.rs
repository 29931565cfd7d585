//! NFC Data Exchange Format (NFC Forum NDEF 1.0): records and messages, and the record
//! types that are used here. What carries a message does not enter.

mod message;
mod record;
mod well_known;

pub use message::Message;
pub use record::{NdefError, Record, TypeNameFormat};
pub use well_known::{WellKnown, text, uri};
