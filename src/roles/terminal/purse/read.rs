//! Reads a purse that is selected, by its layout: fields, balances, log. What cannot be read is
//! named with the reason, and the rest is shown.

use super::facts::{PurseBalance, PurseFacts, PurseLogEntry};
use super::purchase::CappRecord;
use super::select::number_digits;
use crate::air::link::{Card, LinkError};
use crate::base::bytes::{Cursor, Hex, bcd_to_u64};
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::roles::terminal::Fact;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::command::{ReadBinary, ReadRecord};
use crate::words::iso7816::{Aid, ApduCommand, CommandError, StatusWord};
use crate::words::pboc::command::GetBalance;
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{PurseId, PurseTransactionType, limit_minor};
use crate::words::pboc::{CityBalance, CityField, CityLayout, FieldKind, PurseRecord};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Reads the purse that is selected.
pub(in crate::roles::terminal) fn read_purse(
    card: &mut dyn Card,
    aid: Aid,
    blocked: bool,
    layout: &CityLayout,
    context: &mut Context,
) -> Result<PurseFacts, LinkError> {
    let currency = Currency(layout.currency);
    let mut files: BTreeMap<u8, Fact<Vec<u8>>> = BTreeMap::new();
    for field in &layout.fields {
        if let Entry::Vacant(place) = files.entry(field.sfi) {
            place.insert(file(card, field.sfi, context)?);
        }
    }
    let mut number = Fact::Absent("the layout names no number".into());
    let mut fields = Vec::new();
    for field in &layout.fields {
        let bytes = part(files.get(&field.sfi), field);
        match field.kind {
            FieldKind::Number => number = pan(bytes),
            kind => fields.push((field.name.clone(), shown(bytes, kind))),
        }
    }
    let mut balances = Vec::new();
    for balance in &layout.balances {
        balances.extend(told(card, balance, currency, context)?);
    }
    let log = match layout.log.as_ref() {
        Some(log) => entries(card, log.sfi, log.records, currency, context)?,
        None => Fact::Absent("the layout names no log".into()),
    };
    for balance in balances.iter_mut().filter(|balance| PurseId(balance.purse) == PurseId::DEPOSIT) {
        let newest = log.known().and_then(|log| log.iter().find(|entry| is_deposits(entry)));
        let limit = newest.map(|entry| limit_minor(entry.record.overdraft_limit));
        let limit = limit.map(|minor| Amount::new(minor.into(), currency));
        balance.overdraft_limit = limit.filter(|limit| limit.minor > 0);
    }
    let name = layout.name.clone();
    Ok(PurseFacts { aid, name, blocked, number, fields, balances, log })
}

/// What the selected purse has of a record that a compound purchase wrote: by its identifier, in a
/// ring by how many came after it; `None` where the card does not show it.
pub fn read_record(
    card: &mut dyn Card,
    written: &CappRecord,
    later: usize,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    for number in 1..=u8::MAX {
        let ask = ReadRecord { sfi: written.sfi, record: number };
        let Ok(found) = ask.answer(&card.transmit(&ask.to_apdu(), context)?) else { break };
        let is_it = match written.id {
            0 => usize::from(number) == later + 1,
            id => found.first() == Some(&id),
        };
        if is_it {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn file(card: &mut dyn Card, sfi: u8, context: &mut Context) -> Result<Fact<Vec<u8>>, LinkError> {
    let ask = ReadBinary { sfi, offset: 0, length: 256 };
    Ok(match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
        Ok(bytes) => Fact::Known(bytes),
        Err(CommandError::Refused { status, .. }) => {
            Fact::Absent(format!("READ BINARY of file {sfi:02X} answered {status}"))
        }
        Err(error) => Fact::Absent(error.to_string()),
    })
}

fn part(file: Option<&Fact<Vec<u8>>>, field: &CityField) -> Fact<Vec<u8>> {
    match file {
        Some(Fact::Known(bytes)) => match bytes.get(field.offset..field.offset + field.length) {
            Some(part) => Fact::Known(part.to_vec()),
            None => Fact::Absent(format!(
                "file {:02X} has {} bytes, expected {} from offset {}",
                field.sfi,
                bytes.len(),
                field.length,
                field.offset
            )),
        },
        Some(Fact::Absent(reason)) => Fact::Absent(reason.clone()),
        None => Fact::Absent("its file was not read".into()),
    }
}

fn pan(bytes: Fact<Vec<u8>>) -> Fact<Pan> {
    match bytes {
        Fact::Known(bytes) => match number_digits(&bytes).map(|digits| Pan::new(&digits)) {
            Some(Ok(pan)) => Fact::Known(pan),
            _ => Fact::Absent("it is no decimal number of 8 to 19 digits".into()),
        },
        Fact::Absent(reason) => Fact::Absent(reason),
    }
}

fn shown(bytes: Fact<Vec<u8>>, kind: FieldKind) -> Fact<String> {
    let bytes = match bytes {
        Fact::Known(bytes) => bytes,
        Fact::Absent(reason) => return Fact::Absent(reason),
    };
    let hex = Hex(&bytes).to_string();
    match kind {
        FieldKind::Hex => Fact::Known(hex),
        FieldKind::Digits | FieldKind::Number => match hex.bytes().all(|digit| digit.is_ascii_digit()) {
            true => Fact::Known(hex),
            false => Fact::Absent(format!("{hex} are no decimal digits")),
        },
        FieldKind::Date => {
            date(&bytes).map_or_else(|| Fact::Absent(format!("{hex} is no date")), Fact::Known)
        }
        FieldKind::Text => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            let text = text.trim_matches(['\0', ' ']).to_owned();
            match text.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ') {
                true => Fact::Known(text),
                false => Fact::Absent(format!("{hex} is no ASCII text")),
            }
        }
    }
}

