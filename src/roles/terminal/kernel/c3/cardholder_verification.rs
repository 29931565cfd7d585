//! Cardholder verification: EMV Contactless Book C-3 5.7. The card has chosen the method; the
//! reader sees that it is one of its own, and that there is one where it demands one.

use super::{CardRead, Step};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::OutcomeCvm;
use crate::roles::terminal::phase::step;
use crate::words::dictionary::tag;
use crate::words::emv::{CryptogramType, Ctq, Ttq};

const CLAUSE: &str = "EMV Contactless Book C-3 5.7.1";

/// Finds the method, in the order of the clause.
pub(super) fn perform(mut read: CardRead, context: &mut Context) -> Step {
    step("Cardholder verification", context);
    let (cvm, reason) = match read.qualifiers {
        Some(_) => by_qualifiers(&read),
        None => by_reader(&read),
    };
    let Some(cvm) = cvm else { return Err(read.decline(reason, context)) };
    context.emit(Event::new("terminal", cvm.words()).clause(CLAUSE).because(reason));
    read.session.cvm = cvm;
    read.session.signature = cvm == OutcomeCvm::Signature;
    if cvm == OutcomeCvm::OnlinePin && read.given == CryptogramType::Tc {
        return Err(read.go_online("the online PIN is the issuer's to compare", context));
    }
    Ok(read)
}

/// 5.7.1.2: by the card's qualifiers (9F6C).
fn by_qualifiers(read: &CardRead) -> (Option<OutcomeCvm>, &'static str) {
    if read.has(Ctq::ONLINE_PIN_REQUIRED) && read.reader.has(Ttq::ONLINE_PIN) {
        return (
            Some(OutcomeCvm::OnlinePin),
            "the card requires it, and the reader has it (9F6C byte 1 bit 8)",
        );
    }
    if read.has(Ctq::CDCVM_PERFORMED) {
        return match vouches_for_device(read) {
            true => {
                (Some(OutcomeCvm::DeviceVerified), "the device has verified its holder (9F6C byte 2 bit 8)")
            }
            false => (None, "nothing vouches for the device's verification of its holder (9F69)"),
        };
    }
    if read.has(Ctq::SIGNATURE_REQUIRED) && read.reader.has(Ttq::SIGNATURE) {
        return (
            Some(OutcomeCvm::Signature),
            "the card requires it, and the reader has it (9F6C byte 1 bit 7)",
        );
    }
    match read.reader.has(Ttq::CVM_REQUIRED) {
        true => (None, "the reader requires a verification, and the card names none that it has (9F6C)"),
        false => (Some(OutcomeCvm::NoCvm), "neither card nor reader requires one"),
    }
}

/// What is approved offline must have signed its qualifiers (9F69 bytes 6 and 7); what goes
/// online is judged there.
fn vouches_for_device(read: &CardRead) -> bool {
    match read.session.store.value(tag::CARD_AUTHENTICATION_RELATED_DATA) {
        Some(related) => related.get(5..7) == read.session.store.value(tag::CTQ),
        None => read.given == CryptogramType::Arqc,
    }
}

/// 5.7.1.1: a card without qualifiers; the reader demands what it has.
fn by_reader(read: &CardRead) -> (Option<OutcomeCvm>, &'static str) {
    if !read.reader.has(Ttq::CVM_REQUIRED) {
        (Some(OutcomeCvm::NoCvm), "the reader requires none")
    } else if read.reader.has(Ttq::SIGNATURE) {
        (Some(OutcomeCvm::Signature), "the reader requires one, and the card has no qualifiers (9F6C)")
    } else if read.reader.has(Ttq::ONLINE_PIN) {
        (Some(OutcomeCvm::OnlinePin), "the reader requires one, and the card has no qualifiers (9F6C)")
    } else {
        (None, "the reader requires a verification and has none to offer")
    }
}
