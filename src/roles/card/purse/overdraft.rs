//! INITIALIZE FOR UPDATE, UPDATE OVERDRAFT LIMIT: the electronic deposit alone (JR/T 0025.1; PBOC
//! part 1).

use super::load::{finish, open_key, take_open};
use super::session::OpenTransaction;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    InitializeForUpdate, OverdraftInitialization, TransactionCertificate, UpdateOverdraftLimit,
};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{OverdraftTerms, PurseId, PurseTransactionType, limit_minor};
use crate::words::pboc::{PurseKeyKind, equal};

/// Begins a change of the limit, with the PIN.
pub(super) fn initialize(
    work: &mut Work<'_>,
    command: &InitializeForUpdate,
    context: &mut Context,
) -> Answer {
    let profile = work.purse_profile()?;
    let (index, key_version) = (profile.load_key, profile.key_version);
    work.admit_key(command.key, index)?;
    work.admit_pin()?;
    let wallet = work.wallet(PurseId::DEPOSIT.0)?;
    work.admit_counter(wallet.online_sequence)?;
    let (shown, sequence) = (work.shown_minor(wallet)?, wallet.online_sequence);
    let old_limit = wallet.overdraft_limit();
    let open = OpenTransaction {
        kind: PurseTransactionType::OVERDRAFT,
        purse: PurseId::DEPOSIT.0,
        amount_minor: 0,
        terminal: command.terminal,
        sequence,
        random: context.random(),
        cache: Vec::new(),
    };
    let session_key = open_key(work, PurseKeyKind::Overdraft, &open)?;
    let terms = OverdraftTerms {
        old_limit,
        new_limit: old_limit,
        terminal: command.terminal,
        date: [0; 4],
        time: [0; 3],
    };
    let answer = OverdraftInitialization {
        old_balance_minor: shown,
        online_sequence: sequence,
        old_limit,
        key_version,
        algorithm: 0,
        random: open.random,
        mac1: terms.mac1(&session_key, shown),
    };
    work.session.purse.open = Some(open);
    Ok(ResponseApdu::ok(answer.to_bytes()))
}

/// Changes the limit; one that what is overdrawn would exceed is refused.
pub(super) fn update(work: &mut Work<'_>, command: &UpdateOverdraftLimit, context: &mut Context) -> Answer {
    let (open, terms) =
        take_open(work, |kind| kind == PurseTransactionType::OVERDRAFT, command.date, command.time)?;
    let mut wallet = work.wallet(open.purse)?.clone();
    let change = OverdraftTerms {
        old_limit: wallet.overdraft_limit(),
        new_limit: command.limit,
        terminal: open.terminal,
        date: command.date,
        time: command.time,
    };
    let session_key = open_key(work, PurseKeyKind::Overdraft, &open)?;
    if !equal(&change.mac2(&session_key), &command.mac2) {
        return Err(Refusal::because(StatusWord::MAC_WRONG, "MAC2 is not the host's for this change"));
    }
    let limit = limit_minor(command.limit);
    if wallet.own_minor + i64::from(limit) < 0 {
        return Err(Refusal::state("more is overdrawn than the new limit allows"));
    }
    wallet.overdraft_minor = limit;
    wallet.online_sequence += 1;
    let (shown, sequence) = (work.shown_minor(&wallet)?, wallet.online_sequence);
    let tac = change.tac(&work.tac_key()?, shown, open.sequence);
    wallet.keep_proof(open.kind, sequence, [0; 4], tac);
    finish(work, wallet, &terms, sequence, true)?;
    context.emit(Event::new("card", "overdraft limit changed").because("MAC2 is the host's"));
    Ok(ResponseApdu::ok(UpdateOverdraftLimit::encode_response(&TransactionCertificate { tac })))
}
