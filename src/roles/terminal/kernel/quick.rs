//! Kernel 7, the quick path (qPBOC): JR/T 0025.12; EMV Book C-7 is its public relative. The
//! card decides at GET PROCESSING OPTIONS; its money moves with the last record.
//!
//! Entry Point -> balance reading (JR/T 0025.13) -> initiate application processing -> the
//! card's decision -> read application data, with fDDA before the last record -> completion.

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::entry_point;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{self as initiate, Initiation};
use crate::roles::terminal::step::{balance_reading, quick_decision};

/// The quick path of kernel 7.
pub(super) const KERNEL: Kernel =
    Kernel { name: "kernel 7, quick path", identifier: Some(7), mode: Entry::ContactlessQuick, begin };

const INITIATION: Initiation =
    Initiation { begun: quick_decision::begin, refused: entry_point::refused_options };

fn begin(mut selected: Selected, context: &mut Context) -> Result<Next, TerminalError> {
    // The card's cryptogram is over zeros.
    selected.session.withholds_tvr = true;
    balance_reading::begin(selected, |selected, _| Ok(initiate::begin(selected, INITIATION)), context)
}
