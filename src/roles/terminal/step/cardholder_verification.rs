//! Cardholder verification: EMV Book 3 10.5. A load wants the online PIN, an
//! electronic cash payment wants nothing (JR/T 0025.13); an online purchase takes
//! the online PIN where it heads the card's list.

use super::read_application_data::RecordsRead;
use super::terminal_action_analysis;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::cardholder::PinPrompt;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::{Flow, Role};
use crate::words::dictionary::tag;
use crate::words::emv::{Aip, CvmResults, Tsi, Tvr};

const STEP: &str = "Cardholder verification";
/// CVM code: enciphered PIN verified online.
const ONLINE_PIN: u8 = 0x02;

/// The cardholder is verified as far as the terminal can.
pub(in crate::roles::terminal) struct Verified {
    pub(in crate::roles::terminal) read: RecordsRead,
    pub(in crate::roles::terminal) pin: Option<Secret<String>>,
}

/// Asks for the PIN where the flow wants one.
pub(in crate::roles::terminal) fn begin(
    mut read: RecordsRead,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    if let Role::Loaded(payer) = &mut read.initiated.selected.session.role {
        let (pin, is_same) = (payer.pin.take(), payer.pan == read.pan);
        let session = read.session();
        if is_same {
            let reason = "the paying card is the card to load";
            let before = session.balance_before_minor;
            return Ok(Next::done(session.outcome(Verdict::Refused, reason, before, context)));
        }
        // The PIN is the payer's, and says nothing of who holds this card.
        session.store.put(tag::CVM_RESULTS, CvmResults::NO_CVM.0);
        return terminal_action_analysis::begin(Verified { read, pin }, context);
    }
    if wants_online_pin(&mut read) {
        let prompt = PinPrompt { pan: read.pan.clone(), amount: read.session().terms.amount };
        return Ok(Next::wait(Io::EnterPin(prompt), Entering { read }));
    }
    read.session().store.put(tag::CVM_RESULTS, CvmResults::NO_CVM.0);
    context.emit(
        Event::new("terminal", "no CVM")
            .clause("JR/T 0025.13")
            .because("electronic cash, or the card's list does not begin with online PIN"),
    );
    terminal_action_analysis::begin(Verified { read, pin: None }, context)
}

struct Entering {
    read: RecordsRead,
}

impl Phase for Entering {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let pin = reply.pin(STEP)?;
        let mut read = self.read;
        let session = read.session();
        session.tsi.set(Tsi::CARDHOLDER_VERIFICATION_PERFORMED);
        if !is_entered(pin.as_ref()) {
            session.tvr.set(Tvr::PIN_NOT_ENTERED);
            let before = session.balance_before_minor;
            return Ok(Next::done(session.outcome(Verdict::Refused, NOT_ENTERED, before, context)));
        }
        session.tvr.set(Tvr::ONLINE_PIN_ENTERED);
        session.store.put(tag::CVM_RESULTS, CvmResults::ONLINE_PIN.0);
        context.emit(
            Event::new("terminal", "TVR").clause("EMV Book 3 10.5.2").because(Tvr::ONLINE_PIN_ENTERED.words),
        );
        terminal_action_analysis::begin(Verified { read, pin }, context)
    }
}

/// Why a transaction ends whose PIN is not there.
pub(in crate::roles::terminal) const NOT_ENTERED: &str =
    "a PIN of 4 to 12 digits is required and was not entered";

/// Whether a PIN is there and is one.
pub(in crate::roles::terminal) fn is_entered(pin: Option<&Secret<String>>) -> bool {
    pin.is_some_and(|pin| {
        let pin = pin.expose();
        (4..=12).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn wants_online_pin(read: &mut RecordsRead) -> bool {
    if read.ecash || !read.initiated.aip.has(Aip::CARDHOLDER_VERIFICATION) {
        return read.session().terms.flow.wants_pin();
    }
    // The list begins with two amounts of four bytes, then pairs of code and condition.
    let first = read.session().store.value(tag::CVM_LIST).and_then(|list| list.get(8).copied());
    let flow = read.session().terms.flow;
    flow.wants_pin()
        || matches!(flow, Flow::Pay | Flow::PreAuthorise)
            && first.is_some_and(|code| code & 0x3F == ONLINE_PIN)
}
