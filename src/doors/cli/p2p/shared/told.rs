//! A transfer as people and programs are told of it.

use crate::observers::report::Columns;
use crate::roles::p2p::transfer::{Transfer, TransferState, Way};
use serde_json::{Value, json};

/// A line of people's.
pub(in crate::doors::cli) fn row(columns: &mut Columns, transfer: &Transfer, unmask: bool) {
    let Transfer { id, way, state, other, amount, made, reason, .. } = transfer;
    let verb = if *way == Way::Pays { "pays" } else { "gets" };
    let side = if *way == Way::Pays { "to" } else { "from" };
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let short: String = id.to_string().chars().take(12).collect();
    let name = name(transfer, unmask);
    columns
        .row(&short, format!("{made}  {verb} {amount} {side} {name}, phone {other}: {}{why}", words(*state)));
}

/// As data.
pub(in crate::doors::cli) fn json(transfer: &Transfer, unmask: bool) -> Value {
    json!({
        "id": transfer.id.to_string(),
        "way": transfer.way.word(),
        "state": transfer.state.word(),
        "is_final": transfer.state.is_final(),
        "amount_minor": transfer.amount.minor,
        "currency": transfer.amount.currency.to_string(),
        "other": transfer.other.to_string(),
        "other_name": name(transfer, unmask),
        "made": transfer.made.to_string(),
        "reason": transfer.reason,
    })
}

/// What a state means to people.
pub(in crate::doors::cli) const fn words(state: TransferState) -> &'static str {
    match state {
        TransferState::Offered => "offered, not known to be agreed to",
        TransferState::Kept => "received, to be settled with the host",
        TransferState::Agreed => "agreed, not known to have arrived",
        TransferState::Acknowledged => "paid, to be settled with the host",
        TransferState::Booked => "booked",
        TransferState::Refused => "refused, nothing has moved",
    }
}

/// The name of a person shows when it is asked for.
fn name(transfer: &Transfer, unmask: bool) -> &str {
    if unmask { transfer.other_name.expose() } else { "***" }
}
