//! The full path over contactless: debit/credit with GENERATE AC, JR/T 0025.12 (TTQ byte 1
//! bit 7). Loads take it, and payments where the terminal file says so.
//!
//! Entry Point -> balance reading (JR/T 0025.13) -> initiate application processing -> read
//! application data, and from there the chart of EMV Book 3 figure 7 as over contacts.

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::entry_point;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{self as initiate, Initiation};
use crate::roles::terminal::step::{balance_reading, read_application_data};

/// The full path of kernel 7.
pub(super) const KERNEL: Kernel =
    Kernel { name: "kernel 7, full path", identifier: Some(7), mode: Entry::ContactlessFull, begin };

const INITIATION: Initiation =
    Initiation { begun: read_application_data::begin, refused: entry_point::refused_options };

fn begin(selected: Selected, context: &mut Context) -> Result<Next, TerminalError> {
    balance_reading::begin(selected, |selected, _| Ok(initiate::begin(selected, INITIATION)), context)
}
