//! Initiate application processing: EMV Book 3 10.1. From here on the card counts.

use super::application_selection::Selected;
use super::{application_selection, quick_decision, read_application_data};
use crate::air::host::Entry;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::command::GetProcessingOptions;
use crate::words::emv::{Afl, Aip};
use crate::words::iso7816::{ApduCommand, StatusWord};

const STEP: &str = "Initiate application processing";

/// The card has begun to process.
pub(in crate::roles::terminal) struct Initiated {
    pub(in crate::roles::terminal) selected: Selected,
    pub(in crate::roles::terminal) aip: Aip,
    /// Absent where the quick path ends without records.
    pub(in crate::roles::terminal) afl: Option<Afl>,
}

/// Sends GET PROCESSING OPTIONS with the data that the PDOL asks for.
pub(in crate::roles::terminal) fn begin(
    mut selected: Selected,
    _context: &mut Context,
) -> Result<Next, TerminalError> {
    // Template 83 and its length take three bytes of a command.
    let pdol = read_application_data::carried(selected.fci.pdol.clone().unwrap_or_default(), "PDOL", 252)?;
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
        let response = reply.response(STEP)?;
        let by_contact = self.selected.session.terms.mode == Entry::Contact;
        if response.status == StatusWord::CONDITIONS_NOT_SATISFIED
            && by_contact
            && !self.selected.others.is_empty()
        {
            let reason = "GET PROCESSING OPTIONS answered 6985: the application is taken off the list";
            let event = Event::new("terminal", "application passed over").clause("EMV Book 3 10.1");
            context.emit(event.because(reason));
            return application_selection::resume(self.selected, context);
        }
        let options = self.ask.answer(&response)?;
        let missing = |tag, name| TerminalError::Missing { tag, name, clause: "EMV Book 3 6.5.8.4" };
        let aip = options.aip().ok_or(missing(tag::AIP, "Application Interchange Profile"))?;
        let afl = options.data.value(tag::AFL).map(Afl::parse).transpose()?;
        let mut selected = self.selected;
        let quick = selected.session.terms.mode == Entry::ContactlessQuick;
        for (tag, value) in options.data.iter() {
            selected.session.store.put(tag, value);
        }
        let initiated = Initiated { selected, aip, afl };
        if quick {
            return quick_decision::begin(initiated, context);
        }
        match initiated.afl.clone() {
            Some(afl) => Ok(read_application_data::begin(initiated, &afl)),
            None => Err(missing(tag::AFL, "Application File Locator")),
        }
    }
}
