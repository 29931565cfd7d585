//! VERIFY on the card: a wrong PIN always costs a try (EMV Book 3 6.5.12; ISO 9564-1).

use super::decision;
use super::memory::ApplicationMemory;
use super::simulator::{Answer, Refusal, Work};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::emv::certificate::PrivateKey;
use crate::words::iso7816::command::{GetChallenge, PresentedPin, Verify};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::{ApplicationDefaultAction, Cvr};

/// Answers VERIFY. The try is taken and kept before the PIN is looked at, so that
/// pulling the card never gives it back.
pub(super) fn verify(
    work: &mut Work<'_>,
    command: &Verify,
    challenge: Option<[u8; 8]>,
    context: &mut Context,
) -> Answer {
    let left = work.application()?.state.pin_tries_left;
    let Some(presented) = &command.pin else {
        return Ok(ResponseApdu::status(StatusWord::tries_left(left)));
    };
    let Some(reference) = work.memory.read().image.pin.clone() else {
        return Err(Refusal::state("the card has no PIN to compare with"));
    };
    if left == 0 {
        return Err(Refusal::because(StatusWord::METHOD_BLOCKED, "no PIN try is left"));
    }
    let presented = match presented {
        PresentedPin::Plain(block) => Some(Secret::new(*block.expose())),
        PresentedPin::Enciphered(bytes) => decipher(work.application()?, bytes, challenge)?,
    };
    let left = left - 1;
    work.application_mut()?.state.pin_tries_left = left;
    work.memory.commit(context)?;

    let enciphered = matches!(command.pin, Some(PresentedPin::Enciphered(_)));
    let right = presented.is_some_and(|presented| equal(presented.expose(), reference.expose()));
    if let Some(transaction) = work.transaction_mut() {
        let before = transaction.cvr;
        transaction.cvr.set(Cvr::OFFLINE_PIN_PERFORMED);
        transaction.enciphered_pin = enciphered;
        if right {
            transaction.cvr.clear(Cvr::OFFLINE_PIN_FAILED);
        } else {
            transaction.cvr.set(Cvr::OFFLINE_PIN_FAILED);
        }
        let reason = if right { "VERIFY brought the right PIN" } else { "VERIFY brought a wrong PIN" };
        decision::tell_added(before, transaction.cvr, reason, context);
    }
    let say = |context: &mut Context, reason: String| {
        context.emit(Event::new("card", "PIN compared").clause(Verify::CLAUSE).because(reason));
    };
    if right {
        let limit = work.profile()?.pin_try_limit;
        work.application_mut()?.state.pin_tries_left = limit;
        say(context, format!("the PIN is right: the try counter is back at {limit}"));
        return Ok(ResponseApdu::ok([]));
    }
    say(context, format!("the PIN is wrong: {left} tries left"));
    if left == 0 {
        exceeded(work, context)?;
    }
    Ok(ResponseApdu::status(StatusWord::tries_left(left)))
}

/// Answers GET CHALLENGE: the number is for the next command alone.
pub(super) fn get_challenge(work: &mut Work<'_>, _command: GetChallenge, context: &mut Context) -> Answer {
    work.index()?;
    let challenge = context.random();
    work.session.challenge = Some(challenge);
    Ok(ResponseApdu::ok(GetChallenge::encode_response(&challenge)))
}

/// The block that EMV Book 2 7.2 enciphers: 7F, block, challenge, filling. `None` where
/// something else comes out, which costs a try as a wrong PIN does.
fn decipher(
    application: &ApplicationMemory,
    bytes: &[u8],
    challenge: Option<[u8; 8]>,
) -> Result<Option<Secret<[u8; 8]>>, Refusal> {
    const HEADER: u8 = 0x7F;
    let challenge = challenge.ok_or_else(|| Refusal::state("an enciphered PIN follows GET CHALLENGE"))?;
    let key = application.pin_key.as_ref().or(application.card_key.as_ref());
    let Some(PrivateKey::Rsa(key)) = key.map(|key| &*key.0) else {
        return Err(Refusal::state("the card has no key that deciphers PINs"));
    };
    let expected = key.public().length_bytes();
    if bytes.len() != expected {
        let reason = format!("expected an enciphered PIN of {expected} bytes, {} came", bytes.len());
        return Err(Refusal::because(StatusWord::WRONG_LENGTH, reason));
    }
    let Ok(plain) = key.apply(bytes).map(Secret::new) else { return Ok(None) };
    Ok(match plain.expose().split_first_chunk::<17>() {
        Some((&[HEADER, ref block_and_challenge @ ..], _)) if block_and_challenge[8..] == challenge => {
            block_and_challenge.first_chunk::<8>().map(|block| Secret::new(*block))
        }
        _ => None,
    })
}

/// The last try was wrong: CVR says so, and the default action may block.
fn exceeded(work: &mut Work<'_>, context: &mut Context) -> Result<(), Refusal> {
    if let Some(transaction) = work.transaction_mut() {
        let before = transaction.cvr;
        transaction.cvr.set(Cvr::PIN_TRY_LIMIT_EXCEEDED);
        decision::tell_added(before, transaction.cvr, "the last try was wrong", context);
    }
    let application = work.application_mut()?;
    if decision::default_action(application).has(ApplicationDefaultAction::BLOCK_IF_PIN_EXCEEDED) {
        application.state.blocked = true;
        application.state.blocked_by_pin = true;
        if let Some(transaction) = work.transaction_mut() {
            let before = transaction.cvr;
            transaction.cvr.set(Cvr::BLOCKED_BY_PIN);
            let reason = "the default action says so (9F52 bit 2.8)";
            decision::tell_added(before, transaction.cvr, reason, context);
        }
    }
    Ok(())
}

/// Compares without stopping at the first difference.
fn equal(a: &[u8; 8], b: &[u8; 8]) -> bool {
    a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}
