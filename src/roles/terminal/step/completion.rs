//! Completion: EMV Book 3 10.11, and what the money asks for after it: the notice
//! to the host, or the reversal.

use super::balance_proof::{BalanceProof, moved_to, nothing_moved};
use super::card_action_analysis::{Decided, REQUEST_CHIP};
use super::online_processing::{Authorised, UNABLE_AND_APPROVED, UNABLE_TO_GO_ONLINE};
use super::script_processing;
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Flow;
use crate::words::dictionary::tag;
use crate::words::emv::command::GenerateAc;
use crate::words::emv::{CryptogramType, ScriptResult};
use crate::words::iso7816::ApduCommand;

const STEP: &str = "Completion";

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

/// The card declined at the first GENERATE AC: nothing moved.
pub(in crate::roles::terminal) fn declined(
    mut decided: Decided,
    reason: &'static str,
    context: &mut Context,
) -> Next {
    let before = decided.session().balance_before_minor;
    let outcome = decided.session().outcome(Verdict::Declined, reason, before, context);
    Next::done(outcome).after(Change::Declined { reason })
}

/// Tells the card that it ends here: asks for an AAC. The journal row is closed
/// already, or becomes declined with it.
pub(in crate::roles::terminal) fn second_declining(
    decided: Decided,
    code: [u8; 2],
    reason: impl Into<String>,
    _context: &mut Context,
) -> Next {
    let close = decided.verified.read.ecash;
    let verdict = Verdict::Declined;
    ending(decided, code, Ending { verdict, reason: reason.into(), reverse: false, close })
}

/// Tells the card that it ends here, since the host could not be asked.
pub(in crate::roles::terminal) fn second_unreached(decided: Decided, reason: String) -> Next {
    let (verdict, close) = (Verdict::HostUnreachable, decided.verified.read.ecash);
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
        Ending { verdict, reason: reason.into(), reverse: true, close: false },
    )
}

/// The issuer could not be asked, and no action code forbids to go on without it: the
/// card may approve by itself after all.
pub(in crate::roles::terminal) fn second_offline(mut decided: Decided, unreachable: String) -> Next {
    decided.session().store.put(tag::AUTHORISATION_RESPONSE_CODE, UNABLE_AND_APPROVED);
    let cdol2 = decided.verified.read.cdol2.clone();
    let cdol_data = decided.session().assemble(&cdol2);
    let ask = GenerateAc { cryptogram: CryptogramType::Tc, cda: false, cdol_data };
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
        let given = self.ask.answer(&reply.response(STEP)?)?;
        let session = decided.session();
        for (tag, value) in given.data.iter() {
            session.store.put(tag, value);
        }
        let approved = given.cid().and_then(|cid| cid.cryptogram_type()) == Some(CryptogramType::Tc);
        if approved && given.application_cryptogram().is_some() {
            decided.chip = session.chip(REQUEST_CHIP);
            return Ok(approved_offline(decided, context));
        }
        let reason = format!("{}; the card does not approve without it", self.unreachable);
        let before = session.balance_before_minor;
        let outcome = session.outcome(Verdict::Declined, reason, before, context);
        Ok(Next::done(outcome).after(Change::Declined { reason: "declined by the card" }))
    }
}

struct Ending {
    verdict: Verdict,
    reason: String,
    reverse: bool,
    /// Whether the row is still open and nothing moved.
    close: bool,
}

fn ending(mut decided: Decided, code: [u8; 2], ending: Ending) -> Next {
    decided.session().store.put(tag::AUTHORISATION_RESPONSE_CODE, code);
    let cdol2 = decided.verified.read.cdol2.clone();
    let cdol_data = decided.session().assemble(&cdol2);
    let ask = GenerateAc { cryptogram: CryptogramType::Aac, cda: false, cdol_data };
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
            return Ok(reverse(self.decided, None, self.ending.reason));
        }
        let before = self.decided.session().balance_before_minor;
        let outcome =
            self.decided.session().outcome(self.ending.verdict, self.ending.reason, before, context);
        let next = Next::done(outcome);
        Ok(if self.ending.close {
            next.after(Change::Declined { reason: "the card asked for its issuer" })
        } else {
            next
        })
    }
}

