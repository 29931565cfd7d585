//! The commands that PBOC adds.

mod put_data;
mod update_record;

pub use put_data::PutData;
pub use update_record::UpdateRecord;

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[CommandRow::of::<PutData>(), CommandRow::of::<UpdateRecord>()];
