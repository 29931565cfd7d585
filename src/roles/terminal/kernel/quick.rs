//! Kernel 7, the quick path (qPBOC): JR/T 0025.12; EMV Book C-7 is its public relative. The
//! card decides at GET PROCESSING OPTIONS; its money moves with the last record.
//!
//! Entry Point -> balance reading (JR/T 0025.13) -> initiate application processing -> the
//! card's decision -> read application data, with fDDA before the last record -> completion.

use super::full_path;
use crate::air::host::Entry;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{self as initiate, Initiation};
use crate::roles::terminal::step::{balance_reading, quick_decision};
use crate::words::dictionary::tag;
use crate::words::emv::{ExtendedCapability, Ttq};

/// The quick path of kernel 7.
pub(super) const KERNEL: Kernel =
    Kernel { name: "kernel 7, quick path", identifier: Some(7), mode: Entry::ContactlessQuick, begin };

const INITIATION: Initiation =
    Initiation { begun: quick_decision::begin, refused: entry_point::refused_options };

fn begin(mut selected: Selected, context: &mut Context) -> Result<Next, TerminalError> {
    let announced = selected.fci.extended_capability;
    if selected.session.terms.flow == Flow::Ride && !announced.has(ExtendedCapability::ODA_FOR_ONLINE) {
        return legacy_ride(selected, context);
    }
    // The card's cryptogram is over zeros.
    selected.session.withholds_tvr = true;
    balance_reading::begin(selected, |selected, _| Ok(initiate::begin(selected, INITIATION)), context)
}

/// A ride with a card that cannot sign a request on the quick path takes the full one, with
/// DDA before GENERATE AC.
fn legacy_ride(mut selected: Selected, context: &mut Context) -> Result<Next, TerminalError> {
    let reason = "the card does not sign requests on the quick path (DF61 bit 7): it takes the full one";
    context.emit(Event::new("terminal", "legacy card").clause("JR/T 0025.12").because(reason));
    let session = &mut selected.session;
    let qualifiers = session.store.array(tag::TTQ).map(Ttq).unwrap_or_default();
    session.store.put(tag::TTQ, qualifiers.with(Ttq::FULL_PATH).0);
    session.terms.mode = full_path::KERNEL.mode;
    (full_path::KERNEL.begin)(selected, context)
}
