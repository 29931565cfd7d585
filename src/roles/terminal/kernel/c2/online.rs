//! Online processing after the card has left the field: the issuer decides by the ARQC
//! alone (EMV Book C-2 S910.30, outcome ONLINE REQUEST).

use super::asking::Answered;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::OutcomeCvm;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::step::cardholder_verification::{NOT_ENTERED, is_pin};
use crate::roles::terminal::step::deferred_request;
use crate::roles::terminal::step::online_request::ask_host;
use crate::words::emv::CryptogramType::Arqc;

const STEP: &str = "Online processing";

/// Asks for the PIN where the CVM results want it, then the issuer.
pub(super) fn begin(mut answered: Answered, context: &mut Context) -> Next {
    let turned = (answered.opened != Arqc).then_some(Change::Turned(EntryKind::OnlinePurchase));
    let pan = answered.read.pan.clone();
    if answered.read.session().terms.flow == Flow::Ride {
        let Answered { read, chip, .. } = answered;
        let card = CardMark { pan, psn: read.psn };
        return deferred_request::begin(read.initiated.selected.session, &card, chip, context);
    }
    let session = answered.read.session();
    let next = match session.cvm == OutcomeCvm::OnlinePin {
        true => {
            let reason = "the CVM results name it (9F34)";
            context.emit(Event::new("terminal", "online PIN").clause("EMV Book C-2 7.5").because(reason));
            Next::wait(Io::EnterPin(session.online_pin_prompt(&pan)), EnteringPin { answered })
        }
        false => authorise(answered, None),
    };
    turned.into_iter().fold(next, Next::after)
}

struct EnteringPin {
    answered: Answered,
}

impl Phase for EnteringPin {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        match reply.pin(STEP)?.filter(is_pin) {
            Some(pin) => Ok(authorise(self.answered, Some(pin))),
            None => {
                let balance = self.answered.balance_minor;
                let session = self.answered.read.session();
                let outcome = session.outcome(Verdict::Refused, NOT_ENTERED, balance, context);
                let next = Next::done(outcome).after(Change::Declined { reason: "no PIN was entered" });
                Ok(next.after(Change::Answered))
            }
        }
    }
}

/// From here on the cryptogram is the host's: the card is not asked for it again.
fn authorise(answered: Answered, pin: Option<Secret<String>>) -> Next {
    let Answered { read, chip, .. } = answered;
    let card = CardMark { pan: read.pan, psn: read.psn };
    ask_host(read.initiated.selected.session, card, chip, pin).after(Change::Answered)
}
