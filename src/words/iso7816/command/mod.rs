//! The trait that describes one command for both ends, and the commands of
//! ISO/IEC 7816-4 itself.

mod external_authenticate;
mod get_response;
mod read_record;
mod select;
mod traits;
mod verify;

pub use external_authenticate::ExternalAuthenticate;
pub use get_response::GetResponse;
pub use read_record::ReadRecord;
pub use select::{Occurrence, Select};
pub use traits::{ApduCommand, CommandError, CommandRow, Effect};
pub use verify::{PinBlock, Verify};

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<Select>(),
    CommandRow::of::<ReadRecord>(),
    CommandRow::of::<GetResponse>(),
    CommandRow::of::<Verify>(),
    CommandRow::of::<ExternalAuthenticate>(),
];
