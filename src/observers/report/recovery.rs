//! What was settled and what is still due.

use super::shared::values::amount;
use crate::roles::terminal::{Recovered, Settled};
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
    format!("{state}: {} of {}, trace {batch:06}/{trace:06}: {way}: {}", row.kind.word(), row.amount, row.why)
}

/// Every row that was open, and the sum of what is due; empty where nothing was open.
pub fn recovery_text(recovered: &Recovered) -> String {
    let mut text: String = recovered.rows.iter().map(|row| settled_line(row) + "\n").collect();
    let due = due(recovered);
    if !due.is_empty() {
        let sums: Vec<String> = due.iter().map(Amount::to_string).collect();
        text.push_str(&format!("still due: {}\n", sums.join(", ")));
    }
    text
}

/// The same as data.
pub fn recovery_json(recovered: &Recovered) -> Value {
    let rows: Vec<Value> = recovered.rows.iter().map(row_json).collect();
    let due: Vec<Value> = due(recovered).into_iter().map(amount).collect();
    json!({ "rows": rows, "due": due })
}

/// The sum of what is due in each currency.
fn due(recovered: &Recovered) -> Vec<Amount> {
    let mut sums: BTreeMap<Currency, u64> = BTreeMap::new();
    for row in recovered.due() {
        let sum = sums.entry(row.amount.currency).or_default();
        *sum = sum.saturating_add(row.amount.minor);
    }
    sums.into_iter().map(|(currency, minor)| Amount::new(minor, currency)).collect()
}

fn row_json(row: &Settled) -> Value {
    json!({
        "batch": row.trace.0,
        "trace": row.trace.1,
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
            kind: EntryKind::Load,
            amount: Amount::new(minor, Currency::CNY),
            from: State::InDoubt,
            to,
            why: "the card is away".into(),
            unanswered: false,
        };
        let rows =
            vec![row(1, 5000, State::InDoubt), row(2, 100, State::InDoubt), row(3, 1, State::Confirmed)];
        let text = recovery_text(&Recovered { rows });
        assert!(text.ends_with("still due: 51.00 CNY\n"), "{text}");
        assert!(text.contains("due: load of 50.00 CNY, trace 000001/000001: in doubt: the card is away\n"));
        assert!(text.contains("settled: load of 0.01 CNY, trace 000001/000003: in doubt -> confirmed: "));
        assert_eq!(recovery_text(&Recovered::default()), "");
    }
}
