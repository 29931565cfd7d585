//! What a card proves of a transaction whose answer was lost: GET TRANSACTION PROVE, the entry in
//! its log, and its counter (PBOC part 1). A counter value may have gone to another terminal's
//! transaction, so the log's entry must be ours in every field.

use super::select::{SelectedPurse, select_numbered};
use crate::air::link::{Card, LinkError};
use crate::base::bytes::Cursor;
use crate::base::context::Context;
use crate::roles::terminal::TerminalError;
use crate::roles::terminal::journal::Entry;
use crate::words::dictionary::tag;
use crate::words::iso7816::command::ReadRecord;
use crate::words::iso7816::{ApduCommand, StatusWord};
use crate::words::pboc::command::{GetTransactionProve, InitializeForPurchase};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{PurseId, PurseTransactionType, limit_minor};
use crate::words::pboc::{CityLayout, LogForm, PurseDetail, PurseRecord};
use crate::words::tlv::TlvStore;

/// What the card proves.
#[derive(Debug, Clone)]
pub enum Proven {
    /// It happened; with what its issuer wants to see, as far as the card still has it.
    Landed {
        /// The row's data, with MAC and TAC.
        chip: TlvStore,
        /// What proved it.
        reason: String,
    },
    /// It did not happen.
    NotLanded(String),
    /// Neither, and it never will; why not.
    Gone(String),
    /// Neither now; why not.
    Nothing(String),
}

/// Asks the card what became of a row.
pub fn prove(card: &mut dyn Card, row: &Entry, context: &mut Context) -> Result<Proven, TerminalError> {
    let Some(selected) = select_numbered(card, &row.card.pan, context)? else {
        return Ok(Proven::Nothing("the card that is there has no purse of this number".into()));
    };
    prove_selected(card, &selected, row, context)
}

/// Asks the purse that is selected what became of a row.
pub fn prove_selected(
    card: &mut dyn Card,
    selected: &SelectedPurse,
    row: &Entry,
    context: &mut Context,
) -> Result<Proven, TerminalError> {
    if selected.number != row.card.pan {
        return Ok(Proven::Nothing("another card is there".into()));
    }
    let bytes = row.chip.value(tag::PURSE_DETAIL).unwrap_or_default();
    let Ok(detail) = PurseDetail::take(&mut Cursor::new(bytes)) else {
        return Ok(Proven::Nothing("the journal's row has no data of the purse".into()));
    };
    let sequence = detail.sequence.wrapping_add(1);
    let log = log(card, selected.layout, context)?;
    let same = log.entries.iter().find(|entry| (entry.sequence, entry.kind) == (sequence, detail.kind));
    let form = selected.layout.log.as_ref().map_or(LogForm::Standard, |log| log.form);
    if same.is_some_and(|entry| !is_ours(entry, form, &detail, row)) {
        let reason = "the card's counter value went to another transaction";
        return Ok(Proven::NotLanded(reason.into()));
    }
    let ask = GetTransactionProve { kind: detail.kind, sequence };
    let answer = card.transmit(&ask.to_apdu(), context)?;
    if let Ok(proof) = ask.answer(&answer) {
        let mut chip = row.chip.clone();
        chip.put(tag::PURSE_MAC, proof.mac);
        chip.put(tag::PURSE_TAC, proof.tac);
        let reason = "GET TRANSACTION PROVE has it".into();
        return Ok(Proven::Landed { chip, reason });
    }
    if same.is_some() {
        let reason = "the card's log has it, and its TAC is no longer there".into();
        return Ok(Proven::Landed { chip: row.chip.clone(), reason });
    }
    if answer.status != StatusWord::PROVE_NOT_AVAILABLE && answer.status != StatusWord::DATA_NOT_FOUND {
        return Ok(Proven::Nothing(format!("GET TRANSACTION PROVE answered {}", answer.status)));
    }
    // The deposit tells its counter to nobody without a PIN.
    let is_purse = row.card.psn == PurseId::PURSE.sequence_number();
    if is_purse
        && !is_online(detail.kind)
        && offline_counter(card, PurseId::PURSE, detail.terminal, context)? == Some(detail.sequence)
    {
        return Ok(Proven::NotLanded("the card's counter has not stepped".into()));
    }
    // An entry of the log with an earlier value of the same counter reaches back beyond it.
    let reaches_back = log
        .entries
        .iter()
        .any(|entry| entry.sequence < sequence && is_online(entry.kind) == is_online(detail.kind));
    // A compound purchase over nothing is in no log.
    let is_logged = row.amount.minor > 0 || is_online(detail.kind);
    match is_logged && (log.is_whole || reaches_back) {
        true => Ok(Proven::NotLanded("neither GET TRANSACTION PROVE nor the log has it".into())),
        false => Ok(Proven::Gone("the card has moved on, and proves it no longer".into())),
    }
}

/// The log, and whether it holds all that ever was.
struct Log {
    entries: Vec<PurseRecord>,
    is_whole: bool,
}

fn log(card: &mut dyn Card, layout: &CityLayout, context: &mut Context) -> Result<Log, TerminalError> {
    let mut entries = Vec::new();
    let Some(log) = &layout.log else { return Ok(Log { entries, is_whole: false }) };
    for record in 1..=log.records {
        let ask = ReadRecord { sfi: log.sfi, record };
        let answer = card.transmit(&ask.to_apdu(), context)?;
        match (ask.answer(&answer), answer.status) {
            (Ok(bytes), _) if bytes.len() == PurseRecord::BYTES => {
                let empty = bytes.iter().all(|byte| matches!(byte, 0x00 | 0xFF));
                let record = PurseRecord::take(&mut Cursor::new(&bytes)).ok().filter(|_| !empty);
                let Some(record) = record else { return Ok(Log { entries, is_whole: true }) };
                entries.push(record);
            }
            (_, StatusWord::RECORD_NOT_FOUND) => return Ok(Log { entries, is_whole: true }),
            _ => break,
        }
    }
    Ok(Log { entries, is_whole: false })
}

fn is_ours(entry: &PurseRecord, form: LogForm, detail: &PurseDetail, row: &Entry) -> bool {
    // The entry of a limit has the limit, and no amount.
    let minor = match PurseTransactionType(detail.kind) {
        PurseTransactionType::OVERDRAFT => limit_minor(entry.overdraft_limit),
        _ => entry.amount_minor,
    };
    let same_time = match form {
        LogForm::Standard => (entry.date, entry.time) == (detail.date, detail.time),
        LogForm::ShortTime => (&entry.date[2..], &entry.time[..2]) == (&detail.date[2..], &detail.time[..2]),
    };
    u64::from(minor) == row.amount.minor && entry.terminal == detail.terminal && same_time
}

const fn is_online(kind: u8) -> bool {
    !PurseTransactionType(kind).is_purchase()
}

/// How many purchases were made with a purse, where the card tells it; that of the deposit wants
/// the PIN. Nothing comes of a purchase that is begun and goes no further.
pub(super) fn offline_counter(
    card: &mut dyn Card,
    purse: PurseId,
    terminal: [u8; 6],
    context: &mut Context,
) -> Result<Option<u16>, LinkError> {
    let ask = InitializeForPurchase { purse: purse.0, key: 1, amount: 0, terminal };
    let answer = card.transmit(&ask.to_apdu(), context)?;
    Ok(ask.answer(&answer).ok().map(|told| told.offline_sequence))
}
