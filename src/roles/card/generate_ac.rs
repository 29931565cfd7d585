//! GENERATE AC on the card, first and second (EMV Book 3 6.5.5, 10.8, 10.11).

use super::memory::ApplicationMemory;
use super::session::{Authentication, Path, Phase, Scripts, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{authentication, cryptogram, decision, dynamic_signature, record, recovery};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::command::{Cryptogram, GenerateAc};
use crate::words::emv::{Aip, Tvr};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::EcashSet;
use crate::words::tlv::{Dol, Tag, TlvStore};

/// Elements that may differ between PDOL and CDOL1.
const FREE: [Tag; 3] = [tag::TVR, tag::TSI, tag::UNPREDICTABLE_NUMBER];

/// Answers GENERATE AC.
pub(super) fn generate(work: &mut Work<'_>, command: &GenerateAc, context: &mut Context) -> Answer {
    let aip = work.session.transaction().map(|transaction| Aip(transaction.aip)).unwrap_or_default();
    if command.cda && !aip.has(Aip::CDA_SUPPORTED) {
        return Err(Refusal::state("the AIP offers no combined signature (CDA)"));
    }
    match work.take_phase() {
        Phase::Initiated(before) => {
            let mut transaction = before.clone();
            let answer = first(work, &mut transaction, command, context);
            work.set_phase(match (&answer, transaction.first) {
                (Ok(_), Some((Arqc, _))) => Phase::AskedOnline(transaction),
                (Ok(_), _) => Phase::Completed(transaction),
                (Err(_), _) => Phase::Initiated(before),
            });
            answer
        }
        Phase::AskedOnline(before) => {
            let mut transaction = before.clone();
            let answer = second(work, &mut transaction, command, context);
            work.set_phase(match &answer {
                Ok(_) => Phase::Completed(transaction),
                Err(_) => Phase::AskedOnline(before),
            });
            answer
        }
        other => {
            work.set_phase(other);
            Err(Refusal::state(
                "GENERATE AC follows GET PROCESSING OPTIONS, or a GENERATE AC that gave an ARQC",
            ))
        }
    }
}

fn first(
    work: &mut Work<'_>,
    transaction: &mut Transaction,
    command: &GenerateAc,
    context: &mut Context,
) -> Answer {
    let given = split(work, tag::CDOL1, &command.cdol_data)?;
    let changed = given.iter().any(|(tag, value)| {
        !FREE.contains(&tag) && transaction.data.value(tag).is_some_and(|earlier| earlier != value)
    });
    merge(transaction, &given, command);
    let mut after = work.application()?.clone();
    if transaction.path == Path::Full {
        let currency = given.value(tag::TRANSACTION_CURRENCY_CODE);
        transaction.set = currency.and_then(|code| after.set_of(code)).or(transaction.set);
    }
    let (before, behaviour) = (transaction.cvr, work.behaviour()?);
    let (kind, reason) = behaviour.first(&after, transaction, command.cryptogram, changed);
    decision::tell_added(before, transaction.cvr, reason, context);
    transaction.cvr.set_first_cryptogram(kind);
    transaction.cvr.set_second_cryptogram(None);
    match kind {
        Tc => approve_offline(work, &mut after, transaction)?,
        Arqc => behaviour.ask_online(&mut after, transaction),
        Aac => behaviour.decline(&mut after, transaction, command.cryptogram),
    }
    finish(work, after, transaction, (kind, reason), command, context)
}

fn second(
    work: &mut Work<'_>,
    transaction: &mut Transaction,
    command: &GenerateAc,
    context: &mut Context,
) -> Answer {
    let given = split(work, tag::CDOL2, &command.cdol_data)?;
    merge(transaction, &given, command);
    let code = given.array(tag::AUTHORISATION_RESPONSE_CODE);
    if !Aip(transaction.aip).has(Aip::ISSUER_AUTHENTICATION)
        && let Some(data) = given.value(tag::ISSUER_AUTHENTICATION_DATA)
        && data.iter().any(|byte| *byte != 0)
    {
        authentication::perform(work.behaviour()?, &work.memory.read().image, transaction, data, context)?;
    }
    let mut after = work.application()?.clone();
    let (before, behaviour) = (transaction.cvr, work.behaviour()?);
    let (kind, reason) = behaviour.second(&after, transaction, command.cryptogram, code);
    decision::tell_added(before, transaction.cvr, reason, context);
    transaction.cvr.set_second_cryptogram(Some(kind));
    if decision::was_online(code) {
        behaviour.complete_online(&mut after, transaction);
        if kind == Tc && work.profile()?.log.as_ref().is_some_and(|log| log.online) {
            log(work, &mut after, transaction)?;
        }
    } else if kind == Tc {
        approve_offline(work, &mut after, transaction)?;
    }
    finish(work, after, transaction, (kind, reason), command, context)
}

/// Makes the cryptogram and, only then, writes the memory.
fn finish(
    work: &mut Work<'_>,
    mut after: ApplicationMemory,
    transaction: &mut Transaction,
    (kind, reason): decision::Decision,
    command: &GenerateAc,
    context: &mut Context,
) -> Answer {
    transaction.signs = command.cda && kind != Aac;
    let image = &work.memory.read().image;
    let made = cryptogram::make(work.behaviour()?, image, &after, transaction, kind)?;
    let answer = match transaction.signs {
        true => dynamic_signature::combined(&after, transaction, kind, &made, context)?,
        false => response(&after, transaction, kind, &made),
    };
    let answer = GenerateAc::encode_response(&answer);
    recovery::remember(&mut after, transaction, &answer);
    let step = if transaction.first.is_none() { "first GENERATE AC" } else { "second GENERATE AC" };
    let event = Event::new("card", format!("{step}: {kind}")).clause(GenerateAc::CLAUSE).because(reason);
    let event = event.with_tag(tag::ATC.0, transaction.atc.to_be_bytes());
    // As they were when it decided.
    let event = work.behaviour()?.with_causes(event, work.application()?, transaction);
    *work.application_mut()? = after;
    transaction.first.get_or_insert((kind, made.cryptogram));
    context.emit(event);
    Ok(ResponseApdu::ok(answer))
}

/// What a decline at the first GENERATE AC of a PBOC application writes.
pub(super) fn declined(after: &mut ApplicationMemory, transaction: &Transaction, asked: CryptogramType) {
    if asked != Aac && decision::blocks(after, transaction) {
        after.state.blocked = true;
        after.state.blocked_by_pin = true;
    }
    let found = transaction.data.array(tag::TVR).map(Tvr).unwrap_or_default();
    after.state.static_authentication_failed |= found.has(Tvr::SDA_FAILED);
    after.state.dynamic_authentication_failed |= found.has(Tvr::DDA_FAILED) || found.has(Tvr::CDA_FAILED);
}

/// An offline approval: counters or balance, and the log.
fn approve_offline(
    work: &Work<'_>,
    after: &mut ApplicationMemory,
    transaction: &Transaction,
) -> Result<(), Refusal> {
    work.behaviour()?.approve(after, transaction)?;
    log(work, after, transaction)
}

/// What an offline approval of a PBOC application writes.
pub(super) fn approve(after: &mut ApplicationMemory, transaction: &Transaction) -> Result<(), Refusal> {
    let amount = decision::amount_minor(transaction).unwrap_or(0);
    match (transaction.path, transaction.set) {
        (Path::Ecash, Some(EcashSet { balance, .. })) => {
            let left = after.amount(balance).and_then(|minor| minor.checked_sub(amount));
            let left = left.ok_or_else(|| Refusal::state("the balance does not cover the amount"))?;
            after.put_amount(balance, left);
        }
        (_, Some(_)) => {
            after.state.cumulative_minor = after.state.cumulative_minor.saturating_add(amount);
        }
        (_, None) => after.state.international = after.state.international.saturating_add(1),
    }
    Ok(())
}

/// What an answer of the issuer writes.
pub(super) fn complete_online(after: &mut ApplicationMemory, transaction: &Transaction) {
    let mandatory = decision::authentication_is_mandatory(after);
    let state = &mut after.state;
    state.last_authentication_failed = transaction.authentication == Authentication::Failed;
    state.authentication_not_performed =
        mandatory && transaction.authentication == Authentication::NotPerformed;
    state.last_script_failed = transaction.scripts != Scripts::Open;
    state.script_commands = 0;
    if !state.last_authentication_failed && !state.authentication_not_performed {
        state.last_online_not_completed = false;
        state.last_online_atc = transaction.atc;
        state.static_authentication_failed = false;
        state.dynamic_authentication_failed = false;
        state.international = 0;
        state.cumulative_minor = 0;
    }
}

fn log(work: &Work<'_>, after: &mut ApplicationMemory, transaction: &Transaction) -> Result<(), Refusal> {
    if let Some(log) = &work.profile()?.log
        && let Some(entry) = record::log_entry(after, transaction)
    {
        record::push(&mut after.state.log, entry, log.records);
    }
    Ok(())
}

/// The data of a CDOL; another length than it adds up to is refused.
fn split(work: &Work<'_>, list: Tag, data: &[u8]) -> Result<TlvStore, Refusal> {
    let cdol = work.application()?.data.value(list).and_then(|bytes| Dol::parse(bytes).ok());
    let cdol = cdol.ok_or_else(|| Refusal::state("the card has no such CDOL"))?;
    cdol.split(data).map(|parts| parts.into_iter().collect()).ok_or_else(|| {
        let reason = format!("{list} asks for {} bytes, {} came", cdol.data_length(), data.len());
        Refusal::because(StatusWord::WRONG_LENGTH, reason)
    })
}

fn merge(transaction: &mut Transaction, given: &TlvStore, command: &GenerateAc) {
    transaction.exchanged.extend(&command.cdol_data);
    for (tag, value) in given.iter() {
        transaction.data.put(tag, value);
    }
}

fn response(
    after: &ApplicationMemory,
    transaction: &Transaction,
    kind: CryptogramType,
    made: &cryptogram::Made,
) -> Cryptogram {
    let mut data = TlvStore::new();
    let information = kind.bits() | decision::advice(after, transaction, kind);
    data.put(tag::CRYPTOGRAM_INFORMATION_DATA, [information]);
    data.put(tag::ATC, transaction.atc.to_be_bytes());
    data.put(tag::APPLICATION_CRYPTOGRAM, made.cryptogram);
    data.put(tag::ISSUER_APPLICATION_DATA, made.iad.as_slice());
    Cryptogram { data, format_1: true }
}
