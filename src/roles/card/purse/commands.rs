//! The command sets of a purse and of a security module: which command goes where, and what a
//! blocked one still answers.

use super::{file, load, overdraft, pin, purchase, sam, secure, unload};
use crate::base::context::Context;
use crate::roles::card::simulator::{Answer, Refusal, Work, read};
use crate::words::iso7816::{CommandApdu, StatusWord};

/// Answers a command as a purse.
pub(in crate::roles::card) fn purse(
    work: &mut Work<'_>,
    apdu: &CommandApdu,
    context: &mut Context,
) -> Answer {
    // A transaction is completed by the very next command, or it never was; the records of a
    // compound purchase come between.
    let open = work.session.purse.open.take();
    let is_cache = (apdu.cla, apdu.ins) == (0x80, 0xDC);
    let is_completion = matches!((apdu.cla, apdu.ins), (0x80, 0x52 | 0x54 | 0x58));
    if is_cache || is_completion {
        work.session.purse.open = open;
    }
    let challenge = work.session.purse.challenge.take();
    if work.purse()?.locked {
        return Err(Refusal::because(StatusWord::LOCKED_FOR_GOOD, "the application is blocked for good"));
    }
    let blocked = work.application()?.state.blocked;
    let harmless = matches!((apdu.cla, apdu.ins), (0x00, 0x84 | 0xB0 | 0xB2) | (0x84, 0x18 | 0x1E));
    if blocked && !harmless {
        return Err(Refusal::state("the application is blocked"));
    }
    work.session.purse.challenge = challenge;
    match (apdu.cla, apdu.ins, apdu.p1) {
        (0x00, 0x84, _) => file::get_challenge(work, apdu, context),
        (0x00, 0xB0, _) => file::read_binary(work, &read(apdu)?),
        (0x00, 0xB2, _) => file::read_record(work, &read(apdu)?),
        (0x00 | 0x04, 0xD6, _) => file::update_binary(work, &read(apdu)?),
        (0x04, 0xDC, _) => file::update_record(work, &read(apdu)?),
        (0x00, 0x20, _) => pin::verify(work, &read(apdu)?, context),
        (0x00, 0x82, _) => secure::external(work, &read(apdu)?),
        (0x00, 0x88, _) => secure::internal(work, &read(apdu)?),
        (0x80, 0x5E, 0x01) => pin::change(work, &read(apdu)?, context),
        (0x80, 0x5E, _) => pin::reload(work, &read(apdu)?),
        (0x80, 0x5C, _) => load::balance(work, &read(apdu)?),
        (0x80, 0x50, 0x00) => load::initialize(work, &read(apdu)?, context),
        (0x80, 0x52, _) => load::credit(work, &read(apdu)?, context),
        (0x80, 0x50, 0x01) => purchase::initialize_simple(work, &read(apdu)?, context),
        (0x80, 0x50, 0x02) => purchase::initialize_cash(work, &read(apdu)?, context),
        (0x80, 0x50, 0x03) => purchase::initialize_compound(work, &read(apdu)?, context),
        (0x80, 0x50, 0x04) => overdraft::initialize(work, &read(apdu)?, context),
        (0x80, 0x50, 0x05) => unload::initialize(work, &read(apdu)?, context),
        (0x80, 0x54, 0x03) => unload::debit(work, &read(apdu)?, context),
        (0x80, 0x54, _) => purchase::debit(work, &read(apdu)?, context),
        (0x80, 0x58, _) => overdraft::update(work, &read(apdu)?, context),
        (0x80, 0x5A, _) => purchase::prove(work, &read(apdu)?),
        (0x80, 0xDC, _) => purchase::cache(work, &read(apdu)?),
        (0x80, 0xCA, 0x00) => purchase::certification_code(work, &read(apdu)?),
        (0x84, 0x16 | 0x18 | 0x1E, _) => secure::block(work, apdu, context),
        _ => Err(unknown(apdu)),
    }
}

/// Answers a command as a security module.
pub(in crate::roles::card) fn psam(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    match (apdu.cla, apdu.ins) {
        (0x00, 0x84) => file::get_challenge(work, apdu, context),
        (0x00, 0xB0) => file::read_binary(work, &read(apdu)?),
        (0x00, 0xB2) => file::read_record(work, &read(apdu)?),
        (0x80, 0xCA) => sam::certify(work, &read(apdu)?),
        (0x80, 0x70) => sam::initialize(work, &read(apdu)?, context),
        (0x80, 0x72) => sam::credit(work, &read(apdu)?, context),
        _ => Err(unknown(apdu)),
    }
}

fn unknown(apdu: &CommandApdu) -> Refusal {
    let (cla, ins) = (apdu.cla, apdu.ins);
    match cla {
        0x00 | 0x04 | 0x80 | 0x84 => Refusal::because(
            StatusWord::INS_NOT_SUPPORTED,
            format!("the application has no instruction {ins:02X} in class {cla:02X}"),
        ),
        _ => Refusal::because(StatusWord::CLA_NOT_SUPPORTED, format!("the card has no class {cla:02X}")),
    }
}
