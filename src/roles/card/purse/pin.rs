//! VERIFY, CHANGE PIN, RELOAD PIN of a purse (PBOC part 1). A try is spent before it is judged.

use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ResponseApdu, StatusWord};
use crate::words::pboc::command::{ChangePin, ReloadPin, VerifyPin};
use crate::words::pboc::purse::reload_pin_mac;
use crate::words::pboc::{PurseKeyKind, equal};

/// Presents the PIN.
pub(super) fn verify(work: &mut Work<'_>, command: &VerifyPin, context: &mut Context) -> Answer {
    match judge(work, command.pin.expose(), context)? {
        None => Ok(ResponseApdu::ok([])),
        Some(status) => Ok(ResponseApdu::status(status)),
    }
}

/// Changes the PIN by the old one.
pub(super) fn change(work: &mut Work<'_>, command: &ChangePin, context: &mut Context) -> Answer {
    if let Some(status) = judge(work, command.old.expose(), context)? {
        return Ok(ResponseApdu::status(status));
    }
    work.purse_mut()?.pin = command.new.clone();
    Ok(ResponseApdu::ok([]))
}

/// Sets the PIN by the issuer's key and gives all tries back.
pub(super) fn reload(work: &mut Work<'_>, command: &ReloadPin) -> Answer {
    let key = Secret::new(work.purse()?.keys.of(PurseKeyKind::ReloadPin));
    if !equal(&reload_pin_mac(key.expose(), command.pin.expose()), &command.mac) {
        let reason = "the MAC over the PIN is not the issuer's";
        return Err(Refusal::because(StatusWord::SM_OBJECT_INCORRECT, reason));
    }
    work.purse_mut()?.pin = command.pin.clone();
    let tries = work.profile()?.pin_try_limit;
    work.application_mut()?.state.pin_tries_left = tries;
    Ok(ResponseApdu::ok([]))
}

/// `None` where the PIN is right; else what the card answers.
fn judge(work: &mut Work<'_>, pin: &[u8], context: &mut Context) -> Result<Option<StatusWord>, Refusal> {
    let tries = work.profile()?.pin_try_limit;
    let left = work.application()?.state.pin_tries_left;
    if left == 0 {
        return Err(Refusal::because(StatusWord::METHOD_BLOCKED, "no PIN try is left"));
    }
    work.application_mut()?.state.pin_tries_left = left - 1;
    // The try is gone whatever happens to the card now.
    work.memory.commit(context)?;
    let right = equal(work.purse()?.pin.expose(), pin);
    work.session.purse.pin_verified = right;
    if right {
        work.application_mut()?.state.pin_tries_left = tries;
        return Ok(None);
    }
    Ok(Some(StatusWord::tries_left(left - 1)))
}
