//! Batches: how their settlement went at the terminal, and how they stand at the host.

use super::shared::values::amount;
use crate::air::host::BatchSums;
use crate::roles::issuer::{BatchDifference, BatchSummary};
use crate::roles::terminal::BatchSettled;
use crate::words::iso4217::{Amount, Currency};
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "settlement";

/// A line for each batch and currency.
pub fn settlement_text(batches: &[BatchSettled]) -> String {
    let line = |row: &BatchSettled| {
        let batch = &row.batch;
        let state = match batch.state.is_final() {
            true => batch.state.word().to_owned(),
            false => format!("due: {}", batch.state.word()),
        };
        format!("batch {:06}: {state}: {}: {}\n", batch.batch, sums(&batch.sums, batch.currency), row.why)
    };
    batches.iter().map(line).collect()
}

/// The same as data.
pub fn settlement_json(batches: &[BatchSettled]) -> Value {
    let row = |row: &BatchSettled| {
        json!({
            "batch": row.batch.batch,
            "state": row.batch.state.word(),
            "settled": row.batch.state.is_final(),
            "sums": sums_json(&row.batch.sums, row.batch.currency),
            "why": row.why,
        })
    };
    batches.iter().map(row).collect()
}

/// How a host's batches stand, and what differs in those that are not balanced.
pub fn batches_text(batches: &[BatchSummary]) -> String {
    let mut text = String::new();
    for batch in batches {
        let BatchSummary { merchant, terminal, currency, .. } = batch;
        let own = sums(&batch.own, *currency);
        text.push_str(&format!(
            "batch {:06} of terminal {terminal}, merchant {merchant}: {}: {own}\n",
            batch.batch,
            batch.state.word(),
        ));
        if let Some(told) = batch.told.filter(|told| *told != batch.own) {
            text.push_str(&format!("  the terminal told {}\n", sums(&told, *currency)));
        }
        for row in &batch.differences {
            let text_of = |minor: u64| Amount::new(minor, *currency).to_string();
            let said = match (row.own_minor, row.told_minor) {
                (Some(own), Some(told)) => format!("{} here, {} there", text_of(own), text_of(told)),
                (own, told) => own.or(told).map(text_of).unwrap_or_default(),
            };
            text.push_str(&format!("  {}: trace {:06}, {said}\n", row.what.word(), row.trace));
        }
    }
    text
}

/// The same as data.
pub fn batches_json(batches: &[BatchSummary]) -> Value {
    let difference = |row: &BatchDifference| {
        json!({
            "trace": row.trace, "what": row.what.word(),
            "own_minor": row.own_minor, "told_minor": row.told_minor,
        })
    };
    let row = |batch: &BatchSummary| {
        json!({
            "merchant": batch.merchant,
            "terminal": batch.terminal,
            "batch": batch.batch,
            "state": batch.state.word(),
            "at": batch.at.to_string(),
            "own": sums_json(&batch.own, batch.currency),
            "told": batch.told.map(|told| sums_json(&told, batch.currency)),
            "differences": batch.differences.iter().map(difference).collect::<Value>(),
        })
    };
    batches.iter().map(row).collect()
}

fn sums(sums: &BatchSums, currency: Currency) -> String {
    let part = |what, count, minor| format!("{count} {what}, {}", Amount::new(minor, currency));
    let debits = part("debits", sums.debit_count, sums.debit_minor);
    format!("{debits}; {}", part("credits", sums.credit_count, sums.credit_minor))
}

fn sums_json(sums: &BatchSums, currency: Currency) -> Value {
    json!({
        "debit_count": sums.debit_count,
        "debit": amount(Amount::new(sums.debit_minor, currency)),
        "credit_count": sums.credit_count,
        "credit": amount(Amount::new(sums.credit_minor, currency)),
    })
}
