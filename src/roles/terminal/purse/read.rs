//! Reads a purse that was found, by its layout: fields, balances, logs. What cannot be read is
//! named with the reason, and the rest is shown.

use super::balance::told;
use super::facts::{PurseFacts, PurseLogEntry, PurseName};
use super::file::{Files, file};
use super::find::{Found, again};
use super::logs::{entries, rides};
use super::purchase::CappRecord;
use crate::air::link::{Card, LinkError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::roles::terminal::Fact;
use crate::words::decode::aid_name;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::command::ReadRecord;
use crate::words::iso7816::{ApduCommand, CommandError};
use crate::words::pboc::CityField;
use crate::words::pboc::command::GetCertificationCode;
use crate::words::pboc::purse::{PurseId, PurseTransactionType, limit_minor};

/// Selects a purse that was found, and reads it.
pub(in crate::roles::terminal) fn read_purse(
    card: &mut dyn Card,
    found: Found,
    context: &mut Context,
) -> Result<PurseFacts, LinkError> {
    let layout = found.layout;
    again(card, &found.name, context)?;
    let currency = Currency(layout.currency);
    let mut files = Files::of(card, &found, layout.fields.iter(), context)?;
    let others = layout.fields.iter().filter(|field| !field.kind.is_number());
    let shown = |field: &CityField| (field.name.clone(), files.value(field, layout));
    let mut fields: Vec<_> = others.map(shown).collect();
    let number = files.number(layout);
    let mut remarks = std::mem::take(&mut files.remarks);
    if layout.certification_code {
        fields.push(("certification code".into(), certification_code(card, context)?));
    }
    let mut balances = Vec::new();
    for balance in &layout.balances {
        balances.extend(told(card, balance, currency, context)?);
    }
    let log = match &layout.log {
        Some(log) => entries(card, log, currency, &mut remarks, context)?,
        None => Fact::Absent("the layout names no log".into()),
    };
    let mut more_logs = Vec::new();
    for log in &layout.more_logs {
        more_logs.push((log.name.clone(), entries(card, log, currency, &mut remarks, context)?));
    }
    let rides = match &layout.travel {
        Some(log) => Some(rides(card, log, currency, &mut remarks, context)?),
        None => None,
    };
    for balance in balances.iter_mut().filter(|balance| PurseId(balance.purse) == PurseId::DEPOSIT) {
        let newest = log.known().and_then(|log| log.iter().find(|entry| is_deposits(entry)));
        let limit = newest.map(|entry| limit_minor(entry.record.overdraft_limit));
        let limit = limit.map(|minor| Amount::new(minor.into(), currency));
        balance.overdraft_limit = limit.filter(|limit| limit.minor > 0);
    }
    let mut name = layout.name.clone();
    if layout.fields.is_empty() {
        remarks.push("the layout of this card is not published: what it answers stands here".into());
        fields.extend(answering_files(card, context)?);
        if let PurseName::Aid(aid) = &found.name {
            name = aid_name(aid).map_or(name, str::to_owned);
        }
    }
    let is_checked = layout.dump.is_some();
    Ok(PurseFacts {
        aid: found.name,
        name,
        is_checked,
        blocked: found.blocked,
        number,
        fields,
        balances,
        log,
        more_logs,
        rides,
        remarks,
    })
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

fn certification_code(card: &mut dyn Card, context: &mut Context) -> Result<Fact<String>, LinkError> {
    let ask = GetCertificationCode { code: None };
    Ok(match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
        Ok(Some(code)) => Fact::Known(Hex(&code).to_string()),
        Ok(None) => Fact::Absent("GET CERTIFICATION CODE answered nothing".into()),
        Err(CommandError::Refused { status, .. }) => {
            Fact::Absent(format!("GET CERTIFICATION CODE answered {status}"))
        }
        Err(error) => Fact::Absent(error.to_string()),
    })
}

/// Which files answer, and how much is in them; not what.
fn answering_files(
    card: &mut dyn Card,
    context: &mut Context,
) -> Result<Vec<(String, Fact<String>)>, LinkError> {
    let mut answering = Vec::new();
    for sfi in 1..=30 {
        if let Fact::Known(bytes) = file(card, sfi, None, context)? {
            answering.push((format!("file {sfi:02X}"), Fact::Known(format!("{} bytes", bytes.len()))));
        } else if let Fact::Known(bytes) = file(card, sfi, Some(1), context)? {
            let words = format!("records, the first one of {} bytes", bytes.len());
            answering.push((format!("file {sfi:02X}"), Fact::Known(words)));
        }
    }
    Ok(answering)
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
