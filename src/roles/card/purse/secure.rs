//! Proofs of keys: MACs of updates and blocks, EXTERNAL and INTERNAL AUTHENTICATE (PBOC part 1).

use crate::base::context::Context;
use crate::base::crypto::tdes_encrypt_block;
use crate::base::event::Event;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};
use crate::words::pboc::command::{ExternalAuthenticate, InternalAuthenticate, KeyProof};
use crate::words::pboc::purse::maintenance_mac;
use crate::words::pboc::{PurseKeyKind, equal};

/// The only authentication key.
const AUTHENTICATION_KEY: u8 = 1;
/// Tries of a key.
pub(super) const KEY_TRIES: u8 = 3;

/// Checks the MAC of an update: over header and data, after the card's challenge.
pub(super) fn check_mac(
    work: &mut Work<'_>,
    header: &[u8; 5],
    data: &[u8],
    mac: [u8; 4],
) -> Result<(), Refusal> {
    let iv = work.session.purse.take_iv();
    let iv =
        iv.ok_or_else(|| Refusal::because(StatusWord::DATA_INVALIDATED, "a MAC follows GET CHALLENGE"))?;
    let key = work.purse()?.keys.of(PurseKeyKind::Maintenance);
    let expected = maintenance_mac(&key, iv, &[header, data].concat());
    match equal(&expected, &mac) {
        true => Ok(()),
        false => {
            let reason = "the MAC does not fit the challenge and the command";
            Err(Refusal::because(StatusWord::SM_OBJECT_INCORRECT, reason))
        }
    }
}

/// APPLICATION BLOCK, APPLICATION UNBLOCK and CARD BLOCK.
pub(super) fn block(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    let mac: [u8; 4] = apdu.data.as_slice().try_into().map_err(|_| {
        Refusal::because(
            StatusWord::WRONG_LENGTH,
            format!("expected a MAC of 4 bytes, {} came", apdu.data.len()),
        )
    })?;
    // P2 01 of APPLICATION BLOCK is for good.
    let for_good = apdu.ins == 0x1E && apdu.p2 == 0x01;
    if apdu.p1 != 0 || (apdu.p2 != 0 && !for_good) {
        return Err(Refusal::because(StatusWord::WRONG_P1P2, "expected P1 P2 0000"));
    }
    let [cla, ins, p1, p2] = apdu.header();
    check_mac(work, &[cla, ins, p1, p2, 4], &[], mac)?;
    let what = match ins {
        0x16 => {
            work.memory.write().image.blocked = true;
            "the card is blocked for good"
        }
        0x18 => {
            work.application_mut()?.state.blocked = false;
            "the application is unblocked"
        }
        _ => {
            work.application_mut()?.state.blocked = true;
            work.purse_mut()?.locked = for_good;
            "the application is blocked"
        }
    };
    context.emit(Event::new("card", "maintenance").because(format!("{what}: the MAC fits the challenge")));
    Ok(ResponseApdu::ok([]))
}

/// EXTERNAL AUTHENTICATE: a wrong proof costs a try.
pub(super) fn external(work: &mut Work<'_>, command: &ExternalAuthenticate) -> Answer {
    known_key(command.key)?;
    let iv = work.session.purse.take_iv();
    let challenge = iv.ok_or_else(|| Refusal::state("EXTERNAL AUTHENTICATE follows GET CHALLENGE"))?;
    let left = work.purse()?.key_tries_left;
    if left == 0 {
        return Err(Refusal::because(StatusWord::METHOD_BLOCKED, "no try of the key is left"));
    }
    let key = work.purse()?.keys.of(PurseKeyKind::Authentication);
    let right = equal(&tdes_encrypt_block(&key, challenge), &command.proof);
    work.purse_mut()?.key_tries_left = if right { KEY_TRIES } else { left - 1 };
    work.session.purse.key_proved = right;
    match right {
        true => Ok(ResponseApdu::ok([])),
        false => Ok(ResponseApdu::status(StatusWord::tries_left(left - 1))),
    }
}

/// INTERNAL AUTHENTICATE: the card proves the same key.
pub(super) fn internal(work: &mut Work<'_>, command: &InternalAuthenticate) -> Answer {
    known_key(command.key)?;
    let key = work.purse()?.keys.of(PurseKeyKind::Authentication);
    let proof = KeyProof { proof: tdes_encrypt_block(&key, command.challenge) };
    Ok(ResponseApdu::ok(InternalAuthenticate::encode_response(&proof)))
}

fn known_key(key: u8) -> Result<(), Refusal> {
    match key {
        AUTHENTICATION_KEY => Ok(()),
        _ => Err(Refusal::because(
            StatusWord::KEY_INDEX_NOT_SUPPORTED,
            format!("there is no key {key:02X} for that"),
        )),
    }
}
