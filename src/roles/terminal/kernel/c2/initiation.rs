//! Initiation (EMV Book C-2 6.2) and initiate application processing (6.3): the reader's
//! own data, then GET PROCESSING OPTIONS, and which way its answer leads.

use super::{reading, relay_resistance};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{Initiated, take_options};
use crate::words::dictionary::tag;
use crate::words::emv::command::GetProcessingOptions;
use crate::words::emv::{Aip, KernelConfiguration, Tvr};
use crate::words::iso7816::ApduCommand;

const STEP: &str = "Initiate application processing";
const CLAUSE: &str = "EMV Book C-2 6.3";

/// Begins with an application that was selected for kernel 2.
pub(in crate::roles::terminal) fn begin(
    mut selected: Selected,
    _context: &mut Context,
) -> Result<Next, TerminalError> {
    let session = &mut selected.session;
    let c2 = session.terms.config.c2.clone();
    let [input, ..] = session.terms.config.capabilities.0;
    // What is done about the cardholder is known once the amount meets its limit.
    session.store.put(tag::TERMINAL_CAPABILITIES, [input, 0x00, c2.security.0[0]]);
    session.store.put(tag::TERMINAL_RISK_MANAGEMENT_DATA, c2.risk_management_data.0);
    session.store.put(tag::KERNEL_CONFIGURATION, c2.kernel_configuration.0);
    session.store.put(tag::MOBILE_SUPPORT_INDICATOR, [0x01]);
    let pdol = selected.fci.pdol.clone().unwrap_or_default();
    let ask = GetProcessingOptions { pdol_data: selected.session.assemble(&pdol) };
    selected.session.exchanged.clone_from(&ask.pdol_data);
    Ok(Next::transmit(ask.to_apdu(), Initiating { selected, ask }))
}

struct Initiating {
    selected: Selected,
    ask: GetProcessingOptions,
}

impl Phase for Initiating {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut initiated = take_options(self.selected, &self.ask, &reply.response(STEP)?)?;
        let aip = initiated.aip;
        let session = &mut initiated.selected.session;
        let configuration = KernelConfiguration(session.terms.config.c2.kernel_configuration.0);
        if !aip.has(Aip::EMV_MODE) || configuration.has(KernelConfiguration::NO_EMV_MODE) {
            let reason = "the card has mag-stripe mode alone (82 byte 2 bit 8), which is not done here";
            return Ok(Next::done(session.outcome(Verdict::Refused, reason, None, context)));
        }
        if aip.has(Aip::RELAY_RESISTANCE) && configuration.has(KernelConfiguration::RELAY_RESISTANCE) {
            return Ok(relay_resistance::begin(initiated, context));
        }
        session.tvr.set(Tvr::RELAY_NOT_CHECKED);
        context.emit(
            Event::new("terminal", "relay resistance not performed")
                .clause(CLAUSE)
                .because("card (82 byte 2 bit 1) and reader (DF811B bit 5) do not both support it"),
        );
        reading::begin(initiated)
    }
}

/// Whether card and reader both let a device verify its holder (EMV Book C-2 6.5).
pub(super) fn verifies_on_device(initiated: &Initiated) -> bool {
    let configuration = initiated.selected.session.terms.config.c2.kernel_configuration.0;
    initiated.aip.has(Aip::ON_DEVICE_VERIFICATION)
        && KernelConfiguration(configuration).has(KernelConfiguration::ON_DEVICE_VERIFICATION)
}
