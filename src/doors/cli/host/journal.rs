//! `cardwright host journal`: what happened on a card, as the issuer's books have it.

use crate::doors::cli::shared::books;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::roles::issuer::HistoryRow;
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "journal",
    about: "Lists a card's transactions, refusals and flags, oldest first, with what was booked for each",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("card")
            .long("card")
            .value_name("PAN")
            .required(true)
            .help("The card's number, or its last digits, four or more; what is shown is masked"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let card = call.text("card").unwrap_or_default().to_owned();
    if !(4..=19).contains(&card.len()) || !card.bytes().all(|byte| byte.is_ascii_digit()) {
        // The number itself is not said again.
        return Err(Failure::Usage("expected 4 to 19 digits of a card's number after --card".into()));
    }
    let (mut issuer, mut context) = books::to_ask(call)?;
    let Some(rows) = issuer.history(&card, &mut context)? else {
        return Err(Failure::Usage("no card of these books has a number that ends so".into()));
    };
    if rows.is_empty() {
        call.output.say("Nothing has happened on this card.\n");
    }
    let mut listed = Vec::new();
    for row in &rows {
        let pan = if call.switches.unmask { row.pan.expose().to_owned() } else { row.pan.to_string() };
        call.output.say(&format!(
            "{}  {pan} ({:02})  ATC {:<5} {:<16} {:>14}  {:<8}  {}\n",
            row.at,
            row.psn,
            row.atc,
            row.what,
            row.amount.to_string(),
            row.state,
            told(row),
        ));
        listed.push(json!({
            "at": row.at.to_string(), "pan": pan, "psn": row.psn, "atc": row.atc, "what": row.what,
            "amount_minor": row.amount.minor, "currency": row.amount.currency.to_string(),
            "state": row.state, "merchant": row.merchant, "reason": row.reason, "entries": row.entries,
        }));
    }
    call.output.tell("journal", json!(listed));
    Ok(Exit::Done)
}

/// Why it was declined or flagged, else what was booked.
fn told(row: &HistoryRow) -> String {
    row.reason.clone().unwrap_or_else(|| row.entries.join(", "))
}
