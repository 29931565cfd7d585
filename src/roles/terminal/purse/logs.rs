//! The logs of a purse: transactions, rides. A record that is malformed is named, and the others
//! are shown.

use super::calendar::{date, is_dated, is_time};
use super::facts::{PurseLogEntry, Ride};
use crate::air::link::{Card, LinkError};
use crate::base::bytes::{Cursor, Hex};
use crate::base::context::Context;
use crate::roles::terminal::Fact;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::command::ReadRecord;
use crate::words::iso7816::{ApduCommand, StatusWord};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::{CityLog, PurseRecord, TravelRecord};

/// A log of transactions, newest first.
pub(super) fn entries(
    card: &mut dyn Card,
    log: &CityLog,
    currency: Currency,
    remarks: &mut Vec<String>,
    context: &mut Context,
) -> Result<Fact<Vec<PurseLogEntry>>, LinkError> {
    let records: Fact<Vec<(u8, PurseRecord)>> = records(card, log, remarks, context)?;
    Ok(map(records, |(number, record)| {
        if !is_dated(&record, log.form) {
            let found = [record.date.as_slice(), &record.time].concat();
            remarks.push(undated(log.sfi, number, 16, &found));
        }
        let amount = Amount::new(record.amount_minor.into(), currency);
        PurseLogEntry { record, amount, form: log.form }
    }))
}

/// A log of rides, newest first.
pub(super) fn rides(
    card: &mut dyn Card,
    log: &CityLog,
    currency: Currency,
    remarks: &mut Vec<String>,
    context: &mut Context,
) -> Result<Fact<Vec<Ride>>, LinkError> {
    let records: Fact<Vec<(u8, TravelRecord)>> = records(card, log, remarks, context)?;
    Ok(map(records, |(number, record)| {
        if date(&record.date).is_none() || !is_time(record.time) {
            let found = [record.date.as_slice(), &record.time].concat();
            remarks.push(undated(log.sfi, number, 25, &found));
        }
        let amount = |minor: u32| Amount::new(minor.into(), currency);
        Ride { record, amount: amount(record.amount_minor), balance: amount(record.balance_minor) }
    }))
}

/// The records of a log that hold something, with their numbers.
fn records<R: Fixed>(
    card: &mut dyn Card,
    log: &CityLog,
    remarks: &mut Vec<String>,
    context: &mut Context,
) -> Result<Fact<Vec<(u8, R)>>, LinkError> {
    let mut found = Vec::new();
    for number in 1..=log.records {
        let ask = ReadRecord { sfi: log.sfi, record: number };
        let answer = card.transmit(&ask.to_apdu(), context)?;
        let refused = || format!("READ RECORD of file {:02X} answered {}", log.sfi, answer.status);
        match ask.answer(&answer) {
            // An empty place of the ring.
            Ok(bytes) if bytes.iter().all(|byte| matches!(byte, 0x00 | 0xFF)) && !bytes.is_empty() => {}
            Ok(bytes) if bytes.len() == R::BYTES => {
                if let Ok(record) = R::take(&mut Cursor::new(&bytes)) {
                    found.push((number, record));
                }
            }
            Ok(bytes) => remarks.push(format!(
                "record {number} of file {:02X}: expected {} bytes, found {}",
                log.sfi,
                R::BYTES,
                bytes.len()
            )),
            Err(_) if answer.status == StatusWord::RECORD_NOT_FOUND => break,
            Err(_) if number == 1 => return Ok(Fact::Absent(refused())),
            Err(_) => {
                remarks.push(format!("{} to record {number}", refused()));
                break;
            }
        }
    }
    Ok(Fact::Known(found))
}

fn map<A, B>(fact: Fact<Vec<A>>, change: impl FnMut(A) -> B) -> Fact<Vec<B>> {
    match fact {
        Fact::Known(values) => Fact::Known(values.into_iter().map(change).collect()),
        Fact::Absent(reason) => Fact::Absent(reason),
    }
}

fn undated(sfi: u8, number: u8, offset: usize, found: &[u8]) -> String {
    format!(
        "record {number} of file {sfi:02X}, offset {offset}: expected a date and time, found {}",
        Hex(found)
    )
}
