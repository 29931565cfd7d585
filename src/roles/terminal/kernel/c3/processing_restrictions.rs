//! Processing restrictions: EMV Contactless Book C-3 5.5. What is approved offline must not be
//! expired nor on the exception file; cash is paid out where the card allows it.

use super::{CardRead, Step};
use crate::base::context::Context;
use crate::roles::terminal::phase::step;
use crate::roles::terminal::step::processing_restrictions::{is_atm, is_expired};
use crate::words::dictionary::tag;
use crate::words::emv::{CryptogramType, Ctq, UsageControl};

/// Looks at expiry and exception file where the card has approved, at usage always.
pub(super) fn perform(read: CardRead, context: &mut Context) -> Step {
    step("Processing restrictions", context);
    let read = match read.given {
        CryptogramType::Tc => exception_file(expiry(read, context)?, context)?,
        _ => read,
    };
    usage(read, context)
}

/// 5.5.1.1: a card that does not tell its expiry counts as expired.
fn expiry(read: CardRead, context: &mut Context) -> Step {
    let store = &read.session.store;
    let told = store.has(tag::APPLICATION_EXPIRATION_DATE);
    if told && is_expired(store, read.session.terms.at.yymmdd()) == Some(false) {
        return Ok(read);
    }
    match read.has(Ctq::ONLINE_IF_EXPIRED) {
        true => {
            let reason = "the application is expired: its issuer is to be asked (9F6C byte 1 bit 4)";
            Err(read.go_online(reason, context))
        }
        false => Err(read.decline("the application is expired", context)),
    }
}

/// 5.5.1.2.
fn exception_file(read: CardRead, context: &mut Context) -> Step {
    match read.session.terms.config.is_excepted(read.card.pan.expose(), read.card.psn) {
        true => Err(read.decline("the card is on the terminal exception file", context)),
        false => Ok(read),
    }
}

/// 5.5.1.3: cash at a machine.
fn usage(read: CardRead, context: &mut Context) -> Step {
    if !is_atm(&read.session.terms.config) {
        return Ok(read);
    }
    let usage = read.session.store.array(tag::APPLICATION_USAGE_CONTROL).map(UsageControl);
    if read.has(Ctq::NOT_VALID_AT_ATM) {
        let reason = "the card is not valid at contactless ATMs (9F6C byte 1 bit 1)";
        let switches = read.session.combination().is_none_or(|of| of.switches_interface_at_atm);
        return Err(match switches {
            true => read.switch_interface(reason, context),
            false => read.decline(reason, context),
        });
    }
    match usage.is_some_and(|usage| !usage.has(UsageControl::ATM)) {
        true => Err(read.decline("9F07 does not say \"valid at ATMs\"", context)),
        false => Ok(read),
    }
}
