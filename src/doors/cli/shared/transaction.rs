//! A load or a payment from the command line.

use super::command::Call;
use super::failure::{Exit, Failure};
use super::person::Person;
use super::scene::{Scene, Want};
use crate::air::link::Interface;
use crate::observers::report::{outcome_json, outcome_text, recovery_json, recovery_text};
use crate::roles::terminal::{Flow, Outcome, Recovered, Verdict};
use crate::words::iso4217::{Amount, Currency};
use crate::world::{DEFAULT_PIN, WorldError};
use clap::Arg;

/// The arguments of a load and of a payment.
pub(in crate::doors::cli) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("AMOUNT")
            .required(true)
            // So that -5 is refused by the rule for amounts, not as an unknown switch.
            .allow_negative_numbers(true)
            .help("Such as 50.00: above 0, no finer than the currency"),
    )
    .arg(
        Arg::new("currency")
            .long("currency")
            .value_name("CODE")
            .help("ISO 4217 number or letters, such as 344 or HKD; else the terminal's"),
    )
}

/// Runs it. What was open is settled first.
pub(in crate::doors::cli) fn run(call: &mut Call<'_>, flow: Flow) -> Result<Exit, Failure> {
    let amount = amount(call, call.switches.config()?.currency)?;
    let (command, interface) = match flow {
        Flow::Load => ("load", Interface::Contact),
        Flow::Pay => ("pay", Interface::Contactless),
    };
    let want = Want { command, interface, effect: call.effect, money: true };
    let mut scene = Scene::open(call, want)?;
    let mut person = scene.person();
    if flow == Flow::Load && matches!(person, Person::Away { .. }) {
        return Err(Person::away());
    }
    let result = scene.stage.transact(flow, amount, &mut person, &mut scene.context);
    let (recovered, outcome) = match result {
        Ok(done) => done,
        Err(cause) => return Err(broken_off(cause, &mut scene)),
    };
    if scene.pin.is_none() && person.entered_a_pin() {
        call.output.note(format!("The fresh card's PIN, {DEFAULT_PIN}, was entered for you."));
    }
    tell(call, &recovered, &outcome, scene.is_fresh());
    scene.recording.check()?;
    scene.stage.check(&mut scene.context)?;
    if matches!(person, Person::Away { wanted: true }) && !outcome.verdict.is_success() {
        return Err(Person::away());
    }
    Ok(match outcome.verdict {
        Verdict::LoadedUnconfirmed => Exit::RecoveryDue,
        verdict if verdict.is_success() => Exit::Done,
        _ => Exit::Declined,
    })
}

fn amount(call: &Call<'_>, default: Currency) -> Result<Amount, Failure> {
    let currency = match call.text("currency") {
        Some(text) => parse_currency(text)?,
        None => default,
    };
    Ok(Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency)?)
}

/// A currency as a person writes it.
pub(in crate::doors::cli) fn parse_currency(text: &str) -> Result<Currency, Failure> {
    Currency::parse(text).ok_or_else(|| {
        Failure::Usage(format!(
            "expected a currency by its ISO 4217 number (344) or letters (HKD), found {text:?}"
        ))
    })
}

fn tell(call: &mut Call<'_>, recovered: &Recovered, outcome: &Outcome, fresh: bool) {
    if !recovered.rows.is_empty() {
        call.output.say(&format!("Settled first:\n{}", recovery_text(recovered)));
        call.output.tell("settled_first", recovery_json(recovered));
    }
    call.output.say(&outcome_text(outcome, call.switches.unmask));
    if outcome.verdict == Verdict::ApprovedOffline {
        call.output.say(match fresh {
            true => "  Card, issuer and sale were in memory: they end here.\n",
            false => "  The sale waits for its upload: `cardwright upload`, or the next load or pay.\n",
        });
    }
    call.output.tell("outcome", outcome_json(outcome, call.switches.unmask));
}

/// The error of a transaction that broke off, with what the journal says is due.
fn broken_off(cause: WorldError, scene: &mut Scene) -> Failure {
    let rows = scene.stage.journal.open_rows().unwrap_or_default();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let sent = if row.sent { ", the card was told to change" } else { "" };
            format!("the journal holds: {} of {}, {}{sent}", row.kind.word(), row.amount, row.state)
        })
        .collect();
    match (lines.is_empty(), scene.is_fresh()) {
        (true, _) => return cause.into(),
        (false, true) => lines.push("the card was in memory: it ends here, with all of it".into()),
        (false, false) => lines.push(format!(
            "`cardwright recover --reader {}` settles it, and so does the next load or pay",
            scene.place
        )),
    }
    Failure::BrokenOff { cause: Box::new(cause), journal: lines.join("\n") }
}
