//! Reversals (reference: 0400, 0420). One that finds its request undoes it unless
//! the card holds the money; one that finds none bars that request.

use super::IssuerError;
use super::answer::Acted;
use super::hold::HoldStep;
use super::load_kind::LoadKind;
use super::message::Found;
use super::purchase;
use super::purse_load::changes_purse;
use super::work::Work;
use crate::air::host::{Answer, Request, ResponseCode, Settlement};

impl Work<'_> {
    /// Undoes the request with the same key.
    pub(super) fn undo(&mut self, reversal: &Request) -> Result<Acted, IssuerError> {
        self.note_script_results(reversal)?;
        let found = self.find_reversed(reversal)?;
        let on = match found {
            Found::Other => {
                let reason = "the request with this key has another card, amount or kind";
                return Ok(Acted::nothing(Answer::new(ResponseCode::NO_ORIGINAL, reason)));
            }
            Found::Never => {
                if self.rules.recovery.bar_unknown_originals && !self.bar(reversal)? {
                    // The card is held, so that its own requests cannot come between:
                    // the key went to another card's message.
                    let reason = "the request with this key has another card, amount or kind";
                    return Ok(Acted::nothing(Answer::new(ResponseCode::NO_ORIGINAL, reason)));
                }
                let reason = "no such request came; it is barred from acting later";
                self.say("Request Barred", reason);
                return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, reason)));
            }
            Found::Came(None) => {
                let reason = "the request moved no money; there is nothing to undo";
                return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, reason)));
            }
            Found::Came(Some(on)) => on,
        };
        if let Some(step) = HoldStep::of(reversal.kind) {
            return self.undo_hold(&on, step);
        }
        match reversal.kind {
            kind if LoadKind::of(kind).is_some() || changes_purse(kind) => self.undo_load(&on),
            kind if purchase::is_one(kind) => {
                self.undo_purchase(&on)?;
                let answer = Answer::new(ResponseCode::APPROVED, "the purchase is undone");
                Ok(Acted { answer, on: Some(on) })
            }
            _ => {
                let reason = "this kind of message has no reversal";
                Ok(Acted::nothing(Answer::new(ResponseCode::INVALID_TRANSACTION, reason)))
            }
        }
    }

    fn undo_load(&mut self, id: &str) -> Result<Acted, IssuerError> {
        let load = self.load(id)?.ok_or_else(|| IssuerError::Corrupt {
            table: "message",
            expected: "the load that the message acted on",
            found: "no such load".into(),
        })?;
        self.settle(&load, Settlement::Returned, "reversal", "reversed by the terminal")?;
        let settlement = self.settlement(id)?;
        let mut answer = if settlement == Settlement::Landed {
            self.say("Reversal Refused", "the card is proven to have taken the script");
            let reason = "the card has taken the script; nothing is given back";
            Answer::new(ResponseCode::INVALID_TRANSACTION, reason)
        } else {
            Answer::new(ResponseCode::APPROVED, "the money is back where it came from")
        };
        answer.settlement = Some(settlement);
        Ok(Acted { answer, on: Some(id.to_owned()) })
    }
}
