//! Processing restrictions, cardholder verification, floor limit and terminal action
//! analysis (EMV Book C-2 states 4, 5 and 6, common processing), then the torn
//! transaction of this card, if there is one.

use super::initiation::verifies_on_device;
use super::reader::Reader;
use super::{recovery, verification};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::read_application_data::RecordsRead;
use crate::roles::terminal::step::{processing_restrictions, terminal_action_analysis};
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac};
use crate::words::emv::{TerminalCapabilities, Tvr};

const CLAUSE: &str = "EMV Book C-2 6.7";

/// What is to be asked of the card, and why.
pub(super) struct Decided {
    pub(super) read: RecordsRead,
    pub(super) cryptogram: CryptogramType,
    pub(super) reason: &'static str,
}

/// Goes from what the card told to what it is asked for.
pub(super) fn perform(mut read: RecordsRead, context: &mut Context) -> Result<Next, TerminalError> {
    cardholder_capability(read.session(), context);
    processing_restrictions::perform(&mut read, context);
    verification::select(&mut read, context)?;
    floor_limit(read.session(), context);
    let (cryptogram, reason) = terminal_action_analysis::decide(&mut read, context);
    // EMV Book C-2 GAC.22: a device that verified its holder itself, and whose signature
    // cannot be checked, is declined.
    let unproven = verifies_on_device(&read.initiated) && read.session().tvr.has(Tvr::CDA_FAILED);
    let (cryptogram, reason) = match unproven {
        true => (Aac, "nothing vouches for the device that verified its holder"),
        false => (cryptogram, reason),
    };
    terminal_action_analysis::asks_for(cryptogram, reason, read.session().tvr, context);
    recovery::begin(Decided { read, cryptogram, reason }, context)
}

/// Byte 2 of the terminal capabilities: by the CVM limit (DF8126).
fn cardholder_capability(session: &mut Session, context: &mut Context) {
    let reader = Reader::of(session);
    let limit = reader.cvm_limit_minor;
    let above = session.terms.amount.minor > limit;
    let (capability, reason) = match above {
        true => (reader.cvm_required, format!("the amount is above the CVM limit {limit} in minor units")),
        false => (reader.cvm_not_required, format!("the amount is not above {limit} in minor units")),
    };
    let Some([input, _, security]) = session.store.array(tag::TERMINAL_CAPABILITIES) else { return };
    let capabilities = TerminalCapabilities([input, capability, security]);
    session.store.put(tag::TERMINAL_CAPABILITIES, capabilities.0);
    context.emit(
        Event::new("terminal", "terminal capabilities")
            .clause(CLAUSE)
            .because(reason)
            .with_tag(tag::TERMINAL_CAPABILITIES.0, capabilities.0),
    );
}

/// The contactless floor limit (DF8123).
fn floor_limit(session: &mut Session, context: &mut Context) {
    let limit = Reader::of(session).floor_limit_minor;
    if session.terms.amount.minor > limit {
        let reason = format!("the amount is above {limit} in minor units");
        session.find(Tvr::FLOOR_LIMIT_EXCEEDED, CLAUSE, reason, &[tag::AMOUNT_AUTHORISED], context);
    }
}
