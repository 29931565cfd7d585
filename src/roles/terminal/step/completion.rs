//! Completion: EMV Book 3 10.11. The second GENERATE AC, and how a transaction ends that
//! does not write the card's balance; what does is in `load_completion`.

use super::card_action_analysis::{Decided, REQUEST_CHIP};
use super::combined_signature::{self, Moment};
use super::online_processing::{Answered, UNABLE_AND_APPROVED, UNABLE_TO_GO_ONLINE};
use super::{advice, load_completion, reversal, script_processing};
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{Aac, Tc};
use crate::words::emv::command::GenerateAc;
use crate::words::iso7816::ApduCommand;

const STEP: &str = "Completion";
/// Why a cryptogram counts for nothing.
const NOT_AUTHENTIC: &str = "the combined signature over the card's cryptogram is not authentic";
/// Authorisation response code of a terminal that declines by itself (EMV Book 4 A6).
const OFFLINE_DECLINED: [u8; 2] = *b"Z1";

/// The card approved offline: its money has moved, and the sale waits for upload.
pub(in crate::roles::terminal) fn approved_offline(mut decided: Decided, context: &mut Context) -> Next {
    let change = Change::CardUpdated { atc: Some(decided.atc), chip: Some(decided.chip.clone()) };
    let ecash = decided.verified.read.ecash;
    let session = decided.session();
    let spent = if ecash { session.terms.amount.minor } else { 0 };
    let after = session.balance_before_minor.map(|before| before.saturating_sub(spent));
    let reason = "the card gave a transaction certificate";
    let outcome = session.outcome(Verdict::ApprovedOffline, reason, after, context);
    Next::done(outcome).after(change)
}

/// The card declined at the first GENERATE AC: nothing moved, and its issuer may be told.
pub(in crate::roles::terminal) fn declined(
    mut decided: Decided,
    reason: &'static str,
    context: &mut Context,
) -> Next {
    let before = decided.session().balance_before_minor;
    let outcome = decided.session().outcome(Verdict::Declined, reason, before, context);
    advice::then(decided, outcome, reason, context)
}

/// The card approved, and its signature is not good: declined (EMV Book 2 6.6.2). An
/// electronic cash card has moved its money by then, and its row says so: the sale is
/// uploaded, and a refund gives the money back.
pub(in crate::roles::terminal) fn not_authentic(mut decided: Decided, context: &mut Context) -> Next {
    if !decided.verified.read.ecash {
        return declined(decided, NOT_AUTHENTIC, context);
    }
    let change = Change::CardUpdated { atc: Some(decided.atc), chip: Some(decided.chip.clone()) };
    let reason = format!("{NOT_AUTHENTIC}; its money has moved: refund the payment");
    let before = decided.session().balance_before_minor;
    Next::done(decided.session().outcome(Verdict::Declined, reason, before, context)).after(change)
}

/// The card asks for its issuer, and its signature is not good: an AAC at once, and
/// nobody is asked (EMV Book 2 6.6.2).
pub(in crate::roles::terminal) fn second_not_authentic(decided: Decided) -> Next {
    let (verdict, reason) = (Verdict::Declined, NOT_AUTHENTIC.to_owned());
    let close = Some(NOT_AUTHENTIC);
    ending(decided, OFFLINE_DECLINED, Ending { verdict, reason, reverse: false, close })
}

/// Tells the card that it ends here: asks for an AAC. The journal row is closed
/// already, or becomes declined with it.
pub(in crate::roles::terminal) fn second_declining(
    decided: Decided,
    code: [u8; 2],
    reason: impl Into<String>,
    _context: &mut Context,
) -> Next {
    let close = decided.verified.read.ecash.then_some(ASKED_FOR_ISSUER);
    let verdict = Verdict::Declined;
    ending(decided, code, Ending { verdict, reason: reason.into(), reverse: false, close })
}

/// Tells the card that it ends here, since the host could not be asked.
pub(in crate::roles::terminal) fn second_unreached(decided: Decided, reason: String) -> Next {
    let close = decided.verified.read.ecash.then_some(ASKED_FOR_ISSUER);
    let verdict = Verdict::HostUnreachable;
    ending(decided, UNABLE_TO_GO_ONLINE, Ending { verdict, reason, reverse: false, close })
}

