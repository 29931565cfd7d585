//! SELECT on the card: PSE, PPSE, application names, partial names and next
//! (ISO/IEC 7816-4 11.2.2; EMV Book 1 clause 12).

use super::application_profile::{ApplicationProfile, InterfaceProfile};
use super::purse::{self, PurseSession};
use super::session::{Phase, SecureChannel, Selected};
use super::simulator::{Answer, Refusal, Work};
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::iso7816::command::{Occurrence, Select, SelectFile};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::tlv::{Tag, encode, encode_into};

const PSE: &[u8] = b"1PAY.SYS.DDF01";
const PPSE: &[u8] = b"2PAY.SYS.DDF01";
/// The file of the PSE's directory.
pub(super) const DIRECTORY_SFI: u8 = 1;

/// Answers SELECT. One that finds nothing leaves what is selected as it was.
pub(super) fn select(work: &mut Work<'_>, command: &Select, context: &mut Context) -> Answer {
    if let Some(device) = work.session.device {
        device.admit(work.session.interface)?;
    }
    work.session.channel = SecureChannel::Closed;
    let contactless = work.session.interface == Interface::Contactless;
    work.session.purse = PurseSession::default();
    let directory = if contactless { PPSE } else { PSE };
    let has_directory = work.memory.read().profile().applications.iter().any(ApplicationProfile::is_listed);
    if command.name.as_bytes() == directory && command.occurrence == Occurrence::First && has_directory {
        work.session.selected = Selected::Directory;
        say(context, "the payment system environment of this interface");
        return Ok(ResponseApdu::ok(directory_fci(work, contactless)));
    }
    let begin = match (command.occurrence, &work.session.selected) {
        (Occurrence::Next, Selected::Application { index, .. }) => index + 1,
        (Occurrence::Next, _) => return Err(not_found("no application is selected to go on from")),
        (Occurrence::First, _) => 0,
    };
    let applications = &work.memory.read().profile().applications;
    let found = applications.iter().enumerate().skip(begin).find_map(|(index, application)| {
        let interface = application.interface(contactless)?;
        application.aid.begins_with(command.name.as_bytes()).then_some((index, application, interface))
    });
    let (index, application, interface) =
        found.ok_or_else(|| not_found("no application on this interface begins with that name"))?;
    let data = match application.is_listed() {
        true => Select::encode_response(&fci(application, interface)),
        false => purse_fci(work, index, application),
    };
    work.session.selected = Selected::Application { index, phase: Phase::Selected };
    work.session.capp_read = None;
    if work.application()?.state.blocked {
        say(context, "the application is blocked: its FCI comes with a warning");
        return Ok(ResponseApdu { data, status: StatusWord::FILE_INVALIDATED });
    }
    say(context, "the application's name begins with the name asked for");
    Ok(ResponseApdu::ok(data))
}

/// Answers SELECT by file identifier: the master file, and applications that have one.
pub(super) fn select_file(work: &mut Work<'_>, command: SelectFile, context: &mut Context) -> Answer {
    if let Some(device) = work.session.device {
        device.admit(work.session.interface)?;
    }
    work.session.purse = PurseSession::default();
    let applications = &work.memory.read().profile().applications;
    let contactless = work.session.interface == Interface::Contactless;
    if applications.iter().all(ApplicationProfile::is_listed) {
        return Err(Refusal::because(StatusWord::WRONG_P1P2, "the card's files are selected by name alone"));
    }
    if command == SelectFile::MASTER_FILE {
        say(context, "the master file");
        return purse::select_master_file(work);
    }
    let found = applications.iter().position(|application| {
        application.identifier == Some(command.identifier) && application.interface(contactless).is_some()
    });
    let index = found.ok_or_else(|| not_found("no file on this interface has that identifier"))?;
    let data = purse_fci(work, index, &applications[index]);
    work.session.selected = Selected::Application { index, phase: Phase::Selected };
    say(context, "the application's identifier is the one asked for");
    Ok(ResponseApdu::ok(data))
}

