//! Files: reading and updating by their access rights, and the challenge that a MAC begins with
//! (ISO/IEC 7816-4; PBOC part 1).

use super::memory::File;
use super::profile::{Access, FileKind};
use super::secure;
use crate::base::context::Context;
use crate::roles::card::record::admit_length;
use crate::roles::card::session::Selected;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::command::{ReadBinary, ReadRecord};
use crate::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};
use crate::words::pboc::command::{UpdateBinary, UpdateRecord};

/// A record that is written together with a debit.
#[derive(Clone)]
pub(in crate::roles::card) struct CacheWrite {
    pub sfi: u8,
    pub id: u8,
    pub data: Vec<u8>,
}

impl CacheWrite {
    /// Whether it is to write this record, whose identifier stands at a place of it.
    fn is_to(&self, record: &[u8], identifier_at: usize) -> bool {
        record.get(identifier_at) == Some(&self.id)
    }
}

/// Selects the master file.
pub(in crate::roles::card) fn select_master_file(work: &mut Work<'_>) -> Answer {
    work.session.selected = Selected::MasterFile;
    work.session.purse = super::PurseSession::default();
    Ok(ResponseApdu::ok([]))
}

/// Gives a challenge of 4 or 8 bytes, as Le asks for.
pub(super) fn get_challenge(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    if (apdu.p1, apdu.p2) != (0, 0) {
        return Err(Refusal::because(StatusWord::WRONG_P1P2, "GET CHALLENGE is 00 84 00 00"));
    }
    let random: [u8; 8] = context.random();
    let challenge = match apdu.le {
        Some(4) => random[..4].to_vec(),
        Some(8 | 256) => random.to_vec(),
        _ => return Err(Refusal::because(StatusWord::WRONG_LENGTH, "a challenge has 4 or 8 bytes")),
    };
    work.session.purse.challenge = Some(challenge.clone());
    Ok(ResponseApdu::ok(challenge))
}

