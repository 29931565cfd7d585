//! The commands of GlobalPlatform Card Specification 2.3.1 clause 11 and annex E.5.

mod external_authenticate;
mod initialize_update;
mod store_data;

pub use external_authenticate::ExternalAuthenticate;
pub use initialize_update::{InitializeUpdate, Initialized};
pub use store_data::StoreData;

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<InitializeUpdate>(),
    CommandRow::of::<ExternalAuthenticate>(),
    CommandRow::of::<StoreData>(),
];
