//! A purse as text and as data.

use super::columns::Columns;
use super::values::{amount, fact, fact_text, pan, time};
use crate::base::bytes::Hex;
use crate::roles::terminal::purse::{PurseBalance, PurseFacts, PurseLogEntry};
use crate::words::pboc::purse::PurseTransactionType;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A purse as text; its number is masked unless `unmask` is set.
pub(in crate::observers::report) fn purse_text(purse: &PurseFacts, unmask: bool) -> String {
    let blocked = if purse.blocked { "  BLOCKED" } else { "" };
    let mut text = format!("{}  {}{blocked}\n", purse.name, purse.aid);
    let mut columns = Columns::indented(2);
    columns.row("number", fact_text(&purse.number, |known| pan(known, unmask)));
    for (name, value) in &purse.fields {
        columns.row(name.as_str(), fact_text(value, Clone::clone));
    }
    for balance in &purse.balances {
        columns.row(balance.name.as_str(), balance_text(balance));
    }
    let entries = |log: &Vec<PurseLogEntry>| match log.len() {
        0 => "empty".to_owned(),
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    columns.row("transaction log", fact_text(&purse.log, entries));
    let _ = write!(text, "{columns}");
    for entry in purse.log.known().into_iter().flatten() {
        let _ = writeln!(text, "    {}", entry_text(entry));
    }
    text
}

/// A purse as data; its number is masked unless `unmask` is set.
pub(in crate::observers::report) fn purse_json(purse: &PurseFacts, unmask: bool) -> Value {
    let fields: serde_json::Map<String, Value> =
        purse.fields.iter().map(|(name, value)| (name.clone(), fact(value, |known| json!(known)))).collect();
    let balances: Vec<Value> = purse.balances.iter().map(balance_json).collect();
    json!({
        "aid": purse.aid.to_string(),
        "name": purse.name,
        "blocked": purse.blocked,
        "number": fact(&purse.number, |known| json!(pan(known, unmask))),
        "fields": fields,
        "balances": balances,
        "log": fact(&purse.log, |log| log.iter().map(entry_json).collect()),
    })
}

fn balance_text(balance: &PurseBalance) -> String {
    let told = fact_text(&balance.balance, ToString::to_string);
    match balance.overdraft_limit {
        Some(limit) => format!("{told}, of which {limit} may be overdrawn"),
        None => told,
    }
}

fn balance_json(balance: &PurseBalance) -> Value {
    json!({
        "name": balance.name,
        "purse": balance.purse,
        "balance": fact(&balance.balance, |known| amount(*known)),
        "overdraft_limit": balance.overdraft_limit.map(amount),
        "own_minor": balance.own_minor(),
    })
}

fn entry_text(entry: &PurseLogEntry) -> String {
    let record = &entry.record;
    format!(
        "{} {}  {:>14}  no. {:<5}  terminal {}  {}",
        date(record.date),
        time(record.time),
        entry.amount.to_string(),
        record.sequence,
        Hex(&record.terminal),
        PurseTransactionType(record.kind).words()
    )
}

fn entry_json(entry: &PurseLogEntry) -> Value {
    let record = &entry.record;
    json!({
        "date": date(record.date),
        "time": time(record.time),
        "amount": amount(entry.amount),
        "sequence": record.sequence,
        "type": record.kind,
        "type_words": PurseTransactionType(record.kind).words(),
        "terminal": Hex(&record.terminal).to_string(),
    })
}

fn date([century, year, month, day]: [u8; 4]) -> String {
    format!("{century:02X}{year:02X}-{month:02X}-{day:02X}")
}
