//! Advice: a card that declines may want its issuer told (EMV Book 3 10.8, bit 4 of the
//! Cryptogram Information Data). Nothing moves by it, so nothing waits for its answer.

use super::card_action_analysis::{Decided, REQUEST_CHIP};
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Outcome;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::{Cid, CryptogramType};

const STEP: &str = "Advice";
const CLAUSE: &str = "EMV Book 3 10.8";

/// Ends a transaction that the card declined by itself; its issuer is told before that,
/// where the card asks for it.
pub(super) fn then(mut decided: Decided, outcome: Outcome, context: &mut Context) -> Next {
    let session = decided.session();
    let information = session.store.array(tag::CRYPTOGRAM_INFORMATION_DATA).map(|[byte]| Cid(byte));
    let wanted = information
        .is_some_and(|cid| cid.advice_required() && cid.cryptogram_type() == Some(CryptogramType::Aac));
    if !wanted {
        return Next::done(outcome);
    }
    let reason = "the card asks for it (9F27 bit 4)";
    context.emit(Event::new("terminal", "advice to the issuer").clause(CLAUSE).because(reason));
    let chip = session.chip(REQUEST_CHIP);
    let card = decided.card();
    let (class, kind) = (MessageClass::Notice, Kind::DeclineAdvice);
    let request = decided.session().request(class, kind, &card, chip, None);
    Next::wait(Io::Advise(Box::new(request)), Advising(outcome))
}

struct Advising(Outcome);

impl Phase for Advising {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        if let Err(error) = reply.answer(STEP)? {
            let event = Event::new("terminal", "advice not delivered").clause(CLAUSE);
            context.emit(event.because(error.to_string()));
        }
        Ok(Next::done(self.0))
    }
}
