//! The card that pays for the load of another one (非指定账户圈存, "transfer-out card"): it
//! is selected, read and authenticated offline, and makes no cryptogram. Its holder's
//! online PIN is what the issuer goes by; then it is the other card's turn.

use super::cardholder_verification::{NOT_ENTERED, is_pin};
use super::read_application_data::RecordsRead;
use crate::air::host::Entry;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::selection;
use crate::roles::terminal::session::{Payer, Role, Session, Terms};
use crate::words::emv::{Pan, Tvr};

const STEP: &str = "Payer identification";

/// Turns to the paying card, which is read in `mode`.
pub(in crate::roles::terminal) fn begin(terms: Terms, mode: Option<Entry>, context: &mut Context) -> Next {
    let Some(mode) = mode else {
        let reason = "there is no card that pays for the load";
        return Next::done(Session::new(terms, context).outcome(Verdict::Refused, reason, None, context));
    };
    let mut session = Session::new(Terms { mode, ..terms.clone() }, context);
    session.role = Role::Paying(Box::new(terms));
    Next::wait(Io::TurnToPayer, Turned { session })
}

/// The paying card has been read: asks for its PIN.
pub(in crate::roles::terminal) fn identified(
    mut read: RecordsRead,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let pan = read.pan.clone();
    let session = read.session();
    for (bit, reason) in [
        (Tvr::EXPIRED_APPLICATION, "the paying card has expired"),
        (Tvr::NOT_YET_EFFECTIVE, "the paying card is not yet effective"),
    ] {
        if session.tvr.has(bit) {
            return Ok(Next::done(session.outcome(Verdict::Refused, reason, None, context)));
        }
    }
    context.emit(Event::new("terminal", "payer identified").because("its records name its account"));
    let prompt = session.online_pin_prompt(&pan);
    Ok(Next::wait(Io::EnterPin(prompt), Entering { session: read.initiated.selected.session, pan }))
}

struct Turned {
    session: Session,
}

impl Phase for Turned {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, _reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        selection::select(self.session, context)
    }
}

struct Entering {
    session: Session,
    pan: Pan,
}

impl Phase for Entering {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let pin = reply.pin(STEP)?.filter(is_pin);
        let Role::Paying(terms) = self.session.role else {
            return Err(TerminalError::Reply { step: STEP });
        };
        let mut session = Session::new(*terms, context);
        if pin.is_none() {
            return Ok(Next::done(session.outcome(Verdict::Refused, NOT_ENTERED, None, context)));
        }
        session.role = Role::Loaded(Payer { pan: self.pan, pin });
        Ok(Next::wait(Io::TurnToCard, Turned { session }))
    }
}
