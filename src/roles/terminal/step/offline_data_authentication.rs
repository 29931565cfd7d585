//! Offline data authentication: EMV Book 3 10.3. This terminal is configured
//! `oda = "skip"`, and says so in TVR, trace and report.

use super::read_application_data::RecordsRead;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::config::Oda;
use crate::words::emv::{Pan, Tvr};

/// Notes in the TVR that nothing was authenticated.
pub(in crate::roles::terminal) fn perform(read: &mut RecordsRead, context: &mut Context) {
    let Oda::Skip = read.session().terms.config.oda;
    read.session().tvr.set(Tvr::ODA_NOT_PERFORMED);
    context.emit(
        Event::new("terminal", "offline data authentication not performed")
            .clause("EMV Book 3 10.3")
            .because("the terminal is configured oda = \"skip\""),
    );
}

/// Without it a card may be approved offline only if it is one of our own.
pub(in crate::roles::terminal) fn may_approve_offline(pan: &Pan) -> Result<(), &'static str> {
    if pan.is_test() {
        Ok(())
    } else {
        Err("offline data authentication was not performed, and the card is not in our own test range")
    }
}
