//! Initiate application processing: EMV Book 3 10.1. From here on the card counts.

use super::application_selection::Selected;
use super::{quick_decision, read_application_data};
use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::command::GetProcessingOptions;
use crate::words::emv::{Afl, Aip};
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::tlv::Tag;

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
        let initiated = take_options(self.selected, &self.ask, &reply.response(STEP)?)?;
        if initiated.selected.session.terms.mode == Entry::ContactlessQuick {
            return quick_decision::begin(initiated, context);
        }
        match initiated.afl.clone() {
            Some(afl) => Ok(read_application_data::begin(initiated, &afl)),
            None => Err(missing(tag::AFL, "Application File Locator")),
        }
    }
}

/// Puts what the card answered into the session.
pub(in crate::roles::terminal) fn take_options(
    mut selected: Selected,
    ask: &GetProcessingOptions,
    response: &ResponseApdu,
) -> Result<Initiated, TerminalError> {
    let options = ask.answer(response)?;
    let aip = options.aip().ok_or(missing(tag::AIP, "Application Interchange Profile"))?;
    let afl = options.data.value(tag::AFL).map(Afl::parse).transpose()?;
    for (tag, value) in options.data.iter() {
        selected.session.store.put(tag, value);
    }
    Ok(Initiated { selected, aip, afl })
}

fn missing(tag: Tag, name: &'static str) -> TerminalError {
    TerminalError::Missing { tag, name, clause: "EMV Book 3 6.5.8.4" }
}
