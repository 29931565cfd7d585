//! Purchases: simple, cash withdrawal, compound; their debit, their proof afterwards, and the
//! certification code (JR/T 0025.1; PBOC part 1; PBOC 2.0 part 9).

use super::file::{self, CacheWrite};
use super::load::{finish, take_open};
use super::session::OpenTransaction;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    DebitForPurchase, GetCertificationCode, GetTransactionProve, InitializeForCappPurchase,
    InitializeForCashWithdraw, InitializeForPurchase, OfflineInitialization, PurchaseProof, TransactionProof,
    UpdateCappDataCache,
};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{PurseId, PurseTransactionType, purchase_session_key};
use crate::words::pboc::{PurseKeyKind, equal};

/// Most records that one compound purchase writes.
const CACHE_LIMIT: usize = 8;

/// Begins a simple purchase; of a deposit it needs the PIN.
pub(super) fn initialize_simple(
    work: &mut Work<'_>,
    command: &InitializeForPurchase,
    context: &mut Context,
) -> Answer {
    if PurseId(command.purse) == PurseId::DEPOSIT {
        work.admit_pin()?;
    }
    let kind = PurseId(command.purse).purchase();
    begin(work, kind, command.purse, command.key, command.amount, command.terminal, context)
}

/// Begins a withdrawal of cash: the deposit alone, with the PIN.
pub(super) fn initialize_cash(
    work: &mut Work<'_>,
    command: &InitializeForCashWithdraw,
    context: &mut Context,
) -> Answer {
    work.admit_pin()?;
    let kind = PurseTransactionType::CASH_WITHDRAWAL;
    begin(work, kind, PurseId::DEPOSIT.0, command.key, command.amount, command.terminal, context)
}

/// Begins a compound purchase: the purse alone.
pub(super) fn initialize_compound(
    work: &mut Work<'_>,
    command: &InitializeForCappPurchase,
    context: &mut Context,
) -> Answer {
    let kind = PurseTransactionType::COMPOUND_PURCHASE;
    begin(work, kind, PurseId::PURSE.0, command.key, command.amount, command.terminal, context)
}

fn begin(
    work: &mut Work<'_>,
    kind: PurseTransactionType,
    purse: u8,
    key: u8,
    amount_minor: u32,
    terminal: [u8; 6],
    context: &mut Context,
) -> Answer {
    work.admit_key(key, work.purse_profile()?.purchase_key)?;
    let wallet = work.wallet(purse)?;
    work.admit_counter(wallet.offline_sequence)?;
    if amount_minor > wallet.spendable_minor() {
        let reason = "the purse holds less than is asked for";
        return Err(Refusal::because(StatusWord::INSUFFICIENT_BALANCE, reason));
    }
    let (overdraft_limit, sequence) = (wallet.overdraft_limit(), wallet.offline_sequence);
    let (shown, random) = (work.shown_minor(wallet)?, context.random());
    let cache = Vec::new();
    work.session.purse.open =
        Some(OpenTransaction { kind, purse, amount_minor, terminal, sequence, random, cache });
    Ok(ResponseApdu::ok(
        OfflineInitialization {
            old_balance_minor: shown,
            offline_sequence: sequence,
            overdraft_limit,
            key_version: work.purse_profile()?.key_version,
            algorithm: 0,
            random,
        }
        .to_bytes(),
    ))
}

/// Keeps a record that lands with the debit.
pub(super) fn cache(work: &mut Work<'_>, command: &UpdateCappDataCache) -> Answer {
    let write = CacheWrite { sfi: command.sfi, id: command.id, data: command.data.clone() };
    let open = work.session.purse.open.take();
    let compound = open.filter(|open| open.kind == PurseTransactionType::COMPOUND_PURCHASE);
    let mut open = compound.ok_or_else(|| Refusal::state("no compound purchase was initialised"))?;
    file::check_cache(work, &write)?;
    if open.cache.len() == CACHE_LIMIT {
        let reason = format!("a compound purchase writes at most {CACHE_LIMIT} records");
        return Err(Refusal::because(StatusWord::NO_SPACE, reason));
    }
    open.cache.push(write);
    work.session.purse.open = Some(open);
    Ok(ResponseApdu::ok([]))
}

/// Completes a purchase of any kind: money, counter, log, proof and records land together.
pub(super) fn debit(work: &mut Work<'_>, command: &DebitForPurchase, context: &mut Context) -> Answer {
    let (open, terms) = take_open(work, PurseTransactionType::is_purchase, command.date, command.time)?;
    let card_key = work.purse()?.keys.of(PurseKeyKind::Purchase);
    let key = purchase_session_key(&card_key, open.random, open.sequence, command.sequence);
    let code = work.purse_profile()?.code_in_mac1();
    if !equal(&terms.purchase_mac1(&key, code.as_ref()), &command.mac1) {
        return Err(Refusal::because(
            StatusWord::MAC_WRONG,
            "MAC1 is no security module's for this purchase",
        ));
    }
    let (tac, mac2) = (terms.purchase_tac(&work.tac_key()?, command.sequence), terms.purchase_mac2(&key));
    let mut wallet = work.wallet(open.purse)?.clone();
    wallet.own_minor -= i64::from(open.amount_minor);
    wallet.offline_sequence += 1;
    let sequence = wallet.offline_sequence;
    wallet.keep_proof(open.kind, sequence, mac2, tac);
    // A gate's entry is a compound purchase over nothing: its record lands, and no log entry.
    finish(work, wallet, &terms, sequence, open.amount_minor > 0)?;
    for write in &open.cache {
        file::land(work, write)?;
    }
    context.emit(Event::new("card", "purse debited").because("MAC1 is right: the money has left the card"));
    Ok(ResponseApdu::ok(DebitForPurchase::encode_response(&PurchaseProof { tac, mac2 })))
}

/// Gives again what the last transaction of a purse gave.
pub(super) fn prove(work: &mut Work<'_>, command: &GetTransactionProve) -> Answer {
    let mut known = work.purse()?.wallets.iter().flat_map(|wallet| &wallet.proofs);
    let proof = known.find(|proof| (proof.kind, proof.sequence) == (command.kind, command.sequence));
    let proof = proof.ok_or_else(|| {
        let reason = "no last transaction has this type and counter";
        Refusal::because(StatusWord::PROVE_NOT_AVAILABLE, reason)
    })?;
    let told = TransactionProof { mac: proof.mac, tac: proof.tac };
    Ok(ResponseApdu::ok(GetTransactionProve::encode_response(&told)))
}

/// Gives the certification code, where the city has one.
pub(super) fn certification_code(work: &mut Work<'_>, command: &GetCertificationCode) -> Answer {
    if command.code.is_some() {
        return Err(Refusal::because(StatusWord::WRONG_LENGTH, "a card tells its code, and is told none"));
    }
    let code = work.purse_profile()?.certification_code();
    let none = || Refusal::because(StatusWord::DATA_NOT_FOUND, "the card has no certification code");
    Ok(ResponseApdu::ok(GetCertificationCode::encode_response(&Some(code.ok_or_else(none)?))))
}
