//! Online processing and completion: EMV Contactless Book C-3 5.8 and 5.9.

use super::CardRead;
use crate::base::context::Context;
use crate::roles::terminal::journal::{Change, EntryKind};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::card_action_analysis::{REQUEST_CHIP, row};
use crate::roles::terminal::step::online_request;
use crate::words::emv::CryptogramType;

/// Ends as the card has decided.
pub(super) fn perform(read: CardRead, context: &mut Context) -> Next {
    let CardRead { mut session, card, given, .. } = read;
    if given == CryptogramType::Arqc {
        return online_request::begin(session, card, context);
    }
    // The certificate is all that moves: its row is there before anybody is told.
    let opening = row(&mut session, EntryKind::AccountSale, card);
    let change = Change::CardUpdated { atc: opening.atc, chip: Some(session.chip(REQUEST_CHIP)) };
    let reason = "the card gave a transaction certificate, and its signature is good";
    let outcome = session.outcome(Verdict::ApprovedOffline, reason, None, context);
    Next::done(outcome).after(change).after(Change::Open(Box::new(opening)))
}