/// Tells the card that it ends here, then undoes what the host may have booked.
pub(in crate::roles::terminal) fn second_reversing(
    decided: Decided,
    reason: impl Into<String>,
    _context: &mut Context,
) -> Next {
    let verdict = Verdict::Declined;
    ending(
        decided,
        UNABLE_TO_GO_ONLINE,
        Ending { verdict, reason: reason.into(), reverse: true, close: None },
    )
}

/// The issuer could not be asked, and no action code forbids to go on without it: the
/// card may approve by itself after all.
pub(in crate::roles::terminal) fn second_offline(mut decided: Decided, unreachable: String) -> Next {
    decided.session().store.put(tag::AUTHORISATION_RESPONSE_CODE, UNABLE_AND_APPROVED);
    let cdol2 = decided.verified.read.cdol2.clone();
    let cdol_data = decided.session().assemble(&cdol2);
    let asked = Tc;
    let cda = combined_signature::is_asked_for(&mut decided.verified.read, asked, Moment::Unanswered);
    let ask = GenerateAc { cryptogram: asked, cda, cdol_data };
    Next::transmit(ask.to_apdu(), OfflineAfterAll { decided, ask, unreachable })
}

struct OfflineAfterAll {
    decided: Decided,
    ask: GenerateAc,
    unreachable: String,
}

impl Phase for OfflineAfterAll {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut decided = self.decided;
        let response = reply.response(STEP)?;
        let given = self.ask.answer(&response)?;
        let session = decided.session();
        // The first cryptogram is not the one that approves.
        session.store.remove(tag::APPLICATION_CRYPTOGRAM);
        for (tag, value) in given.data.iter() {
            session.store.put(tag, value);
        }
        let read = &mut decided.verified.read;
        let authentic = combined_signature::check(read, &self.ask, &given, &response.data, context);
        let session = decided.session();
        let approved = given.cid().and_then(|cid| cid.cryptogram_type()) == Some(Tc);
        if approved && authentic && session.store.has(tag::APPLICATION_CRYPTOGRAM) {
            decided.chip = session.chip(REQUEST_CHIP);
            return Ok(approved_offline(decided, context));
        }
        let said = if authentic { "the card does not approve without it" } else { NOT_AUTHENTIC };
        let reason = format!("{}; {said}", self.unreachable);
        let before = session.balance_before_minor;
        let outcome = session.outcome(Verdict::Declined, reason, before, context);
        Ok(Next::done(outcome).after(Change::Declined { reason: "declined by the card" }))
    }
}

/// Why the row of an electronic cash payment is closed.
const ASKED_FOR_ISSUER: &str = "the card asked for its issuer";

struct Ending {
    verdict: Verdict,
    reason: String,
    reverse: bool,
    /// Why the row is closed, where it is still open and nothing moved.
    close: Option<&'static str>,
}

fn ending(mut decided: Decided, code: [u8; 2], ending: Ending) -> Next {
    decided.session().store.put(tag::AUTHORISATION_RESPONSE_CODE, code);
    let cdol2 = decided.verified.read.cdol2.clone();
    let cdol_data = decided.session().assemble(&cdol2);
    let ask = GenerateAc { cryptogram: Aac, cda: false, cdol_data };
    Next::transmit(ask.to_apdu(), EndingAc { decided, ending })
}

struct EndingAc {
    decided: Decided,
    ending: Ending,
}

impl Phase for EndingAc {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, _reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        // Whatever the card answers: it was asked to decline, and no script was sent.
        if self.ending.reverse {
            return Ok(reversal::reverse(self.decided, None, self.ending.reason));
        }
        let before = self.decided.session().balance_before_minor;
        let outcome =
            self.decided.session().outcome(self.ending.verdict, self.ending.reason, before, context);
        let next = Next::done(outcome);
        Ok(match self.ending.close {
            Some(reason) => next.after(Change::Declined { reason }),
            None => next,
        })
    }
}

/// How a transaction ends that the host has answered, once the card has given its second
/// cryptogram.
#[derive(Debug)]
pub(in crate::roles::terminal) enum End {
    /// Host and card approved.
    Approved(String),
    /// The host approved and the card did not: what the host booked is to be undone.
    Refused(String),
    /// The host did not approve.
    Declined(String),
}

