//! Kernel 2: EMV Contactless Book C-2 in EMV mode, for M/Chip cards. Mag-stripe mode and
//! data storage are not done.
//!
//! Initiation -> initiate application processing -> relay resistance -> read application
//! data -> balance before -> processing restrictions, cardholder verification, floor
//! limit -> terminal action analysis -> GENERATE AC, or RECOVER AC of a torn transaction
//! -> balance after -> online processing -> outcome.

mod asking;
mod balance;
mod config;
mod initiation;
mod online;
mod reading;
mod recovery;
mod relay_resistance;
mod restrictions;
mod verification;

pub use config::{C2, RelayLimits};
