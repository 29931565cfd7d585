//! READ RECORD on the card: records, the two logs, the directory; reading the
//! last record of a quick payment moves the money (EMV Book 3 6.5.11; JR/T 0025.12).

use super::memory::ApplicationMemory;
use super::session::{Phase, Selected, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{capp, cryptogram, quick, selection};
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::words::dictionary::tag;
use crate::words::emv::assemble;
use crate::words::iso7816::command::ReadRecord;
use crate::words::iso7816::{ResponseApdu, StatusWord};
use crate::words::pboc::idd_mac::{IddMacPadding, idd_mac};
use crate::words::tlv::{self, Dol, Tag};

/// The data of a short answer.
pub(super) const LONGEST_ANSWER_BYTES: usize = 256;

/// Refuses a record that has another length than the one in whose place it is to stand.
pub(super) fn admit_length(found: usize, expected: usize) -> Result<(), Refusal> {
    let status = match found.cmp(&expected) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Greater => StatusWord::NO_SPACE,
        std::cmp::Ordering::Less => StatusWord::WRONG_DATA,
    };
    Err(Refusal::because(status, format!("the record has {expected} bytes")))
}

/// Answers READ RECORD. Records can be read as soon as the application is selected,
/// so a terminal that lost only the last answer reads that record again after
/// selecting again; the money has moved once.
pub(super) fn read_record(work: &mut Work<'_>, command: ReadRecord, context: &mut Context) -> Answer {
    if matches!(work.session.selected, Selected::Directory) {
        if work.session.interface == Interface::Contact && command.sfi == selection::DIRECTORY_SFI {
            return selection::directory_record(work, command.record);
        }
        return Err(Refusal::because(StatusWord::FILE_NOT_FOUND, "the directory has no such file"));
    }
    let application = work.application()?;
    let profile = work.profile()?;
    if profile.log.as_ref().is_some_and(|log| log.sfi == command.sfi) {
        return log_record(&application.state.log, command.record);
    }
    if profile.load_log.as_ref().is_some_and(|log| log.sfi == command.sfi) {
        return match command.record {
            0 => whole_load_log(work),
            number => log_record(&application.state.load_log, number),
        };
    }
    if application.capp.as_ref().is_some_and(|memory| memory.file(command.sfi).is_some()) {
        return capp::note_read(work, command.sfi, command.record);
    }
    let mut file = application.records.iter().filter(|record| record.sfi == command.sfi).peekable();
    if file.peek().is_none() {
        return Err(Refusal::because(StatusWord::FILE_NOT_FOUND, "the application has no such file"));
    }
    let record = file.find(|record| record.number == command.record);
    let mut bytes = record.ok_or_else(|| not_found("the file has no such record"))?.bytes.clone();
    if let Selected::Application { phase: Phase::Quick(_, pending), .. } = &mut work.session.selected
        && let Some(last) = pending.take_if(|pending| pending.last == (command.sfi, command.record))
    {
        bytes = appended(bytes, &last.appended)?;
        if let Some(change) = last.change {
            quick::complete(work, *change, context)?;
        }
    }
    Ok(ResponseApdu::ok(bytes))
}

/// A record with what this transaction adds to its template.
fn appended(record: Vec<u8>, more: &[u8]) -> Result<Vec<u8>, Refusal> {
    if more.is_empty() {
        return Ok(record);
    }
    let template = tlv::parse_one(&record).map_err(|_| Refusal::lost())?;
    let longer = tlv::encode(template.tag, &[template.value, more].concat());
    match longer.len() <= LONGEST_ANSWER_BYTES {
        true => Ok(longer),
        false => Err(Refusal::state("the last record has no room for the signature of this transaction")),
    }
}

/// An entry of the transaction log, by the card's log format.
pub(super) fn log_entry(application: &ApplicationMemory, transaction: &Transaction) -> Option<Vec<u8>> {
    entry(application, transaction, tag::LOG_FORMAT)
}

/// What an entry of the load log has after tag and balances.
pub(super) fn load_log_data(application: &ApplicationMemory, transaction: &Transaction) -> Option<Vec<u8>> {
    entry(application, transaction, tag::LOAD_LOG_FORMAT)
}

/// Puts an entry in front of a ring of `depth`.
pub(super) fn push(log: &mut Vec<Vec<u8>>, entry: Vec<u8>, depth: u8) {
    log.insert(0, entry);
    log.truncate(usize::from(depth));
}

fn entry(application: &ApplicationMemory, transaction: &Transaction, format: Tag) -> Option<Vec<u8>> {
    let dol = Dol::parse(application.data.value(format)?).ok()?;
    let mut data = transaction.data.clone();
    data.put(tag::ATC, transaction.atc.to_be_bytes());
    Some(assemble(&dol, &data))
}

/// An entry, the newest is 1; no more are kept than the profile says.
fn log_record(entries: &[Vec<u8>], number: u8) -> Answer {
    let entry = usize::from(number).checked_sub(1).and_then(|index| entries.get(index));
    match entry {
        Some(entry) => Ok(ResponseApdu::ok(entry.as_slice())),
        None => Err(not_found("the log has no such entry")),
    }
}

/// Record 0 of the load log: ATC, count, entries, MAC, for an issuer to audit.
/// The MAC is that of issuer discretionary data over the same bytes.
fn whole_load_log(work: &Work<'_>) -> Answer {
    let application = work.application()?;
    let image = &work.memory.read().image;
    let entries = &application.state.load_log;
    if entries.is_empty() {
        return Err(not_found("the load log is empty"));
    }
    // A short answer has room for 256 bytes; the newest entries come first.
    let room = 256 - (2 + 1 + 4);
    let length = entries.first().map_or(1, |entry| entry.len().max(1));
    let shown = entries.len().min(10).min(room / length);
    let mut value = vec![shown as u8];
    value.extend(entries.iter().take(shown).flatten());
    let atc = application.state.atc.to_be_bytes();
    let version = cryptogram::version(image)?;
    let mac = idd_mac(&version, image.keys.mac.expose(), atc, &value, IddMacPadding::Method2);
    Ok(ResponseApdu::ok([&atc, value.as_slice(), &mac].concat()))
}

fn not_found(reason: &'static str) -> Refusal {
    Refusal::because(StatusWord::RECORD_NOT_FOUND, reason)
}
