//! The full path: the chart of EMV Book 3 figure 7, by contact and, for loads,
//! over contactless (JR/T 0025.12, TTQ byte 1 bit 7).
//!
//! Application selection -> initiate application processing -> read application
//! data -> offline data authentication -> processing restrictions -> cardholder
//! verification -> terminal action analysis -> card action analysis -> online
//! processing -> issuer authentication -> script processing -> completion.
//!
//! Where another card pays for a load, that card is identified first.

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::{Flow, Session, Terms};
use crate::roles::terminal::step::{application_selection, payer_identification};

/// By contact.
pub(super) const KERNEL: Kernel = Kernel { name: "contact", mode: Entry::Contact, begin };

/// The full path over contactless.
pub(super) const FULL_CONTACTLESS: Kernel =
    Kernel { name: "contactless full path", mode: Entry::ContactlessFull, begin };

fn begin(terms: Terms, context: &mut Context) -> Result<Next, TerminalError> {
    Ok(match (terms.flow, terms.payer) {
        (Flow::NonLinkedLoad, mode) => payer_identification::begin(terms, mode, context),
        _ => application_selection::begin(Session::new(terms, context)),
    })
}
