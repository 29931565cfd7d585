//! The commands of ISO/IEC 7816-4 itself.

mod external_authenticate;
mod get_challenge;
mod get_response;
mod read_binary;
mod read_record;
mod select;
mod select_file;
mod verify;

pub use external_authenticate::ExternalAuthenticate;
pub use get_challenge::GetChallenge;
pub use get_response::GetResponse;
pub use read_binary::ReadBinary;
pub use read_record::ReadRecord;
pub use select::{Occurrence, Select};
pub use select_file::SelectFile;
pub use verify::{PinBlock, PresentedPin, Verify};

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<Select>(),
    CommandRow::of::<SelectFile>(),
    CommandRow::of::<ReadBinary>(),
    CommandRow::of::<ReadRecord>(),
    CommandRow::of::<GetResponse>(),
    CommandRow::of::<GetChallenge>(),
    CommandRow::of::<Verify>(),
    CommandRow::of::<ExternalAuthenticate>(),
];
