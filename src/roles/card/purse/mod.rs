//! The purse application (PBOC ED/EP) and the terminal's security module (PSAM), as cards. No
//! command of JR/T 0025's debit and credit may enter.

mod commands;
mod file;
mod load;
mod memory;
mod order;
mod overdraft;
mod pin;
mod profile;
mod purchase;
mod sam;
mod secure;
mod session;
mod unload;

pub(super) use commands::{psam, purse};
pub(super) use file::{read_binary, read_record as read_file_record, select_master_file};
pub(super) use memory::{File, PurseMemory, SamMemory};
pub use order::{PurseOnCard, PurseOrder};
pub(super) use profile::{FileProfile, PurseProfile, SamProfile, check_files};
pub(super) use session::PurseSession;
