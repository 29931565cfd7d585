//! What a reconciliation found: a line a transaction, and the totals. Rows hold no
//! account and no name.

use crate::roles::issuer::reconciliation::{Outcome, ReconciledRow, Totals};
use crate::words::iso4217::{Amount, Currency};
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "reconciliation";

/// The heads of the columns, as comma-separated values.
pub const RECONCILIATION_HEADER: &str =
    "date,trace,channel,kind,outcome,ours_minor,theirs_minor,currency,next_day,line,correction";

/// What became of a transaction, in words.
pub const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Matched => "matched",
        Outcome::AmountDiffers => "amount differs",
        Outcome::PartyDiffers { account: true, name: true } => "account and name differ",
        Outcome::PartyDiffers { account: true, .. } => "account differs",
        Outcome::PartyDiffers { .. } => "name differs",
        Outcome::OursOnly => "ours only",
        Outcome::TheirsOnly => "theirs only",
        Outcome::Due => "due on the next statement",
    }
}

/// One line of the table.
pub fn reconciled_line(row: &ReconciledRow) -> String {
    let show = |minor: Option<u64>| {
        minor.map_or("-".to_owned(), |minor| Amount::new(minor, Currency(row.currency)).to_string())
    };
    let mut notes = Vec::new();
    if row.refund {
        notes.push("refund".to_owned());
    }
    if row.next_day {
        notes.push("a day later".to_owned());
    }
    if let Some(line) = row.line {
        notes.push(format!("line {line}"));
    }
    notes.extend(row.correction.map(str::to_owned));
    let text = format!(
        "{:08}  {:06}  {:<8}  {:<25}  {:>16}  {:>16}  {}",
        row.key.date,
        row.key.trace,
        row.key.channel,
        outcome_word(row.outcome),
        show(row.ours_minor),
        show(row.theirs_minor),
        notes.join(", ")
    );
    text.trim_end().to_owned()
}

/// One line of comma-separated values.
pub fn reconciled_csv(row: &ReconciledRow) -> String {
    let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    [
        format!("{:08}", row.key.date),
        row.key.trace.to_string(),
        quoted(&row.key.channel),
        if row.refund { "refund".into() } else { "charge".into() },
        quoted(outcome_word(row.outcome)),
        number(row.ours_minor),
        number(row.theirs_minor),
        format!("{:03}", row.currency),
        u8::from(row.next_day).to_string(),
        number(row.line),
        quoted(row.correction.unwrap_or_default()),
    ]
    .join(",")
}

/// A row as data.
pub fn reconciled_json(row: &ReconciledRow) -> Value {
    json!({
        "date": row.key.date,
        "trace": row.key.trace,
        "channel": row.key.channel,
        "refund": row.refund,
        "outcome": outcome_word(row.outcome),
        "ours_minor": row.ours_minor,
        "theirs_minor": row.theirs_minor,
        "currency": row.currency,
        "next_day": row.next_day,
        "line": row.line,
        "correction": row.correction,
    })
}

/// The totals for people.
pub fn totals_text(totals: &Totals) -> String {
    format!(
        "{} matched, {} amount differs, {} account or name differs, {} ours only, {} theirs only, {} due, \
         {} a day later, {} unreadable lines",
        totals.matched,
        totals.amount_differs,
        totals.party_differs,
        totals.ours_only,
        totals.theirs_only,
        totals.due,
        totals.next_day,
        totals.bad_lines
    )
}

/// The totals as data.
pub fn totals_json(totals: &Totals) -> Value {
    json!({
        "matched": totals.matched,
        "amount_differs": totals.amount_differs,
        "party_differs": totals.party_differs,
        "ours_only": totals.ours_only,
        "theirs_only": totals.theirs_only,
        "due": totals.due,
        "next_day": totals.next_day,
        "bad_lines": totals.bad_lines,
    })
}
