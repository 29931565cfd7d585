//! `cardwright host status`: how much there is of everything, where the money is, what
//! is due and flagged, and how the terminals' batches stand.

use crate::doors::cli::shared::books;
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{Columns, batches_json, batches_text};
use crate::roles::issuer::LoadKind;
use crate::words::iso4217::{Amount, Currency};
use serde_json::json;

/// Batches that are shown, open ones and settled ones.
const BATCHES: u32 = 20;
const LENT: &str = "lent by overdraft limits";

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "status",
    about: "Says how much is in the books, where the money is, what is due or flagged, and how batches stand",
    effect: None,
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut issuer, mut context) = books::to_ask(call)?;
    let counts = issuer.counts(&mut context)?;
    let books = issuer.books(&mut context)?;
    let open = issuer.open_loads(&mut context)?;
    let mut columns = Columns::indented(0);
    for (what, number) in &counts.rows {
        columns.row(*what, number);
    }
    call.output.tell(
        "counts",
        counts.rows.iter().map(|(what, number)| (what.replace(' ', "_"), json!(number))).collect(),
    );
    let mut money = Vec::new();
    for sums in &books.0 {
        let parts = [
            ("accounts", sums.accounts_minor),
            ("cards, by the ledger", sums.shadows_minor),
            ("in flight", sums.in_flight_minor),
            ("merchants", sums.merchants_minor),
            (LENT, sums.credit_minor),
            ("sum", sums.total_minor()),
        ];
        columns.row(format!("in {}", sums.currency), "");
        for (name, minor) in parts.into_iter().filter(|(name, minor)| *name != LENT || *minor != 0) {
            columns.row(format!("  {name}"), format!("{:>18}", shown(minor, sums.currency)));
        }
        money.push(json!({
            "currency": sums.currency.to_string(),
            "accounts_minor": sums.accounts_minor,
            "shadows_minor": sums.shadows_minor,
            "in_flight_minor": sums.in_flight_minor,
            "merchants_minor": sums.merchants_minor,
            "credit_minor": sums.credit_minor,
            "sum_minor": sums.total_minor(),
        }));
    }
    call.output.say(&columns.to_string());
    call.output.tell("money", json!(money));
    let mut due = Vec::new();
    for load in &open {
        let (merchant, terminal, batch, trace) = &load.request;
        let pan = load.pan.to_string();
        call.output.say(&format!(
            "due: {} of {} {} {pan}, ATC {}, since {}, terminal {terminal}, trace {batch:06}/{trace:06}\n",
            what(load.kind),
            load.amount,
            if load.kind.lowers_card() { "off" } else { "to" },
            load.atc,
            load.opened_at
        ));
        due.push(json!({
            "kind": load.kind.word(), "pan": pan, "atc": load.atc, "amount_minor": load.amount.minor,
            "currency": load.amount.currency.to_string(), "opened_at": load.opened_at.to_string(),
            "merchant": merchant, "terminal": terminal, "batch": batch, "trace": trace,
        }));
    }
    call.output.tell("due", json!(due));
    let mut flags = Vec::new();
    for flag in issuer.flags(&mut context)? {
        let (pan, (first, last)) = (flag.pan.to_string(), flag.atcs);
        let counters = if first == last { format!("ATC {first}") } else { format!("ATC {first} to {last}") };
        let what = flag.kind.word();
        call.output.say(&format!("flag: {what} of {pan}, {counters}, {}, since {}\n", flag.amount, flag.at));
        flags.push(json!({
            "kind": what, "pan": pan, "psn": flag.psn, "first_atc": first, "last_atc": last,
            "amount_minor": flag.amount.minor, "currency": flag.amount.currency.to_string(),
            "since": flag.at.to_string(),
        }));
    }
    call.output.tell("flags", json!(flags));
    let batches = issuer.batches(BATCHES, &mut context)?;
    call.output.say(&batches_text(&batches));
    call.output.tell("batches", batches_json(&batches));
    Ok(Exit::Done)
}

/// What is due, in the words of the command that began it.
const fn what(kind: LoadKind) -> &'static str {
    match kind {
        LoadKind::Linked => "load",
        LoadKind::NonLinked => "load that another card pays",
        LoadKind::Cash => "cash load",
        LoadKind::Pending => "load from pending",
        LoadKind::CashVoid => "void of a cash load",
        LoadKind::Unload => "unload",
        LoadKind::OverdraftRaise => "raise of an overdraft limit",
        LoadKind::OverdraftCut => "cut of an overdraft limit",
    }
}

fn shown(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", Amount::new(minor.unsigned_abs(), currency))
}
