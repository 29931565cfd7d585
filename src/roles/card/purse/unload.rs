//! INITIALIZE FOR UNLOAD, DEBIT FOR UNLOAD (JR/T 0025.1; PBOC part 1).

use super::load::{begin_online, finish, open_key, take_open};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{DebitForUnload, InitializeForUnload, UnloadProof};
use crate::words::pboc::purse::{PurseId, PurseTransactionType};
use crate::words::pboc::{PurseKeyKind, equal};

/// Begins an unload, with the PIN.
pub(super) fn initialize(
    work: &mut Work<'_>,
    command: &InitializeForUnload,
    context: &mut Context,
) -> Answer {
    let profile = work.purse_profile()?;
    let (purse_unloads, index) = (profile.purse_unloads, profile.load_key);
    if PurseId(command.purse) == PurseId::PURSE && !purse_unloads {
        let reason = "the card's electronic purse is not unloaded";
        return Err(Refusal::because(StatusWord::NOT_SUPPORTED, reason));
    }
    work.admit_key(command.key, index)?;
    work.admit_pin()?;
    let wallet = work.wallet(command.purse)?;
    work.admit_counter(wallet.online_sequence)?;
    // What may be overdrawn is the bank's, and does not go back to an account.
    if i64::from(command.amount) > wallet.own_minor {
        let reason = "the purse holds less than is to be taken off";
        return Err(Refusal::because(StatusWord::INSUFFICIENT_BALANCE, reason));
    }
    let kind = PurseTransactionType::UNLOAD;
    begin_online(work, kind, PurseKeyKind::Unload, command.purse, command.amount, command.terminal, context)
}

/// Completes an unload: money, counter, log and proof land together.
pub(super) fn debit(work: &mut Work<'_>, command: &DebitForUnload, context: &mut Context) -> Answer {
    let (open, terms) =
        take_open(work, |kind| kind == PurseTransactionType::UNLOAD, command.date, command.time)?;
    let session_key = open_key(work, PurseKeyKind::Unload, &open)?;
    if !equal(&terms.load_mac2(&session_key), &command.mac2) {
        return Err(Refusal::because(StatusWord::MAC_WRONG, "MAC2 is not the host's for this unload"));
    }
    let mut wallet = work.wallet(open.purse)?.clone();
    wallet.own_minor -= i64::from(open.amount_minor);
    wallet.online_sequence += 1;
    let mac3 = terms.unload_mac3(&session_key, work.shown_minor(&wallet)?, open.sequence);
    let sequence = wallet.online_sequence;
    wallet.keep_proof(open.kind, sequence, mac3, [0; 4]);
    finish(work, wallet, &terms, sequence, true)?;
    context.emit(
        Event::new("card", "purse unloaded").because("MAC2 is the host's: the money has left the card"),
    );
    Ok(ResponseApdu::ok(DebitForUnload::encode_response(&UnloadProof { mac3 })))
}
