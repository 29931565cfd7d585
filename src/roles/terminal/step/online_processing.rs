//! Online processing: EMV Book 3 10.9. The host decides; from here on the journal
//! says at every point what the host may have booked.

use super::card_action_analysis::Decided;
use super::{completion, issuer_authentication, terminal_action_analysis};
use crate::air::host::{Answer, HostError, Kind, MessageClass};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::{CryptogramType, IssuerScript, ScriptResult};
use crate::words::iso7816::ApduCommand;
use crate::words::pboc::command::PutData;

const STEP: &str = "Online processing";
/// Authorisation response code of a terminal that could not go online and declines
/// (EMV Book 4 A6).
pub(in crate::roles::terminal) const UNABLE_TO_GO_ONLINE: [u8; 2] = *b"Z3";
/// Of one that could not go online and approves.
pub(in crate::roles::terminal) const UNABLE_AND_APPROVED: [u8; 2] = *b"Y3";

/// The host has approved.
pub(in crate::roles::terminal) struct Authorised {
    pub(in crate::roles::terminal) decided: Decided,
    pub(in crate::roles::terminal) answer: Answer,
    pub(in crate::roles::terminal) scripts: Vec<IssuerScript>,
    /// What became of each script, in the order they were run.
    pub(in crate::roles::terminal) results: Vec<([u8; 4], ScriptResult)>,
    /// The balance that the scripts write, minor units.
    pub(in crate::roles::terminal) total_minor: Option<u64>,
}

impl Authorised {
    pub(in crate::roles::terminal) fn session(&mut self) -> &mut Session {
        self.decided.session()
    }
}

impl Decided {
    pub(in crate::roles::terminal) fn card(&self) -> CardMark {
        CardMark { pan: self.verified.read.pan.clone(), psn: self.verified.read.psn }
    }

    pub(in crate::roles::terminal) fn moves_money(&mut self) -> bool {
        self.session().terms.flow.moves_money()
    }

    pub(in crate::roles::terminal) fn kind(&mut self) -> Kind {
        self.session().terms.flow.kind()
    }
}

/// Sends the request.
pub(in crate::roles::terminal) fn begin(
    mut decided: Decided,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    if decided.verified.read.ecash {
        // The row says "offline sale"; money on the card has not moved.
        let reason = "the card asks for its issuer, and electronic cash is paid offline here";
        return Ok(completion::second_declining(decided, UNABLE_TO_GO_ONLINE, reason, context));
    }
    let kind = decided.kind();
    let card = decided.card();
    let pin = decided.verified.pin.take();
    let chip = decided.chip.clone();
    let request = decided.session().request(MessageClass::Request, kind, &card, chip, pin);
    Ok(Next::wait(Io::Authorise(Box::new(request)), Waiting { decided }))
}

struct Waiting {
    decided: Decided,
}

impl Phase for Waiting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut decided = self.decided;
        match reply.answer(STEP)? {
            Ok(answer) if answer.code.is_approved() => authorised(decided, answer, context),
            Ok(answer) => {
                let reason = format!("the host answered {}: {}", answer.code, answer.reason);
                tell(&answer, context);
                let next = completion::second_declining(decided, answer.code.0, reason, context);
                Ok(next.after(Change::Declined { reason: "declined by the host" }))
            }
            Err(error @ HostError::Unreachable { .. }) => {
                let asked = terminal_action_analysis::unable_to_go_online(&mut decided.verified, context);
                if asked == CryptogramType::Tc {
                    let next = completion::second_offline(decided, error.to_string());
                    return Ok(next.after(Change::Turned(EntryKind::AccountSale)));
                }
                let next = completion::second_unreached(decided, error.to_string());
                Ok(next.after(Change::Declined { reason: "the request never left the terminal" }))
            }
            // Nothing moves in an inquiry, so nothing is to be undone.
            Err(error) if !decided.moves_money() => {
                Ok(completion::second_declining(decided, UNABLE_TO_GO_ONLINE, error.to_string(), context))
            }
            // The host may have booked: nobody knows until the reversal is answered.
            Err(error) => {
                let next = completion::second_reversing(decided, error.to_string(), context);
                Ok(next.after(Change::ReversalDue { reason: "no usable answer from the host" }))
            }
        }
    }
}

fn authorised(decided: Decided, answer: Answer, context: &mut Context) -> Result<Next, TerminalError> {
    tell(&answer, context);
    let mut decided = decided;
    decided.session().account_balance = answer.balance;
    let scripts = match IssuerScript::parse_all(&answer.chip) {
        Ok(scripts) => scripts,
        Err(error) => {
            let change = Change::Authorised {
                atc: decided.atc,
                balance_after_minor: None,
                chip: decided.chip.clone(),
            };
            let next = completion::second_reversing(decided, error.to_string(), context);
            let due = Change::ReversalDue { reason: "the host's script cannot be read" };
            return Ok(next.after(due).after(change));
        }
    };
    let set = decided.session().set;
    let total = scripts
        .iter()
        .flat_map(|script| &script.commands)
        .filter_map(|command| PutData::from_apdu(command).ok())
        .find(|put| set.is_some_and(|set| set.balance == put.tag))
        .and_then(|put| crate::base::bytes::bcd_to_u64(&put.value).ok());
    let change =
        Change::Authorised { atc: decided.atc, balance_after_minor: total, chip: decided.chip.clone() };
    decided.session().store.put(tag::AUTHORISATION_RESPONSE_CODE, answer.code.0);
    let authorised = Authorised { decided, answer, scripts, results: Vec::new(), total_minor: total };
    let next = issuer_authentication::begin(authorised, context)?;
    Ok(next.after(change))
}

fn tell(answer: &Answer, context: &mut Context) {
    context.emit(
        Event::new("terminal", "the host answered")
            .clause("EMV Book 3 10.9")
            .because(answer.reason.clone())
            .with_named("response code", answer.code.0),
    );
}
