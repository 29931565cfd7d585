//! Issuer script commands on the card: the MAC, and what each may write
//! (EMV Book 2 9; JR/T 0025.5, .13).

use super::memory::ApplicationMemory;
use super::session::{Authentication, Phase, Scripts, Selected, Transaction};
use super::simulator::{Answer, Refusal, Work, read};
use super::{cryptogram, record};
use crate::base::bytes::{Secret, bcd_to_u64, u64_to_bcd};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::{Format, Row, tag};
use crate::words::emv::CryptogramType;
use crate::words::emv::command::{
    ApplicationBlock, ApplicationUnblock, CardBlock, PinChangeUnblock, PinOperation,
};
use crate::words::emv::cryptogram::CardKeys;
use crate::words::iso7816::command::PinBlock;
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};
use crate::words::pboc::EcashSet;
use crate::words::pboc::command::{PutData, UpdateRecord};

/// A script command that the card knows.
enum Script {
    Put(PutData),
    Update(UpdateRecord),
    Block,
    Unblock,
    BlockCard,
    Pin(PinOperation),
}

/// Runs a script command: the window, the MAC, then what it does.
pub(super) fn run(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    let script = parse(apdu)?;
    window(work)?;
    let good = mac_is_good(work, apdu)?;
    let outcome = if good {
        apply(work, &script)
    } else {
        Err(Refusal::because(
            StatusWord::SM_OBJECT_INCORRECT,
            "the script MAC does not fit this transaction: no script is taken any more",
        ))
    };
    note(work, good, outcome.is_ok())?;
    let (name, clause) = script.words();
    if outcome.is_ok() {
        let event = Event::new("card", "script command").clause(clause);
        context.emit(event.because(format!("{name}: the MAC fits this transaction's ATC and cryptogram")));
    }
    outcome.map(|()| ResponseApdu::ok([]))
}

fn parse(apdu: &CommandApdu) -> Result<Script, Refusal> {
    Ok(match apdu.ins {
        0xDA => Script::Put(read(apdu)?),
        0xDC => Script::Update(read(apdu)?),
        0x24 => Script::Pin(read::<PinChangeUnblock>(apdu)?.operation),
        0x1E => read::<ApplicationBlock>(apdu).map(|_| Script::Block)?,
        0x18 => read::<ApplicationUnblock>(apdu).map(|_| Script::Unblock)?,
        _ => read::<CardBlock>(apdu).map(|_| Script::BlockCard)?,
    })
}

/// Scripts come after the first GENERATE AC (template 71) or the second (72), where
/// the issuer was asked; to a blocked application also after its AAC, so that it
/// can be unblocked.
fn window(work: &Work<'_>) -> Result<(), Refusal> {
    let Selected::Application {
        phase: Phase::AskedOnline(transaction) | Phase::Completed(transaction), ..
    } = &work.session.selected
    else {
        return Err(Refusal::state("script commands follow a GENERATE AC"));
    };
    let asked = matches!(transaction.first, Some((CryptogramType::Arqc, _)));
    if !asked && !work.application()?.state.blocked {
        return Err(Refusal::state("the issuer was not asked in this transaction"));
    }
    if transaction.authentication == Authentication::Failed {
        return Err(Refusal::state("issuer authentication failed: no script is taken"));
    }
    if transaction.scripts == Scripts::Closed {
        return Err(Refusal::state("an earlier script MAC was wrong: no script is taken any more"));
    }
    Ok(())
}

fn mac_is_good(work: &Work<'_>, apdu: &CommandApdu) -> Result<bool, Refusal> {
    let image = &work.memory.read().image;
    let transaction = work.session.transaction().ok_or_else(Refusal::lost)?;
    let Some((data, mac)) = apdu.data.split_last_chunk::<4>() else { return Ok(false) };
    let Some((_, cryptogram)) = transaction.first else { return Ok(false) };
    let [cla, ins, p1, p2] = apdu.header();
    let header = [cla, ins, p1, p2, apdu.data.len() as u8];
    let expected = cryptogram::version(image)?
        .script_mac(image.keys.mac.expose(), transaction.atc.to_be_bytes(), cryptogram, header, data, 4)
        .map_err(|error| Refusal::because(StatusWord::NO_DIAGNOSIS, error.to_string()))?;
    Ok(expected == mac)
}

/// What the card remembers of a script command, for this transaction and the next CVR.
fn note(work: &mut Work<'_>, good_mac: bool, succeeded: bool) -> Result<(), Refusal> {
    let after_second =
        matches!(work.session.selected, Selected::Application { phase: Phase::Completed(_), .. });
    let state = &mut work.application_mut()?.state;
    if after_second {
        state.script_commands = state.script_commands.saturating_add(1).min(15);
    }
    if !succeeded {
        state.last_script_failed = true;
    }
    if let Some(transaction) = work.transaction_mut() {
        transaction.scripts = match (good_mac, succeeded) {
            (false, _) => Scripts::Closed,
            (true, false) => Scripts::FailedBefore,
            (true, true) => transaction.scripts,
        };
    }
    Ok(())
}

fn apply(work: &mut Work<'_>, script: &Script) -> Result<(), Refusal> {
    match script {
        Script::Put(command) => put(work, command),
        Script::Update(command) => {
            let records = &mut work.application_mut()?.records;
            let record = records.iter_mut().find(|r| (r.sfi, r.number) == (command.sfi, command.record));
            let not_found = || Refusal::because(StatusWord::RECORD_NOT_FOUND, "there is no such record");
            record.ok_or_else(not_found)?.bytes = command.data.clone();
            Ok(())
        }
        Script::Block => {
            work.application_mut()?.state.blocked = true;
            Ok(())
        }
        Script::Unblock => {
            let state = &mut work.application_mut()?.state;
            state.blocked = false;
            state.blocked_by_pin = false;
            Ok(())
        }
        Script::BlockCard => {
            work.memory.write().image.blocked = true;
            Ok(())
        }
        Script::Pin(operation) => change_pin(work, operation),
    }
}

