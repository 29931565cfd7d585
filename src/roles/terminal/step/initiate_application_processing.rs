//! Initiate application processing: EMV Book 3 10.1. From here on the card counts.

use super::application_selection::Selected;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::command::GetProcessingOptions;
use crate::words::emv::{Afl, Aip};
use crate::words::iso7816::{ApduCommand, CommandError, StatusWord};

const STEP: &str = "Initiate application processing";

/// The card has begun to process.
pub(in crate::roles::terminal) struct Initiated {
    pub(in crate::roles::terminal) selected: Selected,
    pub(in crate::roles::terminal) aip: Aip,
    /// Absent where a card decides without records.
    pub(in crate::roles::terminal) afl: Option<Afl>,
}

/// How a kernel's chart goes on.
#[derive(Clone, Copy)]
pub(in crate::roles::terminal) struct Initiation {
    /// The card has begun.
    pub(in crate::roles::terminal) begun: fn(Initiated, &mut Context) -> Result<Next, TerminalError>,
    /// It has refused.
    pub(in crate::roles::terminal) refused:
        fn(Selected, StatusWord, &mut Context) -> Result<Next, TerminalError>,
}

/// Sends GET PROCESSING OPTIONS with the data that the PDOL asks for.
pub(in crate::roles::terminal) fn begin(mut selected: Selected, then: Initiation) -> Next {
    let pdol = selected.fci.pdol.clone().unwrap_or_default();
    let ask = GetProcessingOptions { pdol_data: selected.session.assemble(&pdol) };
    selected.session.exchanged.clone_from(&ask.pdol_data);
    Next::transmit(ask.to_apdu(), Initiating { selected, ask, then })
}

/// A refusal that nothing follows from.
pub(in crate::roles::terminal) fn break_off(
    _selected: Selected,
    status: StatusWord,
    _context: &mut Context,
) -> Result<Next, TerminalError> {
    Err(TerminalError::Command(CommandError::Refused { command: GetProcessingOptions::NAME, status }))
}

struct Initiating {
    selected: Selected,
    ask: GetProcessingOptions,
    then: Initiation,
}

impl Phase for Initiating {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        if !response.status.is_ok() {
            return (self.then.refused)(self.selected, response.status, context);
        }
        let options = self.ask.answer(&response)?;
        let missing = |tag, name| TerminalError::Missing { tag, name, clause: "EMV Book 3 6.5.8.4" };
        let aip = options.aip().ok_or(missing(tag::AIP, "Application Interchange Profile"))?;
        let afl = options.data.value(tag::AFL).map(Afl::parse).transpose()?;
        let mut selected = self.selected;
        for (tag, value) in options.data.iter() {
            selected.session.store.put(tag, value);
        }
        (self.then.begun)(Initiated { selected, aip, afl }, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.selected.session)
    }
}
