//! Which application, and which kernel: by contact EMV Book 1 clause 12, over contactless
//! Entry Point. Where another card pays for a load, that card is identified first.

use super::entry_point;
use super::error::TerminalError;
use super::flow::Flow;
use super::phase::Next;
use super::session::{Session, Terms};
use super::step::{application_selection, payer_identification};
use crate::air::host::Entry;
use crate::base::context::Context;

/// Begins a transaction.
pub(super) fn begin(terms: Terms, context: &mut Context) -> Result<Next, TerminalError> {
    match (terms.flow, terms.payer) {
        (Flow::NonLinkedLoad, mode) => Ok(payer_identification::begin(terms, mode, context)),
        _ => select(Session::new(terms, context), context),
    }
}

/// Selects an application of the card that a session is with, and activates its kernel.
pub(super) fn select(session: Session, context: &mut Context) -> Result<Next, TerminalError> {
    match session.terms.mode {
        Entry::Contact => Ok(application_selection::begin(session)),
        Entry::ContactlessQuick | Entry::ContactlessFull => entry_point::begin(session, context),
    }
}
