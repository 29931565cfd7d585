//! Kernel 2: EMV Contactless Book C-2 in EMV mode, for M/Chip cards. Mag-stripe mode and
//! data storage are not done.
//!
//! Initiation -> initiate application processing -> relay resistance -> read application
//! data -> balance before -> processing restrictions, cardholder verification, floor
//! limit -> terminal action analysis -> GENERATE AC, or RECOVER AC of a torn transaction
//! -> balance after -> online processing -> outcome.

mod asking;
mod balance;
mod initiation;
mod online;
mod reader;
mod reading;
mod recovery;
mod relay_resistance;
mod restrictions;
mod verification;

use crate::air::host::Entry;
use crate::roles::terminal::kernel_row::Kernel;

/// Kernel 2. Its cards are asked with GENERATE AC, as over contacts.
pub(super) const KERNEL: Kernel =
    Kernel { name: "kernel 2", identifier: Some(2), mode: Entry::ContactlessFull, begin: initiation::begin };
