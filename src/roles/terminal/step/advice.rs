//! Advice: a card that declines may want its issuer told (EMV Book 3 10.8, bit 4 of the
//! Cryptogram Information Data). Nothing moves by it: what was not delivered waits in the
//! journal, and goes out at the next start.

use super::card_action_analysis::{Decided, REQUEST_CHIP};
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::outcome::Outcome;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::{Cid, CryptogramType};

const STEP: &str = "Advice";
const CLAUSE: &str = "EMV Book 3 10.8";

/// Ends a transaction that was declined for `reason` before anybody else was asked; the
/// issuer is told before that, where the card asks for it.
pub(super) fn then(
    mut decided: Decided,
    outcome: Outcome,
    reason: &'static str,
    context: &mut Context,
) -> Next {
    let session = decided.session();
    let information = session.store.array(tag::CRYPTOGRAM_INFORMATION_DATA).map(|[byte]| Cid(byte));
    let wanted = information
        .is_some_and(|cid| cid.advice_required() && cid.cryptogram_type() == Some(CryptogramType::Aac));
    if !wanted {
        return Next::done(outcome).after(Change::Declined { reason });
    }
    let asked = "the card asks for it (9F27 bit 4)";
    context.emit(Event::new("terminal", "advice to the issuer").clause(CLAUSE).because(asked));
    let chip = session.chip(REQUEST_CHIP);
    let card = decided.card();
    let (class, kind) = (MessageClass::Notice, Kind::DeclineAdvice);
    let request = decided.session().request(class, kind, &card, chip.clone(), None);
    let next = Next::wait(Io::Advise(Box::new(request)), Advising(outcome));
    next.after(Change::AdviceDue { reason, chip })
}

struct Advising(Outcome);

impl Phase for Advising {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let next = Next::done(self.0);
        Ok(match reply.answer(STEP)? {
            Ok(_) => next.after(Change::Advised),
            Err(error) => {
                let event = Event::new("terminal", "advice not delivered").clause(CLAUSE);
                context.emit(event.because(error.to_string()));
                next
            }
        })
    }
}