/// The second GENERATE AC after an approval: always, and a TC is asked for.
pub(in crate::roles::terminal) fn second_generate_ac(
    mut authorised: Authorised,
) -> Result<Next, TerminalError> {
    let cdol2 = authorised.decided.verified.read.cdol2.clone();
    let cdol_data = authorised.session().assemble(&cdol2);
    let ask = GenerateAc { cryptogram: CryptogramType::Tc, cda: false, cdol_data };
    Ok(Next::transmit(ask.to_apdu(), SecondAc { authorised, ask }))
}

struct SecondAc {
    authorised: Authorised,
    ask: GenerateAc,
}

impl Phase for SecondAc {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let mut authorised = self.authorised;
        let given = self.ask.answer(&response).ok().and_then(|c| c.cid()?.cryptogram_type());
        let approved = given == Some(CryptogramType::Tc);
        let answered = match given {
            Some(given) => format!("the card gave {given}"),
            None => format!("the card answered {} to the second GENERATE AC", response.status),
        };
        if approved || balance_has_landed(&authorised) {
            return match authorised.session().terms.flow {
                flow if flow.writes_card() => script_processing::after_second_ac(authorised, context),
                _ => {
                    let before = authorised.session().balance_before_minor;
                    let outcome =
                        authorised.session().outcome(Verdict::ApprovedOnline, answered, before, context);
                    Ok(Next::done(outcome).after(Change::Confirmed))
                }
            };
        }
        // The host approved and the card did not.
        let said = format!("{answered} after the host's approval");
        let cause = "the card refused after the host's approval";
        Ok(match authorised.results.is_empty() {
            true => undo(authorised, said, cause),
            // A script of template 71 was sent.
            false => prove_refusal(authorised, said, cause),
        })
    }
}

/// Every script has been run: the notice, or the reversal.
pub(in crate::roles::terminal) fn scripts_done(
    mut authorised: Authorised,
    _context: &mut Context,
) -> Result<Next, TerminalError> {
    if authorised.scripts.is_empty() {
        let said = "the host approved and sent no script".into();
        return Ok(undo(authorised, said, "the script was never sent"));
    }
    if authorised.results.iter().any(|(_, result)| *result != ScriptResult::Succeeded) {
        let said = "the card refused the script".into();
        return Ok(prove_refusal(authorised, said, "the card definitely refused the script"));
    }
    let proof = BalanceProof::of(authorised.session());
    Ok(Next::transmit(proof.command(), ReadingBalance { authorised, proof }))
}

/// Reverses what the host approved; the card has not changed.
fn undo(authorised: Authorised, said: String, cause: &'static str) -> Next {
    let results = script_results(&authorised);
    reverse(authorised.decided, results, said).after(Change::ReversalDue { reason: cause })
}

/// A script was sent and the card says that it refused: money goes back only once the
/// balance bears that out.
fn prove_refusal(mut authorised: Authorised, said: String, cause: &'static str) -> Next {
    let proof = BalanceProof::of(authorised.session());
    Next::transmit(proof.command(), ProvingRefusal { authorised, proof, said, cause })
}

struct ProvingRefusal {
    authorised: Authorised,
    proof: BalanceProof,
    said: String,
    cause: &'static str,
}

impl Phase for ProvingRefusal {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, _context: &mut Context) -> Result<Next, TerminalError> {
        let told = self.proof.take(reply)?;
        nothing_moved(self.authorised.session(), &self.said, &told)?;
        Ok(undo(self.authorised, self.said, self.cause))
    }
}

/// Reads the new balance: for the receipt, and to see that the card did as it said.
struct ReadingBalance {
    authorised: Authorised,
    proof: BalanceProof,
}

