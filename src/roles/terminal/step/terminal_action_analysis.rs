//! Terminal action analysis: EMV Book 3 10.7. A load always asks the issuer; an
//! electronic cash payment asks the card to approve.

use super::card_action_analysis;
use super::cardholder_verification::Verified;
use super::offline_data_authentication::may_approve_offline;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::Flow;
use crate::words::emv::{CryptogramType, Tvr};

/// Decides which cryptogram to ask for.
pub(in crate::roles::terminal) fn begin(
    mut verified: Verified,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let (cryptogram, reason) = decide(&mut verified);
    context.emit(
        Event::new("terminal", format!("asks for {cryptogram}"))
            .clause("EMV Book 3 10.7")
            .because(reason)
            .with_tag(0x95, verified.read.session().tvr.0),
    );
    card_action_analysis::begin(verified, cryptogram, reason)
}

fn decide(verified: &mut Verified) -> (CryptogramType, &'static str) {
    let ecash = verified.read.ecash;
    let offline = may_approve_offline(&verified.read.pan);
    let session = verified.read.session();
    let usable = !session.tvr.has(Tvr::EXPIRED_APPLICATION) && !session.tvr.has(Tvr::NOT_YET_EFFECTIVE);
    match (session.terms.flow, ecash, offline) {
        _ if !usable => (CryptogramType::Aac, "the application is expired or not yet effective"),
        (Flow::Pay, true, Ok(())) => (CryptogramType::Tc, "electronic cash is approved by the card"),
        (Flow::Pay, true, Err(reason)) => (CryptogramType::Aac, reason),
        (Flow::Pay, false, _) => (CryptogramType::Arqc, "offline data authentication was not performed"),
        (flow, ..) if !flow.writes_card() => (CryptogramType::Arqc, "the account is the issuer's"),
        _ => (CryptogramType::Arqc, "the card's balance is written by the issuer"),
    }
}
