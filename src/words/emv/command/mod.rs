//! The commands of EMV Book 3 6.5 and of EMV Book C-2 5.

mod application_block;
mod application_unblock;
mod card_block;
mod exchange_relay_resistance_data;
mod generate_ac;
mod get_data;
mod get_processing_options;
mod internal_authenticate;
mod pin_change_unblock;
mod recover_ac;

pub use application_block::ApplicationBlock;
pub use application_unblock::ApplicationUnblock;
pub use card_block::CardBlock;
pub use exchange_relay_resistance_data::{ExchangeRelayResistanceData, RelayResistanceData};
pub use generate_ac::{Cryptogram, GenerateAc};
pub use get_data::GetData;
pub use get_processing_options::{GetProcessingOptions, ProcessingOptions};
pub use internal_authenticate::{DynamicSignature, InternalAuthenticate};
pub use pin_change_unblock::{PinChangeUnblock, PinOperation};
pub use recover_ac::RecoverAc;

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<GetData>(),
    CommandRow::of::<GetProcessingOptions>(),
    CommandRow::of::<GenerateAc>(),
    CommandRow::of::<InternalAuthenticate>(),
    CommandRow::of::<ApplicationBlock>(),
    CommandRow::of::<ApplicationUnblock>(),
    CommandRow::of::<CardBlock>(),
    CommandRow::of::<PinChangeUnblock>(),
    CommandRow::of::<ExchangeRelayResistanceData>(),
    CommandRow::of::<RecoverAc>(),
];
