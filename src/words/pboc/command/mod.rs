//! The commands that PBOC adds.

mod append_record;
mod get_capp_prove;
mod put_data;
mod read_capp_data;
mod update_capp_data;
mod update_record;

pub use append_record::AppendRecord;
pub use get_capp_prove::{CappProof, GetCappProve};
pub use put_data::PutData;
pub use read_capp_data::{CappRecord, ReadCappData};
pub use update_capp_data::UpdateCappData;
pub use update_record::UpdateRecord;

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<PutData>(),
    CommandRow::of::<UpdateRecord>(),
    CommandRow::of::<ReadCappData>(),
    CommandRow::of::<UpdateCappData>(),
    CommandRow::of::<AppendRecord>(),
    CommandRow::of::<GetCappProve>(),
];