/// BCD YYYYMMDD, if that is a day of a calendar.
fn date(bytes: &[u8]) -> Option<String> {
    let number = u32::try_from(bcd_to_u64(bytes).ok()?).ok()?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    // No card is older.
    let year = i32::try_from(year).ok().filter(|year| *year >= 1900)?;
    let is_day = Timestamp::from_civil(year, month as u8, day as u8, 0, 0, 0).is_some();
    is_day.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// A balance; none where the card has no such purse.
fn told(
    card: &mut dyn Card,
    balance: &CityBalance,
    currency: Currency,
    context: &mut Context,
) -> Result<Option<PurseBalance>, LinkError> {
    let ask = GetBalance { part: balance.part, purse: balance.purse };
    let fact = match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
        Ok(told) => Fact::Known(Amount::new(told.balance_minor.into(), currency)),
        Err(CommandError::Refused { status: StatusWord::NOT_SUPPORTED, .. }) => return Ok(None),
        Err(CommandError::Refused { status, .. }) => Fact::Absent(format!("GET BALANCE answered {status}")),
        Err(error) => Fact::Absent(error.to_string()),
    };
    Ok(Some(PurseBalance {
        name: balance.name.clone(),
        purse: balance.purse,
        is_whole: balance.part == 0,
        balance: fact,
        overdraft_limit: None,
    }))
}

/// Whether a transaction is surely one of the deposit: its record has the deposit's limit, which
/// the card tells nobody without a PIN otherwise.
fn is_deposits(entry: &PurseLogEntry) -> bool {
    [
        PurseTransactionType::LOAD_DEPOSIT,
        PurseTransactionType::CASH_WITHDRAWAL,
        PurseTransactionType::PURCHASE_DEPOSIT,
        PurseTransactionType::OVERDRAFT,
    ]
    .contains(&PurseTransactionType(entry.record.kind))
}

/// The log, newest first. A record of nothing is an empty place of its ring.
fn entries(
    card: &mut dyn Card,
    sfi: u8,
    records: u8,
    currency: Currency,
    context: &mut Context,
) -> Result<Fact<Vec<PurseLogEntry>>, LinkError> {
    let mut log = Vec::new();
    for record in 1..=records {
        let ask = ReadRecord { sfi, record };
        match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
            Ok(bytes) if bytes.len() == PurseRecord::BYTES => {
                let Ok(record) = PurseRecord::take(&mut Cursor::new(&bytes)) else { continue };
                let amount = Amount::new(record.amount_minor.into(), currency);
                if bytes.iter().any(|byte| !matches!(byte, 0x00 | 0xFF)) {
                    log.push(PurseLogEntry { record, amount });
                }
            }
            Err(CommandError::Refused { status, .. })
                if record == 1 && status != StatusWord::RECORD_NOT_FOUND =>
            {
                return Ok(Fact::Absent(format!("READ RECORD of file {sfi:02X} answered {status}")));
            }
            _ => break,
        }
    }
    Ok(Fact::Known(log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_date_or_number_says_so() {
        let known = |bytes: &[u8]| Fact::Known(bytes.to_vec());
        assert_eq!(
            shown(known(&[0x20, 0x24, 0x02, 0x29]), FieldKind::Date),
            Fact::Known("2024-02-29".into())
        );
        for bytes in [[0x20, 0x23, 0x02, 0x29], [0x20, 0x24, 0x13, 0x01], [0x00; 4], [0xFF; 4]] {
            assert!(shown(known(&bytes), FieldKind::Date).known().is_none(), "{bytes:02X?}");
        }
        assert!(shown(known(&[0x1A]), FieldKind::Digits).known().is_none());
        assert!(pan(known(&[0; 10])).known().is_none());
        assert_eq!(
            pan(known(&[0, 0, 0x62, 0x99, 0x99, 0x12, 0x34, 0x56, 0x78, 0x90]))
                .known()
                .map(|pan| pan.expose().to_owned()),
            Some("6299991234567890".into())
        );
    }
}