/// The second GENERATE AC after the host's answer: a TC is asked for where it approved.
pub(in crate::roles::terminal) fn second_generate_ac(mut answered: Answered) -> Result<Next, TerminalError> {
    let cdol2 = answered.decided.verified.read.cdol2.clone();
    let cdol_data = answered.session().assemble(&cdol2);
    let cryptogram = if answered.approved { Tc } else { Aac };
    let read = &mut answered.decided.verified.read;
    let cda = combined_signature::is_asked_for(read, cryptogram, Moment::Answered);
    let ask = GenerateAc { cryptogram, cda, cdol_data };
    Ok(Next::transmit(ask.to_apdu(), SecondAc { answered, ask }))
}

struct SecondAc {
    answered: Answered,
    ask: GenerateAc,
}

impl Phase for SecondAc {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let Self { mut answered, ask } = *self;
        let given = ask.answer(&response).ok();
        let authentic = given.as_ref().is_none_or(|given| {
            let read = &mut answered.decided.verified.read;
            combined_signature::check(read, &ask, given, &response.data, context)
        });
        let given = given.and_then(|given| given.cid()?.cryptogram_type());
        let approved = answered.approved && given == Some(Tc) && authentic;
        let said = match given {
            Some(_) if !authentic => NOT_AUTHENTIC.to_owned(),
            Some(given) => format!("the card gave {given}"),
            None => format!("the card answered {} to the second GENERATE AC", response.status),
        };
        let after_approval = || format!("{said} after the host's approval");
        if !answered.approved {
            let reason = format!("the host answered {}: {}", answered.answer.code, answered.answer.reason);
            answered.end = Some(End::Declined(reason));
            return script_processing::after_second_ac(answered, context);
        }
        if answered.session().terms.flow.writes_card() {
            return match approved || load_completion::balance_has_landed(&answered) {
                true => script_processing::after_second_ac(answered, context),
                false => Ok(load_completion::refused(answered, after_approval(), REFUSED)),
            };
        }
        if !approved {
            answered.end = Some(End::Refused(after_approval()));
            let next = script_processing::after_second_ac(answered, context)?;
            return Ok(next.after(Change::ReversalDue { reason: REFUSED }));
        }
        answered.end = Some(End::Approved(said));
        if answered.scripts.is_empty() && answered.results.is_empty() {
            return scripts_done(answered, context);
        }
        // Card and host agree: what becomes of the scripts is told, and changes nothing of that.
        let atc = Some(answered.decided.atc);
        let mut chip = answered.decided.chip.clone();
        chip.put(tag::ISSUER_SCRIPT_RESULTS, answered.results_not_known());
        let next = script_processing::after_second_ac(answered, context)?;
        Ok(next.after(Change::CardUpdated { atc, chip: Some(chip) }))
    }
}

/// Why the host's approval is undone.
const REFUSED: &str = "the card refused after the host's approval";

/// Every script has been run.
pub(in crate::roles::terminal) fn scripts_done(
    mut answered: Answered,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    Ok(match answered.end.take() {
        None => load_completion::scripts_done(answered),
        Some(End::Refused(said)) => reversal::now(answered, said),
        Some(end) => match answered.script_results() {
            Some(results) => {
                let card = answered.decided.card();
                let mut chip = answered.decided.chip.clone();
                chip.put(tag::ISSUER_SCRIPT_RESULTS, results);
                let session = answered.session();
                chip.put(tag::TVR, session.tvr.0);
                let (class, kind) = (MessageClass::Notice, Kind::ScriptResult);
                let request = session.request(class, kind, &card, chip, None);
                Next::wait(Io::Advise(Box::new(request)), TellingResults { answered, end })
            }
            None => ended(answered, end, true, context),
        },
    })
}

/// The host is told what became of the scripts.
struct TellingResults {
    answered: Answered,
    end: End,
}

impl Phase for TellingResults {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { answered, end } = *self;
        // Where it was not heard, the row of an approval waits for the next start.
        let told = reply.answer(STEP)?.is_ok();
        Ok(ended(answered, end, told, context))
    }
}

fn ended(mut answered: Answered, end: End, told: bool, context: &mut Context) -> Next {
    let (verdict, reason) = match end {
        End::Approved(said) => (Verdict::ApprovedOnline, said),
        End::Refused(said) | End::Declined(said) => (Verdict::Declined, said),
    };
    let session = answered.session();
    let before = session.balance_before_minor;
    let next = Next::done(session.outcome(verdict, reason, before, context));
    // A row that the host declined is closed already.
    if verdict == Verdict::ApprovedOnline && told { next.after(Change::Confirmed) } else { next }
}
