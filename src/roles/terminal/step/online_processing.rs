//! Online processing: EMV Book 3 10.9. The host decides; from here on the journal
//! says at every point what the host may have booked.

use super::card_action_analysis::Decided;
use super::completion::End;
use super::script_processing::{ReceivedScript, received};
use super::{completion, deferred_request, issuer_authentication, terminal_action_analysis};
use crate::air::host::{Answer, HostError, Kind, MessageClass};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::{CryptogramType, ScriptResult};
use crate::words::iso7816::ApduCommand;
use crate::words::pboc::command::PutData;

const STEP: &str = "Online processing";
/// Authorisation response code of a terminal that could not go online and declines
/// (EMV Book 4 A6).
pub(in crate::roles::terminal) const UNABLE_TO_GO_ONLINE: [u8; 2] = *b"Z3";
/// Of one that could not go online and approves.
pub(in crate::roles::terminal) const UNABLE_AND_APPROVED: [u8; 2] = *b"Y3";

/// The host has answered.
pub(in crate::roles::terminal) struct Answered {
    pub(in crate::roles::terminal) decided: Decided,
    pub(in crate::roles::terminal) answer: Answer,
    pub(in crate::roles::terminal) approved: bool,
    pub(in crate::roles::terminal) scripts: Vec<ReceivedScript>,
    /// What became of each script, in the order they were run.
    pub(in crate::roles::terminal) results: Vec<([u8; 4], ScriptResult)>,
    /// The balance that the scripts write, minor units.
    pub(in crate::roles::terminal) total_minor: Option<u64>,
    /// How it ends, once the card has given its second cryptogram; a load ends otherwise.
    pub(in crate::roles::terminal) end: Option<End>,
}

impl Answered {
    pub(in crate::roles::terminal) fn session(&mut self) -> &mut Session {
        self.decided.session()
    }

    /// Tag DF31 for the host, where a script was run.
    pub(in crate::roles::terminal) fn script_results(&self) -> Option<Vec<u8>> {
        (!self.results.is_empty()).then(|| entries(self.results.iter().copied()))
    }

    /// The same while the scripts that follow have not been run.
    pub(in crate::roles::terminal) fn results_not_known(&self) -> Vec<u8> {
        let to_run = self.scripts.iter().filter(|script| !script.before_second_ac);
        let to_run = to_run.map(|script| (script.identifier, ScriptResult::NotPerformed));
        entries(self.results.iter().copied().chain(to_run))
    }
}

/// At most four results have room in tag DF31.
fn entries(results: impl Iterator<Item = ([u8; 4], ScriptResult)>) -> Vec<u8> {
    results.take(4).flat_map(|(identifier, result)| result.to_bytes(identifier)).collect()
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
    let card = decided.card();
    if decided.session().terms.flow == Flow::Ride {
        let Decided { verified, chip, .. } = decided;
        return Ok(deferred_request::begin(verified.read.initiated.selected.session, &card, chip, context));
    }
    let kind = decided.kind();
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
            Ok(answer) => {
                let approved = answer.code.is_approved();
                answered(decided, answer, approved, context)
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

fn answered(
    mut decided: Decided,
    answer: Answer,
    approved: bool,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    tell(&answer, context);
    decided.session().account_balance = answer.balance;
    let session = decided.session();
    let writes_card = session.terms.flow.writes_card();
    session.store.put(tag::AUTHORISATION_RESPONSE_CODE, answer.code.0);
    // What writes a balance comes with an approval alone.
    let scripts = if writes_card && !approved { Vec::new() } else { received(&answer.chip) };
    let unreadable = scripts.iter().find_map(|script| script.commands.as_ref().err()).cloned();
    let set = decided.session().set;
    let total = scripts
        .iter()
        .flat_map(|script| script.commands.iter().flatten())
        .filter_map(|command| PutData::from_apdu(command).ok())
        .find(|put| set.is_some_and(|set| set.balance == put.tag))
        .and_then(|put| crate::base::bytes::bcd_to_u64(&put.value).ok());
    let change = match approved {
        false => Change::Declined { reason: "declined by the host" },
        true => {
            Change::Authorised { atc: decided.atc, balance_after_minor: total, chip: decided.chip.clone() }
        }
    };
    if let (true, Some(error)) = (writes_card, unreadable) {
        let next = completion::second_reversing(decided, error.to_string(), context);
        let due = Change::ReversalDue { reason: "the host's script cannot be read" };
        return Ok(next.after(due).after(change));
    }
    let (results, end) = (Vec::new(), None);
    let answered = Answered { decided, answer, approved, scripts, results, total_minor: total, end };
    Ok(issuer_authentication::begin(answered, context)?.after(change))
}

fn tell(answer: &Answer, context: &mut Context) {
    context.emit(
        Event::new("terminal", "the host answered")
            .clause("EMV Book 3 10.9")
            .because(answer.reason.clone())
            .with_named("response code", answer.code.0),
    );
}
