//! A purse as text and as data.

use super::columns::Columns;
use super::values::{amount, entries, fact, fact_text, signed, time};
use crate::base::bytes::Hex;
use crate::roles::terminal::Fact;
use crate::roles::terminal::purse::{PurseBalance, PurseFacts, PurseLogEntry, Ride};
use crate::words::pboc::purse::PurseTransactionType;
use crate::words::pboc::{LogForm, PurseNumber};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A purse as text; its number is masked unless `unmask` is set.
pub(in crate::observers::report) fn purse_text(purse: &PurseFacts, unmask: bool) -> String {
    let blocked = if purse.blocked { "  BLOCKED" } else { "" };
    let mut text = format!("{}  {}{blocked}\n", purse.name, purse.aid);
    let mut columns = Columns::indented(2);
    if !purse.is_checked {
        columns.row("layout", "of public code or names alone: no public dump was found to check it by");
    }
    columns.row("number", fact_text(&purse.number, |known| number(known, unmask)));
    for (name, value) in &purse.fields {
        columns.row(name.as_str(), fact_text(value, Clone::clone));
    }
    for balance in &purse.balances {
        columns.row(balance.name.as_str(), balance_text(balance));
    }
    for remark in &purse.remarks {
        columns.row("note", remark);
    }
    columns.row("transaction log", fact_text(&purse.log, |log| entries(log.len())));
    let _ = write!(text, "{columns}");
    lines(&mut text, &purse.log, entry_text);
    for (name, log) in &purse.more_logs {
        let _ = writeln!(text, "  {name:18}  {}", fact_text(log, |log| entries(log.len())));
        lines(&mut text, log, entry_text);
    }
    if let Some(rides) = &purse.rides {
        let _ = writeln!(text, "  {:18}  {}", "rides", fact_text(rides, |rides| entries(rides.len())));
        lines(&mut text, rides, ride_text);
    }
    text
}

/// A purse as data; its number is masked unless `unmask` is set.
pub(in crate::observers::report) fn purse_json(purse: &PurseFacts, unmask: bool) -> Value {
    let fields: serde_json::Map<String, Value> =
        purse.fields.iter().map(|(name, value)| (name.clone(), fact(value, |known| json!(known)))).collect();
    let balances: Vec<Value> = purse.balances.iter().map(balance_json).collect();
    let log = |log: &Fact<Vec<PurseLogEntry>>| fact(log, |log| log.iter().map(entry_json).collect());
    let more_logs: serde_json::Map<String, Value> =
        purse.more_logs.iter().map(|(name, entries)| (name.clone(), log(entries))).collect();
    json!({
        "aid": purse.aid.to_string(),
        "name": purse.name,
        "checked_by_dump": purse.is_checked,
        "blocked": purse.blocked,
        "number": fact(&purse.number, |known| json!(number(known, unmask))),
        "fields": fields,
        "balances": balances,
        "log": log(&purse.log),
        "more_logs": more_logs,
        "rides": purse.rides.as_ref().map(|rides| fact(rides, |rides| rides.iter().map(ride_json).collect())),
        "remarks": purse.remarks,
    })
}

fn number(number: &PurseNumber, unmask: bool) -> String {
    if unmask { number.expose().to_owned() } else { number.to_string() }
}

/// A line for each entry of a log.
fn lines<T>(text: &mut String, log: &Fact<Vec<T>>, line: impl Fn(&T) -> String) {
    for entry in log.known().into_iter().flatten() {
        let _ = writeln!(text, "    {}", line(entry));
    }
}

fn balance_text(balance: &PurseBalance) -> String {
    let told = fact_text(&balance.balance, ToString::to_string);
    let own = |told: String| match (balance.own_minor(), balance.balance.known()) {
        (Some(own), Some(amount)) if own < 0 => {
            format!("{told}; the holder's own money is {} {}", signed(own, amount.currency), amount.currency)
        }
        _ => told,
    };
    own(match balance.overdraft_limit {
        Some(limit) => format!("{told}, of which {limit} may be overdrawn"),
        None => told,
    })
}

fn balance_json(balance: &PurseBalance) -> Value {
    json!({
        "name": balance.name,
        "purse": balance.purse,
        "balance": fact(&balance.balance, |known| amount(*known)),
        "overdraft_limit": balance.overdraft_limit.map(amount),
        "overdrawn": balance.overdrawn.map(amount),
        "own_minor": balance.own_minor(),
    })
}

fn entry_text(entry: &PurseLogEntry) -> String {
    let record = &entry.record;
    let (date, time) = when(entry);
    format!(
        "{date} {time}  {:>14}  no. {:<5}  terminal {}  {}",
        entry.amount.to_string(),
        record.sequence,
        Hex(&record.terminal),
        PurseTransactionType(record.kind).words()
    )
}

fn entry_json(entry: &PurseLogEntry) -> Value {
    let record = &entry.record;
    let (date, time) = when(entry);
    json!({
        "date": date,
        "time": time,
        "amount": amount(entry.amount),
        "sequence": record.sequence,
        "type": record.kind,
        "type_words": PurseTransactionType(record.kind).words(),
        "terminal": Hex(&record.terminal).to_string(),
    })
}

/// Date and time as far as the record has them.
fn when(entry: &PurseLogEntry) -> (String, String) {
    let (record, [hour, minute, _]) = (&entry.record, entry.record.time);
    let [.., month, day] = record.date;
    match entry.form {
        LogForm::Standard => (date(record.date), time(record.time)),
        LogForm::ShortTime => (format!("????-{month:02X}-{day:02X}"), format!("{hour:02X}:{minute:02X}")),
    }
}

fn ride_text(ride: &Ride) -> String {
    let record = &ride.record;
    format!(
        "{} {}  {:>14}  {}, {}  city {}  line and station {}  then {}",
        date(record.date),
        time(record.time),
        ride.amount.to_string(),
        record.industry_words(),
        record.words(),
        Hex(&record.city),
        Hex(&record.station),
        ride.balance
    )
}

fn ride_json(ride: &Ride) -> Value {
    let record = &ride.record;
    json!({
        "date": date(record.date),
        "time": time(record.time),
        "amount": amount(ride.amount),
        "balance": amount(ride.balance),
        "type": record.kind,
        "type_words": record.words(),
        "industry": record.industry_words(),
        "city": Hex(&record.city).to_string(),
        "station": Hex(&record.station).to_string(),
        "terminal": Hex(&record.terminal).to_string(),
    })
}

fn date([century, year, month, day]: [u8; 4]) -> String {
    format!("{century:02X}{year:02X}-{month:02X}-{day:02X}")
}