/// What a purse says of itself: its version, and its public data, file 0015.
fn purse_fci(work: &Work<'_>, index: usize, application: &ApplicationProfile) -> Vec<u8> {
    const PUBLIC_DATA_SFI: u8 = 0x15;
    let mut proprietary = Vec::new();
    own(&mut proprietary, application, tag::APPLICATION_VERSION_NUMBER_CARD);
    let memory = work.memory.read().image.applications.get(index);
    let files = memory.map(|memory| memory.files()).unwrap_or_default();
    if let Some(file) = files.iter().find(|file| file.sfi == PUBLIC_DATA_SFI) {
        encode_into(&mut proprietary, tag::ISSUER_IDENTIFICATION_NUMBER_EXTENDED, &file.bytes);
    }
    let mut value = encode(tag::DF_NAME, application.aid.as_bytes());
    encode_into(&mut value, tag::FCI_PROPRIETARY_TEMPLATE, &proprietary);
    encode(tag::FCI_TEMPLATE, &value)
}

/// The records of the PSE's directory: one, with every application that contacts reach.
pub(super) fn directory_record(work: &Work<'_>, number: u8) -> Answer {
    let applications = &work.memory.read().profile().applications;
    let entries: Vec<u8> = applications
        .iter()
        .filter(|a| a.is_listed() && a.contact.is_some())
        .flat_map(directory_entry)
        .collect();
    if number != 1 || entries.is_empty() {
        return Err(Refusal::because(StatusWord::RECORD_NOT_FOUND, "the directory has one record"));
    }
    Ok(ResponseApdu::ok(encode(tag::RECORD_TEMPLATE, &entries)))
}

fn directory_fci(work: &Work<'_>, contactless: bool) -> Vec<u8> {
    let (name, proprietary) = if contactless {
        let applications = &work.memory.read().profile().applications;
        let entries: Vec<u8> = applications
            .iter()
            .filter(|a| a.is_listed() && a.contactless.is_some())
            .flat_map(directory_entry)
            .collect();
        (PPSE, encode(tag::FCI_ISSUER_DISCRETIONARY_DATA, &entries))
    } else {
        (PSE, encode(tag::SFI, &[DIRECTORY_SFI]))
    };
    let mut value = encode(tag::DF_NAME, name);
    encode_into(&mut value, tag::FCI_PROPRIETARY_TEMPLATE, &proprietary);
    encode(tag::FCI_TEMPLATE, &value)
}

fn directory_entry(application: &ApplicationProfile) -> Vec<u8> {
    let value = [encode(tag::AID, application.aid.as_bytes()), names(application)].concat();
    encode(tag::APPLICATION_TEMPLATE, &value)
}

fn fci(application: &ApplicationProfile, interface: &InterfaceProfile) -> Vec<u8> {
    let mut proprietary = names(application);
    own(&mut proprietary, application, tag::LANGUAGE_PREFERENCE);
    if !interface.pdol.0.is_empty() {
        encode_into(&mut proprietary, tag::PDOL, &interface.pdol.0);
    }
    let mut discretionary = Vec::new();
    for (entry, log) in [(tag::LOG_ENTRY, &application.log), (tag::LOAD_LOG_ENTRY, &application.load_log)] {
        if let Some(log) = log {
            encode_into(&mut discretionary, entry, &[log.sfi, log.records]);
        }
    }
    own(&mut discretionary, application, tag::EXTENDED_APPLICATION_CAPABILITY);
    if !discretionary.is_empty() {
        encode_into(&mut proprietary, tag::FCI_ISSUER_DISCRETIONARY_DATA, &discretionary);
    }
    let mut value = encode(tag::DF_NAME, application.aid.as_bytes());
    encode_into(&mut value, tag::FCI_PROPRIETARY_TEMPLATE, &proprietary);
    encode(tag::FCI_TEMPLATE, &value)
}

/// What the directory and the application itself say of its name.
fn names(application: &ApplicationProfile) -> Vec<u8> {
    let mut value = encode(tag::APPLICATION_LABEL, application.label.as_bytes());
    encode_into(&mut value, tag::APPLICATION_PRIORITY_INDICATOR, &[application.priority]);
    own(&mut value, application, tag::APPLICATION_PREFERRED_NAME);
    own(&mut value, application, tag::ISSUER_CODE_TABLE_INDEX);
    value
}

/// Adds a data object of the profile, where it has it.
fn own(value: &mut Vec<u8>, application: &ApplicationProfile, tag: Tag) {
    if let Some(bytes) = application.data.get(&tag) {
        encode_into(value, tag, &bytes.0);
    }
}

fn say(context: &mut Context, reason: &'static str) {
    context.emit(Event::new("card", "selected").clause(Select::CLAUSE).because(reason));
}

fn not_found(reason: &'static str) -> Refusal {
    Refusal::because(StatusWord::FILE_NOT_FOUND, reason)
}
