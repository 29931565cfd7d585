//! Online processing after the card has left the field: the issuer decides by the ARQC
//! alone (EMV Book C-2 6.2.5, outcome ONLINE REQUEST).

use super::asking::Answered;
use super::verification;
use crate::air::host::{HostError, Kind, MessageClass};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::step::cardholder_verification::{NOT_ENTERED, is_pin};
use crate::words::emv::CryptogramType::Arqc;

const STEP: &str = "Online processing";

/// Asks for the PIN where the results want it, then the issuer.
pub(super) fn begin(mut answered: Answered, context: &mut Context) -> Next {
    let turned = (answered.opened != Arqc).then_some(Change::Turned(EntryKind::OnlinePurchase));
    let pan = answered.read.pan.clone();
    let session = answered.read.session();
    let next = match verification::wants_online_pin(session) {
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
                let outcome = self.answered.read.session();
                let outcome = outcome.outcome(Verdict::Refused, NOT_ENTERED, balance, context);
                Ok(Next::done(outcome).after(Change::Declined { reason: "no PIN was entered" }))
            }
        }
    }
}

fn authorise(mut answered: Answered, pin: Option<Secret<String>>) -> Next {
    let card = CardMark { pan: answered.read.pan.clone(), psn: answered.read.psn };
    let chip = answered.chip.clone();
    let session = answered.read.session();
    let request = session.request(MessageClass::Request, Kind::Purchase, &card, chip, pin);
    Next::wait(Io::Authorise(Box::new(request)), Waiting { answered })
}

struct Waiting {
    answered: Answered,
}

impl Phase for Waiting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Answered { mut read, atc, chip, balance_minor: balance, .. } = self.answered;
        let session = read.session();
        Ok(match reply.answer(STEP)? {
            Ok(answer) if answer.code.is_approved() => {
                session.account_balance = answer.balance;
                let outcome = session.outcome(Verdict::ApprovedOnline, answer.reason, balance, context);
                let authorised = Change::Authorised { atc, balance_after_minor: None, chip };
                Next::done(outcome).after(Change::Confirmed).after(authorised)
            }
            Ok(answer) => {
                let reason = format!("the host answered {}: {}", answer.code, answer.reason);
                let outcome = session.outcome(Verdict::Declined, reason, balance, context);
                Next::done(outcome).after(Change::Declined { reason: "declined by the host" })
            }
            Err(error @ HostError::Unreachable { .. }) => {
                let outcome = session.outcome(Verdict::HostUnreachable, error.to_string(), balance, context);
                Next::done(outcome).after(Change::Declined { reason: "the request never left the terminal" })
            }
            Err(error) => {
                // It may have been booked: the reversal that is due settles it.
                let outcome = session.outcome(Verdict::Declined, error.to_string(), balance, context);
                Next::done(outcome).after(Change::ReversalDue { reason: "no usable answer from the host" })
            }
        })
    }
}
