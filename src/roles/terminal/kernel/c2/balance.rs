//! Balance reading (EMV Book C-2 states 16 and 17): what the card can still spend
//! offline, before its cryptogram and after it.

use super::asking::Answered;
use super::reader::Reader;
use super::restrictions;
use crate::base::bytes::bcd_to_u64;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::read_application_data::RecordsRead;
use crate::words::dictionary::{mastercard, tag};
use crate::words::emv::ApplicationCapabilities;
use crate::words::emv::command::GetData;
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::tlv::Tag;

const STEP: &str = "Balance reading";
const CLAUSE: &str = "EMV Book C-2 7.1";
const ASK: GetData = GetData { tag: tag::OFFLINE_ACCUMULATOR_BALANCE };

/// Reads the balance before the cryptogram, where card and reader want that.
pub(super) fn before(read: RecordsRead, context: &mut Context) -> Result<Next, TerminalError> {
    let session = &read.initiated.selected.session;
    match Reader::of(session).reads_balance_before && is_offered(session) {
        true => Ok(Next::transmit(ASK.to_apdu(), Before { read })),
        false => restrictions::perform(read, context),
    }
}

/// Reads the balance after the cryptogram.
pub(super) fn after(answered: Answered, context: &mut Context) -> Result<Next, TerminalError> {
    let session = &answered.read.initiated.selected.session;
    match Reader::of(session).reads_balance_after && is_offered(session) {
        // The card may leave: what it has decided stands.
        true => Ok(Next::wait(Io::TryTransmit(ASK.to_apdu()), After { answered })),
        false => answered.conclude(context),
    }
}

fn is_offered(session: &Session) -> bool {
    let told = session.store.array(mastercard::APPLICATION_CAPABILITIES).map(ApplicationCapabilities);
    told.is_some_and(|told| told.has(ApplicationCapabilities::BALANCE_READING))
}

struct Before {
    read: RecordsRead,
}

impl Phase for Before {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let session = self.read.session();
        session.balance_before_minor = note(session, tag::BALANCE_READ_BEFORE_GEN_AC, &response, context);
        restrictions::perform(self.read, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.read.initiated.selected.session)
    }
}

struct After {
    answered: Answered,
}

impl Phase for After {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        if !matches!(reply, Reply::Gone) {
            let response = reply.response(STEP)?;
            let session = self.answered.read.session();
            self.answered.balance_minor = note(session, tag::BALANCE_READ_AFTER_GEN_AC, &response, context);
        }
        self.answered.conclude(context)
    }
}

/// What a card refuses is absent, and the transaction goes on.
fn note(session: &mut Session, tag: Tag, response: &ResponseApdu, context: &mut Context) -> Option<u64> {
    let event = Event::new("terminal", "balance read").clause(CLAUSE);
    match ASK.answer(response) {
        Ok((_, value)) => {
            context.emit(event.because("the card offers it (9F5D byte 2 bit 2)").with_tag(tag.0, &*value));
            let minor = bcd_to_u64(&value).ok();
            session.store.put(tag, value);
            minor
        }
        Err(error) => {
            context.emit(event.because(error.to_string()));
            None
        }
    }
}
