//! Contact: the chart of EMV Book 3 figure 7.
//!
//! Application selection -> balance reading (JR/T 0025.13) -> initiate application
//! processing -> read application data -> offline data authentication -> processing
//! restrictions -> cardholder verification -> terminal risk management -> terminal action
//! analysis -> card action analysis -> online processing -> issuer authentication ->
//! script processing -> completion.

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::{self, Selected};
use crate::roles::terminal::step::initiate_application_processing::{self as initiate, Initiation};
use crate::roles::terminal::step::{balance_reading, read_application_data};

/// By contact.
pub(super) const KERNEL: Kernel = Kernel { name: "contact", identifier: None, mode: Entry::Contact, begin };

const INITIATION: Initiation =
    Initiation { begun: read_application_data::begin, refused: application_selection::refused_options };

fn begin(selected: Selected, context: &mut Context) -> Result<Next, TerminalError> {
    balance_reading::begin(selected, |selected, _| Ok(initiate::begin(selected, INITIATION)), context)
}
