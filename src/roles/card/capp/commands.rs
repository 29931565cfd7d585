//! The commands of the extended application on the card (JR/T 0025.14).

use super::file::Place;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::crypto::tdes_ecb_decrypt;
use crate::base::event::Event;
use crate::roles::card::record::admit_length;
use crate::roles::card::session::{Phase, Selected};
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    AppendRecord, CappProof, CappRecord, GetCappProve, ReadCappData, UpdateCappData,
};
use crate::words::pboc::{capp_mac, counter_vector, equal, record_id};

/// Updates that wait at once.
const MOST_UPDATES: usize = 6;

/// Answers READ CAPP DATA.
pub(in crate::roles::card) fn read(work: &mut Work<'_>, command: &ReadCappData) -> Answer {
    if !matches!(work.session.selected, Selected::Application { phase: Phase::Selected, .. }) {
        return Err(Refusal::state("READ CAPP DATA comes before GET PROCESSING OPTIONS"));
    }
    let place = place(work, command.sfi, command.id, command.next)?;
    let row = file(work, command.sfi)?.records.get(place.1).ok_or_else(Refusal::lost)?;
    let mac = command.challenge.map(|challenge| capp_mac(row.key.expose(), challenge, &row.data));
    let answer = CappRecord { record: row.data.clone(), mac };
    work.session.capp_read = Some(place);
    Ok(ResponseApdu::ok(ReadCappData::encode_response(&answer)))
}

/// READ RECORD of a file of industries counts as reading its record, too.
pub(in crate::roles::card) fn note_read(work: &mut Work<'_>, sfi: u8, number: u8) -> Answer {
    let found = file(work, sfi)?;
    let row = found.record(number);
    let row = row.ok_or_else(|| not_found("the file has no such record"))?;
    let id = record_id(&row.data).unwrap_or_default();
    let index = if found.cyclic { 0 } else { usize::from(number).saturating_sub(1) };
    let data = row.data.clone();
    if matches!(work.session.selected, Selected::Application { phase: Phase::Selected, .. }) {
        work.session.capp_read = Some((Place { sfi, id, index }, index));
    }
    Ok(ResponseApdu::ok(data))
}

/// Answers UPDATE CAPP DATA CACHE: nothing is written yet.
pub(in crate::roles::card) fn update(
    work: &mut Work<'_>,
    command: &UpdateCappData,
    context: &mut Context,
) -> Answer {
    let Selected::Application { phase: Phase::Quick(transaction, Some(pending)), .. } =
        &work.session.selected
    else {
        return Err(Refusal::state(
            "UPDATE CAPP DATA CACHE follows GET PROCESSING OPTIONS with a certificate",
        ));
    };
    let Some(extension) = pending.extension() else {
        return Err(Refusal::state("the transaction is not one of the extended application (DF60)"));
    };
    if extension.updates.len() >= MOST_UPDATES {
        return Err(Refusal::state("six records wait to be written already"));
    }
    let atc = transaction.atc;
    let id = record_id(&command.record).unwrap_or_default();
    let found = file(work, command.sfi)?;
    let (place, key, length) = match found.cyclic {
        true => {
            let length = usize::from(found.length_bytes);
            (Place { sfi: command.sfi, id, index: 0 }, found.opening_key.clone(), length)
        }
        false => {
            let (place, index) = place(work, command.sfi, id, command.next)?;
            let row = file(work, command.sfi)?.records.get(index).ok_or_else(Refusal::lost)?;
            (place, row.key.clone(), row.data.len())
        }
    };
    let mac = capp_mac(key.expose(), counter_vector(atc.to_be_bytes()), &command.mac_input());
    if !equal(&mac, &command.mac) {
        return Err(wrong_mac());
    }
    admit_length(command.record.len(), length)?;
    if let Selected::Application { phase: Phase::Quick(_, Some(pending)), .. } = &mut work.session.selected
        && let Some(extension) = pending.extension_mut()
    {
        extension.updates.push((place, command.record.clone()));
    }
    context.emit(
        Event::new("card", "record waits")
            .clause(UpdateCappData::CLAUSE)
            .because("it is written with the money, when the last record is read"),
    );
    Ok(ResponseApdu::ok([]))
}

/// Answers APPEND RECORD.
pub(in crate::roles::card) fn append(
    work: &mut Work<'_>,
    command: &AppendRecord,
    context: &mut Context,
) -> Answer {
    let atc = work.application()?.state.atc;
    let found = file(work, command.sfi)?;
    let opening = found.opening_key.expose();
    let mac = capp_mac(opening, counter_vector(atc.to_be_bytes()), &command.mac_input());
    if !equal(&mac, &command.mac) {
        return Err(wrong_mac());
    }
    if command.record.len() > usize::from(found.length_bytes)
        || !found.cyclic && found.records.len() >= usize::from(found.most)
    {
        return Err(Refusal::because(StatusWord::NO_SPACE, "the file has no room for this record"));
    }
    let key = tdes_ecb_decrypt(opening, &command.enciphered_key).ok();
    let key = Secret::new(key.and_then(|key| key.try_into().ok()).ok_or_else(Refusal::lost)?);
    let memory = work.application_mut()?.capp.as_mut().ok_or_else(Refusal::lost)?;
    let file = memory.files.iter_mut().find(|file| file.sfi == command.sfi).ok_or_else(Refusal::lost)?;
    file.push(key, command.record.clone());
    context.emit(
        Event::new("card", "record appended")
            .clause(AppendRecord::CLAUSE)
            .because("the MAC fits the key that opens the file"),
    );
    Ok(ResponseApdu::ok([]))
}

/// Answers GET TRANSACTION PROVE.
pub(in crate::roles::card) fn prove(work: &Work<'_>, command: &GetCappProve) -> Answer {
    let last = work.application()?.capp.as_ref().and_then(|memory| memory.last);
    match last.filter(|(atc, _)| *atc == command.atc) {
        Some((_, certificate)) => {
            Ok(ResponseApdu::ok(GetCappProve::encode_response(&CappProof { certificate })))
        }
        None => Err(Refusal::because(
            StatusWord::PROVE_NOT_AVAILABLE,
            "the last transaction that was completed had another counter",
        )),
    }
}

fn file<'a>(work: &'a Work<'_>, sfi: u8) -> Result<&'a super::file::CappFile, Refusal> {
    let memory = work.application()?.capp.as_ref();
    memory
        .and_then(|memory| memory.file(sfi))
        .ok_or_else(|| Refusal::because(StatusWord::FILE_NOT_FOUND, "the application has no such file"))
}

/// A record's place, and its index in its file.
fn place(work: &Work<'_>, sfi: u8, id: [u8; 2], next: bool) -> Result<(Place, usize), Refusal> {
    let after = work.session.capp_read.filter(|_| next).map(|(_, index)| index);
    let found = file(work, sfi)?;
    let index = found.find(id, after).ok_or_else(|| not_found("no record has this identifier"))?;
    Ok((Place { sfi, id, index: if found.cyclic { 0 } else { index } }, index))
}

fn not_found(reason: &'static str) -> Refusal {
    Refusal::because(StatusWord::RECORD_NOT_FOUND, reason)
}

fn wrong_mac() -> Refusal {
    Refusal::because(StatusWord::SM_OBJECT_INCORRECT, "the MAC does not fit the record's key and this ATC")
}
