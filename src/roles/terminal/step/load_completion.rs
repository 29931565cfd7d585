//! Completion of what writes the card's balance: loads, voids and unloads (JR/T 0025.13).
//! A script that was sent is settled by the balance alone; then comes the notice.

use super::balance_proof::{BalanceProof, moved_to, nothing_moved};
use super::online_processing::Answered;
use super::reversal;
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::ScriptResult;

const STEP: &str = "Completion";

/// Every script has been run: the notice, or the reversal.
pub(super) fn scripts_done(mut answered: Answered) -> Next {
    if answered.scripts.is_empty() {
        let said = "the host approved and sent no script".into();
        return reversal::undo(answered, said, "the script was never sent");
    }
    if answered.results.iter().any(|(_, result)| *result != ScriptResult::Succeeded) {
        let said = "the card refused the script".into();
        return prove_refusal(answered, said, "the card definitely refused the script");
    }
    let proof = BalanceProof::of(answered.session());
    Next::transmit(proof.command(), ReadingBalance { answered, proof })
}

/// The card gave no TC after the host's approval.
pub(super) fn refused(answered: Answered, said: String, cause: &'static str) -> Next {
    match answered.results.is_empty() {
        true => reversal::undo(answered, said, cause),
        // A script of template 71 was sent.
        false => prove_refusal(answered, said, cause),
    }
}

/// A script was sent and the card says that it refused: money goes back only once the
/// balance bears that out.
fn prove_refusal(mut answered: Answered, said: String, cause: &'static str) -> Next {
    let proof = BalanceProof::of(answered.session());
    Next::transmit(proof.command(), ProvingRefusal { answered, proof, said, cause })
}

struct ProvingRefusal {
    answered: Answered,
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
        nothing_moved(self.answered.session(), &self.said, &told)?;
        Ok(reversal::undo(self.answered, self.said, self.cause))
    }
}

/// Reads the new balance: for the receipt, and to see that the card did as it said.
struct ReadingBalance {
    answered: Answered,
    proof: BalanceProof,
}

impl Phase for ReadingBalance {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, _context: &mut Context) -> Result<Next, TerminalError> {
        let told = self.proof.take(reply)?;
        let total = self.answered.total_minor;
        moved_to(self.answered.session(), "the card took the script", total, &told)?;
        let mut chip = self.answered.decided.chip.clone();
        if let Some(results) = self.answered.script_results() {
            chip.put(tag::ISSUER_SCRIPT_RESULTS, results);
        }
        let atc = Some(self.answered.decided.atc);
        let change = Change::CardUpdated { atc, chip: Some(chip.clone()) };
        let card = self.answered.decided.card();
        let session = self.answered.session();
        let io = match session.terms.flow {
            // Phase two: only now may the account be credited.
            Flow::Unload => Io::Authorise(Box::new(session.confirmation(&card, chip))),
            _ => {
                let (class, kind) = (MessageClass::Notice, Kind::ScriptResult);
                Io::Advise(Box::new(session.request(class, kind, &card, chip, None)))
            }
        };
        let balance = told.ok();
        Ok(Next::wait(io, Notifying { answered: self.answered, balance }).after(change))
    }
}

struct Notifying {
    answered: Answered,
    balance: Option<u64>,
}

impl Phase for Notifying {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let balance = self.balance;
        let session = self.answered.session();
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

/// Whether a script of template 71 has already written the balance.
pub(super) fn balance_has_landed(answered: &Answered) -> bool {
    answered.scripts.iter().any(|script| script.before_second_ac)
        && answered.results.iter().any(|(_, result)| *result == ScriptResult::Succeeded)
}