/// Answers READ BINARY.
pub(in crate::roles::card) fn read_binary(work: &mut Work<'_>, command: &ReadBinary) -> Answer {
    let file = find(work, command.sfi)?;
    if file.kind != FileKind::Binary {
        return Err(Refusal::because(StatusWord::INCOMPATIBLE_FILE, "the file holds records"));
    }
    admit(work, file.read)?;
    let begin = usize::from(command.offset);
    let rest = file.bytes.get(begin..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or_else(|| {
        let reason = format!("the file has {} bytes, the offset is {begin}", file.bytes.len());
        Refusal::because(StatusWord::OUTSIDE_FILE, reason)
    })?;
    let length = usize::from(command.length);
    if length > rest.len() && length != 256 {
        return Err(Refusal::because(
            StatusWord(0x6C00 | rest.len() as u16),
            format!("{} bytes are there from offset {begin}", rest.len()),
        ));
    }
    Ok(ResponseApdu::ok(&rest[..length.min(rest.len())]))
}

/// Answers READ RECORD.
pub(in crate::roles::card) fn read_record(work: &mut Work<'_>, command: &ReadRecord) -> Answer {
    let file = find(work, command.sfi)?;
    if file.kind == FileKind::Binary {
        return Err(Refusal::because(StatusWord::INCOMPATIBLE_FILE, "the file holds no records"));
    }
    admit(work, file.read)?;
    let record = usize::from(command.record).checked_sub(1).and_then(|at| file.records.get(at));
    let record = record.ok_or_else(|| {
        Refusal::because(
            StatusWord::RECORD_NOT_FOUND,
            format!("the file holds {} records", file.records.len()),
        )
    })?;
    Ok(ResponseApdu::ok(record.as_slice()))
}

/// Answers UPDATE BINARY.
pub(super) fn update_binary(work: &mut Work<'_>, command: &UpdateBinary) -> Answer {
    let file = find(work, command.sfi)?;
    if file.kind != FileKind::Binary {
        return Err(Refusal::because(StatusWord::INCOMPATIBLE_FILE, "the file holds records"));
    }
    let begin = usize::from(command.offset);
    if begin + command.data.len() > file.bytes.len() {
        let reason = format!("the file has {} bytes", file.bytes.len());
        return Err(Refusal::because(StatusWord::OUTSIDE_FILE, reason));
    }
    let access = file.write;
    admit_update(work, access, &command.header(), &command.data, command.mac)?;
    let file = find_mut(work, command.sfi)?;
    file.bytes[begin..begin + command.data.len()].copy_from_slice(&command.data);
    Ok(ResponseApdu::ok([]))
}

/// Answers UPDATE RECORD.
pub(super) fn update_record(work: &mut Work<'_>, command: &UpdateRecord) -> Answer {
    let file = find(work, command.sfi)?;
    if file.kind != FileKind::Records {
        return Err(Refusal::because(StatusWord::INCOMPATIBLE_FILE, "the file holds no records by number"));
    }
    let at = usize::from(command.record).wrapping_sub(1);
    let Some(before) = file.records.get(at) else {
        return Err(Refusal::because(StatusWord::RECORD_NOT_FOUND, "the file has no such record"));
    };
    if before.len() != command.data.len() {
        let reason = format!("the record has {} bytes", before.len());
        return Err(Refusal::because(StatusWord::WRONG_DATA, reason));
    }
    let access = file.write;
    admit_update(work, access, &command.header(), &command.data, Some(command.mac))?;
    find_mut(work, command.sfi)?.records[at].clone_from(&command.data);
    Ok(ResponseApdu::ok([]))
}

/// Whether a record may land with a compound purchase.
pub(super) fn check_cache(work: &Work<'_>, write: &CacheWrite) -> Result<(), Refusal> {
    let file = find(work, write.sfi)?;
    let expected = match file.kind {
        FileKind::Binary => {
            return Err(Refusal::because(StatusWord::INCOMPATIBLE_FILE, "the file holds no records"));
        }
        FileKind::Ring => usize::from(file.length),
        FileKind::Records => {
            let by_id = file.records.iter().find(|record| write.is_to(record, file.identifier_at));
            let none = || Refusal::because(StatusWord::RECORD_NOT_FOUND, "no record has this identifier");
            by_id.ok_or_else(none)?.len()
        }
    };
    admit_length(write.data.len(), expected)
}

/// Writes a record of a compound purchase, which was checked.
pub(super) fn land(work: &mut Work<'_>, write: &CacheWrite) -> Result<(), Refusal> {
    let file = find_mut(work, write.sfi)?;
    match file.kind {
        FileKind::Ring => file.push(write.data.clone()),
        _ => {
            let at = file.identifier_at;
            for record in file.records.iter_mut().filter(|record| write.is_to(record, at)) {
                record.clone_from(&write.data);
            }
        }
    }
    Ok(())
}

/// Adds a record to the log.
pub(super) fn log(work: &mut Work<'_>, record: Vec<u8>) -> Result<(), Refusal> {
    let sfi = work.purse_profile()?.log_sfi;
    find_mut(work, sfi)?.push(record);
    Ok(())
}

fn admit_update(
    work: &mut Work<'_>,
    access: Access,
    header: &[u8; 5],
    data: &[u8],
    mac: Option<[u8; 4]>,
) -> Result<(), Refusal> {
    match (access, mac) {
        (Access::Mac, Some(mac)) => secure::check_mac(work, header, data, mac),
        (Access::Mac, None) => {
            Err(Refusal::because(StatusWord::SM_OBJECT_MISSING, "the file is updated with a MAC alone"))
        }
        (access, _) => admit(work, access),
    }
}

fn admit(work: &Work<'_>, access: Access) -> Result<(), Refusal> {
    let session = &work.session.purse;
    let no = |reason: &'static str| Err(Refusal::because(StatusWord::SECURITY_NOT_SATISFIED, reason));
    match access {
        Access::Always => Ok(()),
        Access::Pin if session.pin_verified => Ok(()),
        Access::Key if session.key_proved => Ok(()),
        Access::Pin => no("the file is for who has presented the PIN"),
        Access::Key => no("the file is for who has proved the authentication key"),
        Access::Mac => no("the file is for who bears a MAC"),
        Access::Never => no("the file is for nobody"),
    }
}

/// A file of what is selected.
fn find<'a>(work: &'a Work<'_>, sfi: u8) -> Result<&'a File, Refusal> {
    let files: &'a [File] = match work.session.selected {
        Selected::MasterFile => &work.memory.read().image.files,
        _ => work.application()?.files(),
    };
    let none = || Refusal::because(StatusWord::FILE_NOT_FOUND, format!("there is no file {sfi:02X}"));
    files.iter().find(|file| file.sfi == sfi).ok_or_else(none)
}

fn find_mut<'a>(work: &'a mut Work<'_>, sfi: u8) -> Result<&'a mut File, Refusal> {
    let files = work.application_mut()?.files_mut();
    files.iter_mut().find(|file| file.sfi == sfi).ok_or_else(Refusal::lost)
}