impl Phase for ReadingBalance {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, _context: &mut Context) -> Result<Next, TerminalError> {
        let told = self.proof.take(reply)?;
        let total = self.authorised.total_minor;
        moved_to(self.authorised.session(), "the card took the script", total, &told)?;
        let mut chip = self.authorised.decided.chip.clone();
        if let Some(results) = script_results(&self.authorised) {
            chip.put(tag::ISSUER_SCRIPT_RESULTS, results);
        }
        let atc = Some(self.authorised.decided.atc);
        let change = Change::CardUpdated { atc, chip: Some(chip.clone()) };
        let card = self.authorised.decided.card();
        let session = self.authorised.session();
        let io = match session.terms.flow {
            // Phase two: only now may the account be credited.
            Flow::Unload => Io::Authorise(Box::new(session.confirmation(&card, chip))),
            _ => {
                let (class, kind) = (MessageClass::Notice, Kind::ScriptResult);
                Io::Advise(Box::new(session.request(class, kind, &card, chip, None)))
            }
        };
        let balance = told.ok();
        Ok(Next::wait(io, Notifying { authorised: self.authorised, balance }).after(change))
    }
}

struct Notifying {
    authorised: Authorised,
    balance: Option<u64>,
}

impl Phase for Notifying {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let balance = self.balance;
        let session = self.authorised.session();
        let (confirmed, unconfirmed) = match session.terms.flow.lowers_card() {
            true => (Verdict::Unloaded, Verdict::UnloadedUnconfirmed),
            false => (Verdict::Loaded, Verdict::LoadedUnconfirmed),
        };
        Ok(match reply.answer(STEP)? {
            Ok(answer) if answer.code.is_approved() => {
                let reason = "the card took the script and the host took note";
                Next::done(session.outcome(confirmed, reason, balance, context)).after(Change::Confirmed)
            }
            Ok(answer) => {
                let reason = format!("the host answered {} to the notice", answer.code);
                Next::done(session.outcome(unconfirmed, reason, balance, context))
            }
            Err(error) => Next::done(session.outcome(unconfirmed, error.to_string(), balance, context)),
        })
    }
}

/// Sends the reversal; the row says `ReversalDue` by now.
fn reverse(mut decided: Decided, results: Option<Vec<u8>>, reason: String) -> Next {
    if !decided.moves_money() {
        return Next::wait(Io::Nothing, NothingToUndo { decided, reason });
    }
    let kind = decided.kind();
    let card = decided.card();
    let mut chip = decided.chip.clone();
    if let Some(results) = results {
        chip.put(tag::ISSUER_SCRIPT_RESULTS, results);
    }
    let request = decided.session().request(MessageClass::Reversal, kind, &card, chip, None);
    Next::wait(Io::Reverse(Box::new(request)), Reversing { decided, reason })
}

/// An inquiry that the card broke off: no money has moved.
struct NothingToUndo {
    decided: Decided,
    reason: String,
}

impl Phase for NothingToUndo {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, _reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let before = self.decided.session().balance_before_minor;
        Ok(Next::done(self.decided.session().outcome(Verdict::Declined, self.reason, before, context)))
    }
}

struct Reversing {
    decided: Decided,
    reason: String,
}

impl Phase for Reversing {
    fn name(&self) -> &'static str {
        "Reversal"
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let answer = reply.answer("Reversal")?;
        let undone = matches!(&answer, Ok(answer) if answer.code.is_approved());
        let reason = match undone {
            true => format!("{}; reversed", self.reason),
            false => format!("{}; the reversal is due and goes out at the next start", self.reason),
        };
        let before = self.decided.session().balance_before_minor;
        let outcome = self.decided.session().outcome(Verdict::Declined, reason, before, context);
        let next = Next::done(outcome);
        Ok(if undone { next.after(Change::Reversed) } else { next })
    }
}

/// Whether a script of template 71 has already written the balance.
fn balance_has_landed(authorised: &Authorised) -> bool {
    authorised.scripts.iter().any(|script| script.before_second_ac)
        && authorised.results.iter().any(|(_, result)| *result == ScriptResult::Succeeded)
}

/// Tag DF31 for the host, where a script was run.
fn script_results(authorised: &Authorised) -> Option<Vec<u8>> {
    let entries = authorised.results.iter().map(|(identifier, result)| result.to_bytes(*identifier));
    let bytes: Vec<u8> = entries.flatten().take(20).collect();
    (!bytes.is_empty()).then_some(bytes)
}
