//! Settling open rows of purses: what the card proves (GET TRANSACTION PROVE, its log, its counter),
//! else what the host has seen.

use super::error::TerminalError;
use super::journal::{Change, Entry, EntryKind, State};
use super::purse::{Proven, prove};
use super::recovery::{Run, Way, doubt};
use super::recovery_rule::RecoveryRule;
use crate::air::host::Settlement;
use crate::words::dictionary::tag;

impl Run<'_, '_> {
    /// What is to be done with a purse's row now.
    pub(super) fn purse_way(&mut self, row: &Entry) -> Result<Way, TerminalError> {
        use RecoveryRule::{CloseUnsent, ReverseUnanswered, ReverseUnsent};
        Ok(match (row.state, row.kind) {
            (State::Started | State::Authorised, _) if row.sent => doubt(),
            (State::Started, EntryKind::PursePurchase) => {
                let reason = "the card was never asked to pay";
                self.if_allowed(CloseUnsent, Change::Declined { reason }, reason)
            }
            (State::Started, _) => {
                let reason = "no usable answer from the host";
                self.if_allowed(ReverseUnanswered, Change::ReversalDue { reason }, reason)
            }
            (State::Authorised, _) => {
                let reason = "the card was never told";
                self.if_allowed(ReverseUnsent, Change::ReversalDue { reason }, reason)
            }
            (State::InDoubt, _) => self.prove_purse(row)?,
            (State::ReversalDue, _) => self.reverse(row),
            (State::CardUpdated, EntryKind::PursePurchase) => self.upload_purse(row),
            (State::CardUpdated, _) => self.tell_result(row),
            (state, _) => Way::Wait(format!("{state}: nothing to do")),
        })
    }

    fn prove_purse(&mut self, row: &Entry) -> Result<Way, TerminalError> {
        let mut why = self.no_card.clone();
        if let Some(card) = self.card.as_deref_mut().filter(|_| self.rules.has(RecoveryRule::ProveByPurse)) {
            match prove(card, row, self.context) {
                Ok(Proven::Landed { chip, reason }) => {
                    return Ok(Way::Write(Change::CardUpdated { atc: row.atc, chip: Some(chip) }, reason));
                }
                Ok(Proven::NotLanded(reason)) => return Ok(Way::Write(not_landed(row), reason)),
                Ok(Proven::Gone(reason)) if row.kind == EntryKind::PursePurchase => {
                    return Ok(self.claim_purse(row, reason));
                }
                Ok(Proven::Gone(reason) | Proven::Nothing(reason)) => why = reason,
                Err(error) => why = error.to_string(),
            }
        }
        if row.kind != EntryKind::PursePurchase && self.rules.has(RecoveryRule::AskHost) {
            let trace = self.journal.next_trace()?;
            let mut question = row.purse_result(&self.config.merchant, &self.config.terminal);
            (question.key.batch, question.key.trace) = trace;
            match self.host.advise(&question, self.context).map(|answer| answer.settlement) {
                Ok(Some(Settlement::Landed)) => {
                    let reason = "the host saw the card's counter step";
                    return Ok(Way::Write(Change::Confirmed, reason.into()));
                }
                Ok(Some(Settlement::Returned)) => {
                    let reason = "the host saw that the card's counter did not step";
                    return Ok(Way::Write(Change::Reversed, reason.into()));
                }
                Ok(_) => why.push_str(", and the host has not seen it since"),
                Err(error) => why = format!("{why}; {error}"),
            }
        }
        Ok(Way::Wait(why))
    }

    /// A purchase whose TAC is lost for good: its issuer pays it once the card's next proven
    /// balance shows that it was paid. Until then it is doubtful.
    fn claim_purse(&mut self, row: &Entry, doubt: String) -> Way {
        if row.amount.minor == 0 {
            let reason = "it moved no money, and the card proves it no longer";
            return Way::Write(Change::Declined { reason }, reason.into());
        }
        match self.claim(row) {
            Way::Wait(why) => Way::Wait(format!("doubtful: {doubt}; {why}")),
            way => way,
        }
    }

    /// Uploads a purchase. One over nothing is uploaded, too: its issuer counts.
    fn upload_purse(&mut self, row: &Entry) -> Way {
        if !row.chip.has(tag::PURSE_TAC) {
            let doubt = "the card has paid, and its TAC was lost with its answer";
            return self.claim_purse(row, doubt.into());
        }
        if !self.rules.has(RecoveryRule::UploadSale) {
            return Way::Wait("an upload is due".into());
        }
        let request = row.upload(&self.config.merchant, &self.config.terminal);
        match self.host.advise(&request, self.context) {
            Ok(answer) if answer.settlement == Some(Settlement::Returned) => {
                let reason = "the TAC is not this card's for this purchase";
                Way::Write(Change::Declined { reason }, format!("the host disputes it: {reason}"))
            }
            Ok(answer) if answer.code.is_approved() => Way::Write(Change::Confirmed, "uploaded".into()),
            Ok(answer) => Way::Wait(format!("the host answered {} to the upload", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        }
    }

    /// Tells the host what the card has proved of a load, an unload or a change.
    fn tell_result(&mut self, row: &Entry) -> Way {
        if !self.rules.has(RecoveryRule::SendNotice) {
            return Way::Wait("a notice is due".into());
        }
        let request = row.purse_result(&self.config.merchant, &self.config.terminal);
        match self.host.advise(&request, self.context) {
            Ok(answer) if answer.settlement == Some(Settlement::Landed) => {
                Way::Write(Change::Confirmed, "the host took note".into())
            }
            Ok(answer) => Way::Wait(format!("the host answered {} to the card's proof", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        }
    }
}

/// It is proven that the card has not changed.
fn not_landed(row: &Entry) -> Change {
    match row.kind {
        EntryKind::PursePurchase => Change::Declined { reason: "the card has not paid" },
        _ => Change::ReversalDue { reason: "the card has not changed" },
    }
}
