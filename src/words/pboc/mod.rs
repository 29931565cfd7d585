//! PBOC / JR/T 0025: electronic cash, its second currency, logs, issuer
//! application data, and the purse formulas of its first edition.

mod capp;
mod card_processing;
pub mod command;
mod ecash;
mod iad;
pub mod idd_mac;
mod log;
pub mod purse;
mod verification;

pub use capp::{CAPP_FILES, CappTransaction, capp_mac, counter_vector, record_id};
pub use card_processing::{ApplicationDefaultAction, CardAdditionalProcessing, Cvr};
pub use ecash::EcashSet;
pub use iad::{Iad, IadError, IddValue};
pub use log::{LoadLogRecord, LogError, LogRecord};
pub use verification::{CryptogramCheck, CryptogramRefusal, VerifiedCryptogram, WantedCryptogram, equal};
