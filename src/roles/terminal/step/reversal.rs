//! Reversal: what the host may have booked is undone (EMV Book 4 10.2 and 12; its message
//! is the network's). The row says that it is due before anything is sent.

use super::card_action_analysis::Decided;
use super::online_processing::Answered;
use crate::air::host::MessageClass;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;

const STEP: &str = "Reversal";

/// Reverses what the host approved; the card has not changed.
pub(super) fn undo(answered: Answered, said: String, cause: &'static str) -> Next {
    now(answered, said).after(Change::ReversalDue { reason: cause })
}

/// Sends the reversal of what the host approved; the row says `ReversalDue` by now.
pub(super) fn now(answered: Answered, said: String) -> Next {
    let results = answered.script_results();
    reverse(answered.decided, results, said)
}

/// Sends the reversal; the row says `ReversalDue` by now.
pub(super) fn reverse(mut decided: Decided, results: Option<Vec<u8>>, reason: String) -> Next {
    if !decided.moves_money() {
        return Next::wait(Io::Nothing, NothingToUndo { decided, reason });
    }
    let kind = decided.kind();
    let card = decided.card();
    let mut chip = decided.chip.clone();
    chip.put(tag::TVR, decided.session().tvr.0);
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
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let answer = reply.answer(STEP)?;
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
