//! Online request of a card that has decided by itself and may leave the field: EMV
//! Contactless Book A 6.1. The host's answer ends the transaction; the card does not hear it.

use super::card_action_analysis::{REQUEST_CHIP, row};
use super::deferred_request;
use crate::air::host::{HostError, Kind, MessageClass};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::roles::terminal::entry_point::OutcomeCvm;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::tlv::TlvStore;

const STEP: &str = "Online request";

/// Asks the host, or keeps the request of a ride for later; with the online PIN where that is the cardholder's verification.
pub(in crate::roles::terminal) fn begin(mut session: Session, card: CardMark, context: &mut Context) -> Next {
    if session.terms.flow == Flow::Ride {
        let chip = session.chip(REQUEST_CHIP);
        return deferred_request::begin(session, &card, chip, context);
    }
    if session.cvm == OutcomeCvm::OnlinePin {
        let prompt = session.online_pin_prompt(&card.pan);
        return Next::wait(Io::EnterPin(prompt), EnteringPin { session, card });
    }
    authorise(session, card, None)
}

fn authorise(mut session: Session, card: CardMark, pin: Option<Secret<String>>) -> Next {
    let opening = row(&mut session, EntryKind::OnlinePurchase, card.clone());
    let chip = opening.chip.clone();
    ask_host(session, card, chip, pin).after(Change::Open(Box::new(opening)))
}

/// Asks the host about a card for which the journal has a row.
pub(in crate::roles::terminal) fn ask_host(
    session: Session,
    card: CardMark,
    chip: TlvStore,
    pin: Option<Secret<String>>,
) -> Next {
    let request = session.request(MessageClass::Request, Kind::Purchase, &card, chip, pin);
    Next::wait(Io::Authorise(Box::new(request)), Waiting { session, card })
}

struct EnteringPin {
    session: Session,
    card: CardMark,
}

impl Phase for EnteringPin {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        match reply.pin(STEP)? {
            Some(pin) => Ok(authorise(self.session, self.card, Some(pin))),
            None => {
                let reason = "the online PIN is required and was not entered";
                let before = self.session.balance_before_minor;
                Ok(Next::done(self.session.outcome(Verdict::Declined, reason, before, context)))
            }
        }
    }
}

struct Waiting {
    session: Session,
    card: CardMark,
}

impl Phase for Waiting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let before = self.session.balance_before_minor;
        match reply.answer(STEP)? {
            Ok(answer) if answer.code.is_approved() => {
                let atc = self.session.store.array(tag::ATC).map_or(0, u16::from_be_bytes);
                let chip = self.session.chip(REQUEST_CHIP);
                let outcome = self.session.outcome(Verdict::ApprovedOnline, answer.reason, before, context);
                Ok(Next::done(outcome).after(Change::Confirmed).after(Change::Authorised {
                    atc,
                    balance_after_minor: None,
                    chip,
                }))
            }
            Ok(answer) => {
                let reason = format!("the host answered {}: {}", answer.code, answer.reason);
                let outcome = self.session.outcome(Verdict::Declined, reason, before, context);
                Ok(Next::done(outcome).after(Change::Declined { reason: "declined by the host" }))
            }
            Err(error @ HostError::Unreachable { .. }) => {
                let outcome = self.session.outcome(Verdict::Declined, error.to_string(), before, context);
                Ok(Next::done(outcome)
                    .after(Change::Declined { reason: "the request never left the terminal" }))
            }
            Err(error) => {
                let chip = self.session.chip(REQUEST_CHIP);
                let reversal =
                    self.session.request(MessageClass::Reversal, Kind::Purchase, &self.card, chip, None);
                let reversing = Reversing { session: self.session, reason: error.to_string() };
                Ok(Next::wait(Io::Reverse(Box::new(reversal)), reversing)
                    .after(Change::ReversalDue { reason: "no usable answer from the host" }))
            }
        }
    }
}

struct Reversing {
    session: Session,
    reason: String,
}

impl Phase for Reversing {
    fn name(&self) -> &'static str {
        "Reversal"
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let undone = matches!(reply.answer(STEP)?, Ok(answer) if answer.code.is_approved());
        let before = self.session.balance_before_minor;
        let outcome = self.session.outcome(Verdict::Declined, self.reason, before, context);
        let next = Next::done(outcome);
        Ok(if undone { next.after(Change::Reversed) } else { next })
    }
}
