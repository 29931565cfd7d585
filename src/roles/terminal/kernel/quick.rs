//! The quick path, qPBOC: JR/T 0025.12 (EMV Book C-7 is its public relative). The
//! card decides at GET PROCESSING OPTIONS; its money moves with the last record.
//!
//! Application selection -> initiate application processing -> the card's decision
//! -> read application data -> completion.

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::{Session, Terms};
use crate::roles::terminal::step::application_selection;

/// The quick path.
pub(super) const KERNEL: Kernel = Kernel { name: "quick path", mode: Entry::ContactlessQuick, begin };

fn begin(terms: Terms, context: &mut Context) -> Result<Next, TerminalError> {
    Ok(application_selection::begin(Session::new(terms, context)))
}
