//! The commands of a secure channel and of personalisation.

mod external_authenticate;
mod initialize_update;
mod store_data;

pub use external_authenticate::ExternalAuthenticate;
pub use initialize_update::{InitializeUpdate, UpdateAnswer};
pub use store_data::StoreData;

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<InitializeUpdate>(),
    CommandRow::of::<ExternalAuthenticate>(),
    CommandRow::of::<StoreData>(),
];
