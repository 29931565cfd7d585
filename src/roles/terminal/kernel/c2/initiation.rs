//! Initiation (EMV Book C-2 6.2) and initiate application processing (6.3): the reader's
//! own data, then GET PROCESSING OPTIONS, and which way its answer leads.

use super::reader::Reader;
use super::{reading, relay_resistance};
use crate::base::context::Context;
use crate::roles::terminal::entry_point::{self, Message};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{
    self as initiate, Initiated, Initiation,
};
use crate::words::dictionary::tag;
use crate::words::emv::{Aip, KernelConfiguration, Tvr};

const CLAUSE: &str = "EMV Book C-2 6.3";
const INITIATION: Initiation = Initiation { begun, refused: entry_point::refused_options_of_kernel_2 };

/// Begins with an application that was selected for kernel 2.
pub(super) fn begin(mut selected: Selected, _context: &mut Context) -> Result<Next, TerminalError> {
    let session = &mut selected.session;
    let [input, ..] = session.terms.config.capabilities.0;
    // What is done about the cardholder is known once the amount meets its limit.
    let capabilities = [input, 0x00, Reader::of(session).security];
    session.store.put(tag::TERMINAL_CAPABILITIES, capabilities);
    Ok(initiate::begin(selected, INITIATION))
}

fn begun(mut initiated: Initiated, context: &mut Context) -> Result<Next, TerminalError> {
    let aip = initiated.aip;
    let session = &mut initiated.selected.session;
    let configuration = Reader::of(session).configuration;
    if !aip.has(Aip::EMV_MODE) || configuration.has(KernelConfiguration::NO_EMV_MODE) {
        let reason = "the card has mag-stripe mode alone (82 byte 2 bit 8), which is not done here";
        let session = initiated.selected.session;
        return Ok(entry_point::end_application(session, Message::InsertOrSwipe, reason, context));
    }
    if aip.has(Aip::RELAY_RESISTANCE) && configuration.has(KernelConfiguration::RELAY_RESISTANCE) {
        return Ok(relay_resistance::begin(initiated, context));
    }
    let reason = "card (82 byte 2 bit 1) and reader (DF811B bit 5) do not both support it";
    let causes = [tag::AIP, tag::KERNEL_CONFIGURATION];
    session.find(Tvr::RELAY_NOT_CHECKED, CLAUSE, reason, &causes, context);
    reading::begin(initiated, context)
}

/// Whether card and reader both let a device verify its holder (EMV Book C-2 7.5).
pub(super) fn verifies_on_device(initiated: &Initiated) -> bool {
    initiated.aip.has(Aip::ON_DEVICE_VERIFICATION)
        && Reader::of(&initiated.selected.session)
            .configuration
            .has(KernelConfiguration::ON_DEVICE_VERIFICATION)
}
