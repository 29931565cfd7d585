//! The commands of the PN532, one file each, both directions: the driver writes them and reads
//! answers, the simulated chip reads them and writes answers.

mod diagnose;
mod get_firmware_version;
mod get_general_status;
mod in_atr;
mod in_auto_poll;
mod in_communicate_thru;
mod in_data_exchange;
mod in_deselect;
mod in_jump_for_dep;
mod in_jump_for_psl;
mod in_list_passive_target;
mod in_psl;
mod in_release;
mod in_select;
mod power_down;
mod read_register;
mod rf_configuration;
mod sam_configuration;
mod set_parameters;
mod set_serial_baud_rate;
mod tg_get_data;
mod tg_get_initiator_command;
mod tg_get_target_status;
mod tg_init_as_target;
mod tg_response_to_initiator;
mod tg_set_data;
mod tg_set_general_bytes;
mod tg_set_meta_data;
mod write_register;

pub use super::command_row::CommandRow;
pub use super::status::{Exchanged, Status};
pub use super::wire::{ChipCommand, Wire};
pub use diagnose::Diagnose;
pub use get_firmware_version::{FirmwareVersion, GetFirmwareVersion};
pub use get_general_status::{GeneralStatus, GetGeneralStatus};
pub use in_atr::InAtr;
pub use in_auto_poll::{InAutoPoll, Polled};
pub use in_communicate_thru::InCommunicateThru;
pub use in_data_exchange::InDataExchange;
pub use in_deselect::InDeselect;
pub use in_jump_for_dep::InJumpForDep;
pub use in_jump_for_psl::InJumpForPsl;
pub use in_list_passive_target::{InListPassiveTarget, Listed, TargetA, TargetB};
pub use in_psl::InPsl;
pub use in_release::InRelease;
pub use in_select::InSelect;
pub use power_down::PowerDown;
pub use read_register::ReadRegister;
pub use rf_configuration::RfConfiguration;
pub use sam_configuration::SamConfiguration;
pub use set_parameters::SetParameters;
pub use set_serial_baud_rate::SetSerialBaudRate;
pub use tg_get_data::TgGetData;
pub use tg_get_initiator_command::TgGetInitiatorCommand;
pub use tg_get_target_status::{TargetStatus, TgGetTargetStatus};
pub use tg_init_as_target::{Met, TgInitAsTarget};
pub use tg_response_to_initiator::TgResponseToInitiator;
pub use tg_set_data::TgSetData;
pub use tg_set_general_bytes::TgSetGeneralBytes;
pub use tg_set_meta_data::TgSetMetaData;
pub use write_register::WriteRegister;

/// Every command, by its code.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<diagnose::Diagnose>(),
    CommandRow::of::<get_firmware_version::GetFirmwareVersion>(),
    CommandRow::of::<get_general_status::GetGeneralStatus>(),
    CommandRow::of::<read_register::ReadRegister>(),
    CommandRow::of::<write_register::WriteRegister>(),
    CommandRow::of::<set_serial_baud_rate::SetSerialBaudRate>(),
    CommandRow::of::<set_parameters::SetParameters>(),
    CommandRow::of::<sam_configuration::SamConfiguration>(),
    CommandRow::of::<power_down::PowerDown>(),
    CommandRow::of::<rf_configuration::RfConfiguration>(),
    CommandRow::of::<in_data_exchange::InDataExchange>(),
    CommandRow::of::<in_communicate_thru::InCommunicateThru>(),
    CommandRow::of::<in_deselect::InDeselect>(),
    CommandRow::of::<in_jump_for_psl::InJumpForPsl>(),
    CommandRow::of::<in_list_passive_target::InListPassiveTarget>(),
    CommandRow::of::<in_psl::InPsl>(),
    CommandRow::of::<in_atr::InAtr>(),
    CommandRow::of::<in_release::InRelease>(),
    CommandRow::of::<in_select::InSelect>(),
    CommandRow::of::<in_jump_for_dep::InJumpForDep>(),
    CommandRow::of::<in_auto_poll::InAutoPoll>(),
    CommandRow::of::<tg_get_data::TgGetData>(),
    CommandRow::of::<tg_get_initiator_command::TgGetInitiatorCommand>(),
    CommandRow::of::<tg_get_target_status::TgGetTargetStatus>(),
    CommandRow::of::<tg_init_as_target::TgInitAsTarget>(),
    CommandRow::of::<tg_set_data::TgSetData>(),
    CommandRow::of::<tg_response_to_initiator::TgResponseToInitiator>(),
    CommandRow::of::<tg_set_general_bytes::TgSetGeneralBytes>(),
    CommandRow::of::<tg_set_meta_data::TgSetMetaData>(),
];
