//! The applications that a card can have, one file each. What they share, the
//! commands and the decisions, is beside this folder.

mod debit;
mod ecash;
mod mchip;
mod psam;
mod purse;
mod qvsdc;

use super::behaviour::Application;

/// The kinds of applications.
pub(super) const APPLICATIONS: &[&dyn Application] =
    &[&ecash::Ecash, &debit::Debit, &mchip::Mchip, &qvsdc::Qvsdc, &purse::Purse, &psam::Psam];
