//! PBOC / JR/T 0025: electronic cash, its second currency, logs, issuer
//! application data, and the purse formulas of its first edition.

mod capp;
mod card_processing;
mod city;
pub mod command;
mod ecash;
pub mod fixed;
mod iad;
pub mod idd_mac;
mod log;
pub mod purse;
mod purse_detail;
mod purse_key;
mod purse_number;
mod purse_record;
mod travel_record;
mod verification;

pub use capp::{CAPP_FILES, CappTransaction, capp_mac, counter_vector, record_id};
pub use card_processing::{ApplicationDefaultAction, CardAdditionalProcessing, Cvr};
pub use city::{
    BalanceReading, CITIES, CityBalance, CityField, CityLayout, CityLog, CityRow, FieldKind, FileName, Home,
    LogForm, Mark, SharedName, is_purse,
};
pub use ecash::EcashSet;
pub use iad::{Iad, IadError, IddValue};
pub use log::{LoadLogRecord, LogError, LogRecord};
pub use purse_detail::PurseDetail;
pub use purse_key::{PurseKeyKind, PurseKeys, application_serial};
pub use purse_number::{NumberError, PurseNumber};
pub use purse_record::PurseRecord;
pub use travel_record::TravelRecord;
pub use verification::{CryptogramCheck, CryptogramRefusal, VerifiedCryptogram, WantedCryptogram, equal};