/// The tries are given back, and with a block the PIN is another.
fn change_pin(work: &mut Work<'_>, operation: &PinOperation) -> Result<(), Refusal> {
    let image = &work.memory.read().image;
    let Some(reference) = &image.pin else {
        return Err(Refusal::state("the card has no PIN to change"));
    };
    let current = match operation {
        PinOperation::ChangeWithCurrent(_) => Some(PinBlock::from_bytes(*reference.expose()).digits()),
        _ => None,
    };
    if let PinOperation::Change(block) | PinOperation::ChangeWithCurrent(block) = operation {
        let transaction = work.session.transaction().ok_or_else(Refusal::lost)?;
        let (_, first) = transaction.first.ok_or_else(Refusal::lost)?;
        let keys =
            CardKeys { ac: image.keys.ac.clone(), mac: image.keys.mac.clone(), enc: image.keys.enc.clone() };
        let current = current.as_ref().map(|digits| digits.expose().as_str());
        let atc = transaction.atc.to_be_bytes();
        let pin = cryptogram::version(image)?.decipher_pin_block(&keys, atc, first, block, current);
        let pin = pin.map_err(|error| Refusal::because(StatusWord::WRONG_DATA, error.to_string()))?;
        let block = PinBlock::from_digits(pin.expose()).ok_or_else(Refusal::lost)?;
        work.memory.write().image.pin = Some(Secret::new(*block.expose()));
    }
    let limit = work.profile()?.pin_try_limit;
    work.application_mut()?.state.pin_tries_left = limit;
    Ok(())
}

fn put(work: &mut Work<'_>, command: &PutData) -> Result<(), Refusal> {
    if command.tag == tag::SEGMENT_OFFSET_USED {
        return Err(Refusal::because(StatusWord::WRONG_P1P2, "DF63 is the card's own"));
    }
    if !work.behaviour()?.may_put(command.tag) {
        return Err(Refusal::because(StatusWord::DATA_NOT_FOUND, "PUT DATA does not write this data object"));
    }
    let transaction = work.session.transaction().ok_or_else(Refusal::lost)?;
    let mut after = work.application()?.clone();
    let before = after.data.value(command.tag).map(<[u8]>::len);
    let Some(length) = before else {
        return Err(Refusal::because(StatusWord::DATA_NOT_FOUND, "the card does not have this data object"));
    };
    if command.value.len() != length {
        let reason = format!("{} has {length} bytes, {} came", command.tag, command.value.len());
        return Err(Refusal::because(StatusWord::WRONG_LENGTH, reason));
    }
    let decimal =
        Row::of_tag(command.tag).is_some_and(|row| matches!(row.format, Format::Amount | Format::Numeric));
    if decimal && bcd_to_u64(&command.value).is_err() {
        return Err(Refusal::because(StatusWord::WRONG_DATA, "the value is no decimal number"));
    }
    match EcashSet::of_balance(command.tag) {
        Some(set) => {
            let depth = work.profile()?.load_log.as_ref().map_or(0, |log| log.records);
            load(&mut after, transaction, set, &command.value, depth)?;
        }
        None => {
            after.data.put(command.tag, command.value.as_slice());
        }
    }
    *work.application_mut()? = after;
    Ok(())
}

/// A new balance: within its limit, and what segment billing owes is repaid first.
fn load(
    after: &mut ApplicationMemory,
    transaction: &Transaction,
    set: EcashSet,
    value: &[u8],
    depth: u8,
) -> Result<(), Refusal> {
    let total = bcd_to_u64(value).unwrap_or(u64::MAX);
    if total > after.amount(set.balance_limit).unwrap_or(0) {
        let first = set == EcashSet::FIRST;
        let status = if first { StatusWord::WRONG_DATA } else { StatusWord::CONDITIONS_NOT_SATISFIED };
        return Err(Refusal::because(status, "the new balance is above the balance limit"));
    }
    let old = after.amount(set.balance).unwrap_or(0);
    let mut balance = total;
    if set == EcashSet::FIRST
        && let Some(owed) = after.amount(tag::SEGMENT_OFFSET_USED)
    {
        balance = total.saturating_sub(owed);
        after.put_amount(tag::SEGMENT_OFFSET_USED, owed.saturating_sub(total));
    }
    after.put_amount(set.balance, balance);
    if let Some(data) = record::load_log_data(after, transaction) {
        let amount = |minor| u64_to_bcd(minor, 6).unwrap_or_else(|_| vec![0x99; 6]);
        let entry = [set.balance.to_bytes(), amount(old), amount(balance), data].concat();
        record::push(&mut after.state.load_log, entry, depth);
    }
    Ok(())
}

impl Script {
    /// Name and clause.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Put(_) => (PutData::NAME, PutData::CLAUSE),
            Self::Update(_) => (UpdateRecord::NAME, UpdateRecord::CLAUSE),
            Self::Block => (ApplicationBlock::NAME, ApplicationBlock::CLAUSE),
            Self::Unblock => (ApplicationUnblock::NAME, ApplicationUnblock::CLAUSE),
            Self::BlockCard => (CardBlock::NAME, CardBlock::CLAUSE),
            Self::Pin(_) => (PinChangeUnblock::NAME, PinChangeUnblock::CLAUSE),
        }
    }
}
