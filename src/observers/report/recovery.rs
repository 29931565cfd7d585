//! What was settled and what is still due.

use super::shared::values::amount;
use crate::roles::terminal::{Recovered, Settled};
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The format's name.
pub(super) const NAME: &str = "recovery";

/// One row: what it was, the way that it took, and why.
pub fn settled_line(row: &Settled) -> String {
    let (batch, trace) = row.trace;
    let state = if row.to.is_final() { "settled" } else { "due" };
    let way = if row.from == row.to { row.to.to_string() } else { format!("{} -> {}", row.from, row.to) };
    let (what, amount, pan) = (row.kind.word(), row.amount, &row.pan);
    format!("{state}: {what} of {amount}, {pan}, trace {batch:06}/{trace:06}: {way}: {}", row.why)
}

/// Every row that was open, and the sum of what is due, of each card where there are
/// several; empty where nothing was open.
pub fn recovery_text(recovered: &Recovered) -> String {
    let mut text: String = recovered.rows.iter().map(|row| settled_line(row) + "\n").collect();
    let due = due(recovered);
    if !due.is_empty() {
        text.push_str(&format!("still due: {}\n", listed(&due)));
    }
    let cards = due_of_cards(recovered);
    if cards.len() > 1 {
        for (pan, sums) in &cards {
            text.push_str(&format!("  {pan}: {}\n", listed(sums)));
        }
    }
    text
}

/// The same as data.
pub fn recovery_json(recovered: &Recovered) -> Value {
    let rows: Vec<Value> = recovered.rows.iter().map(row_json).collect();
    let due: Vec<Value> = due(recovered).into_iter().map(amount).collect();
    let cards: Vec<Value> = due_of_cards(recovered)
        .into_iter()
        .map(|(pan, sums)| json!({ "pan": pan, "due": sums.into_iter().map(amount).collect::<Vec<_>>() }))
        .collect();
    json!({ "rows": rows, "due": due, "due_of_cards": cards })
}

/// The sum of what is due in each currency.
fn due(recovered: &Recovered) -> Vec<Amount> {
    sums(recovered.due())
}

/// The same for each card, masked, in the order of the rows.
fn due_of_cards(recovered: &Recovered) -> Vec<(String, Vec<Amount>)> {
    let mut cards: Vec<(&Pan, Vec<&Settled>)> = Vec::new();
    for row in recovered.due().filter(|row| row.kind.moves_money()) {
        match cards.iter_mut().find(|(pan, _)| **pan == row.pan) {
            Some((_, rows)) => rows.push(row),
            None => cards.push((&row.pan, vec![row])),
        }
    }
    cards.into_iter().map(|(pan, rows)| (pan.to_string(), sums(rows.into_iter()))).collect()
}

fn listed(amounts: &[Amount]) -> String {
    amounts.iter().map(Amount::to_string).collect::<Vec<_>>().join(", ")
}

fn sums<'a>(rows: impl Iterator<Item = &'a Settled>) -> Vec<Amount> {
    let mut sums: BTreeMap<Currency, u64> = BTreeMap::new();
    for row in rows.filter(|row| row.kind.moves_money()) {
        let sum = sums.entry(row.amount.currency).or_default();
        *sum = sum.saturating_add(row.amount.minor);
    }
    sums.into_iter().map(|(currency, minor)| Amount::new(minor, currency)).collect()
}

fn row_json(row: &Settled) -> Value {
    json!({
        "batch": row.trace.0,
        "trace": row.trace.1,
        "pan": row.pan.to_string(),
        "kind": row.kind.word(),
        "amount": amount(row.amount),
        "from": row.from.word(),
        "to": row.to.word(),
        "settled": row.to.is_final(),
        "why": row.why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::terminal::journal::{EntryKind, State};

    #[test]
    fn what_is_due_is_summed() {
        let row = |trace, minor, to| Settled {
            trace: (1, trace),
            pan: Pan::with_check_digit(&format!("62999900000000{}", trace / 2)).unwrap(),
            kind: EntryKind::Load,
            amount: Amount::new(minor, Currency::CNY),
            from: State::InDoubt,
            to,
            why: "the card is away".into(),
            unanswered: false,
        };
        let rows =
            vec![row(1, 5000, State::InDoubt), row(2, 100, State::InDoubt), row(3, 1, State::Confirmed)];
        let text = recovery_text(&Recovered { rows: rows.clone() });
        let cards: Vec<String> = rows.iter().map(|row| row.pan.to_string()).collect();
        let sums = format!("  {}: 50.00 CNY\n  {}: 1.00 CNY\n", cards[0], cards[1]);
        assert!(text.ends_with(&format!("still due: 51.00 CNY\n{sums}")), "{text}");
        let due = format!("due: load of 50.00 CNY, {}, trace 000001/000001: in doubt: the card", cards[0]);
        assert!(text.contains(&due), "{text}");
        assert!(text.contains(", trace 000001/000003: in doubt -> confirmed: "), "{text}");
        assert!(rows.iter().all(|row| !text.contains(row.pan.expose())), "{text}");
        let one = Recovered { rows: rows[..1].to_vec() };
        assert!(recovery_text(&one).ends_with("still due: 50.00 CNY\n"));
        assert_eq!(recovery_json(&one)["due_of_cards"][0]["due"][0]["minor"], 5_000);
        assert_eq!(recovery_text(&Recovered::default()), "");
    }
}
