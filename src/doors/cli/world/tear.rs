//! `cardwright world tear`: everything that can go wrong in one transaction, once each.

use super::without::{without, without_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::world::Rule;
use crate::world::tear::{TearKind, TearReport, TearRow, TearSettings, tear};
use crate::world::transfer::seeds::{Flaws, Rule as TransferRule};
use crate::world::transfer::tear::{TouchReport, TouchRow, TouchSettings, tear as tear_transfer};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, value_parser};
use serde_json::{Value, json};

/// The transaction of two phones.
const TRANSFER: &str = "transfer";

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "tear",
    about: "Pulls the card or parts two phones, cuts off the host and stops the terminal at every point",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("TRANSACTION")
            .value_parser(PossibleValuesParser::new(
                TearKind::NAMED.iter().map(|row| row.0).chain([TRANSFER]),
            ))
            .default_value("all")
            .help("Which transaction: all is every one with a card; transfer, of two phones that touch, is by itself"),
    )
    .arg(
        Arg::new("messages")
            .long("messages")
            .action(ArgAction::SetTrue)
            .help("Pulls the card, or parts the phones, between messages alone, instead of at every byte: quicker"),
    )
    .arg(
        Arg::new("every")
            .long("every")
            .value_name("N")
            .conflicts_with("messages")
            .value_parser(value_parser!(u32).range(1..))
            .help("Only each Nth byte within a message, and all their ends"),
    )
    .arg(without_argument(Rule::all().map(Rule::word).chain(TransferRule::all().map(TransferRule::word))))
    .arg(threads_argument(1, "How many are played at once; else one for each processor"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let every = call.arguments.get_one::<u32>("every").map_or(1, |every| *every as usize);
    let bytes = (!call.flag("messages")).then_some(every);
    let (seed, jobs) = (call.switches.seed.unwrap_or(1), threads(call));
    let mut progress = Progress::new("cases");
    let mut show = |done, all| progress.show(done, all, "");
    let (cases, wrong, gaps) = match call.text("TRANSACTION").unwrap_or("all") {
        TRANSFER => {
            let flaws = Flaws { without: without(call, TransferRule::from_word)?, plant: None };
            let settings = TouchSettings { flaws, bytes, seed, jobs, ..TouchSettings::default() };
            let report = tear_transfer(&settings, &mut show)?;
            drop(progress);
            call.output.say(&format!("{report}\n"));
            tell_touches(call, &report);
            (report.rows.len(), report.violations().count(), report.gaps())
        }
        name => {
            let row = TearKind::NAMED.iter().find(|row| row.0 == name);
            let kinds = row.map(|row| row.1).unwrap_or_default().to_vec();
            let without = without(call, Rule::from_word)?;
            let settings = TearSettings { kinds, without, bytes, seed, jobs, ..TearSettings::default() };
            let report = tear(&settings, &mut show)?;
            drop(progress);
            call.output.say(&format!("{report}\n"));
            tell(call, &report);
            (report.rows.len(), report.violations().count(), report.gaps())
        }
    };
    call.output.tell("gaps", json!(gaps));
    call.output.tell("wrong", json!(wrong));
    if wrong > 0 {
        return Err(Failure::Invariant(format!("{wrong} of {cases} cases went wrong")));
    }
    match gaps.first() {
        Some(gap) => Err(Failure::Invariant(format!("the matrix has a gap: {gap}"))),
        None => Ok(Exit::Done),
    }
}

fn tell(call: &mut Call<'_>, report: &TearReport) {
    let transitions: Vec<Value> = report
        .transitions()
        .iter()
        .map(|((from, to), count)| match count {
            Ok(count) => json!({ "from": from.word(), "to": to.word(), "rows": count }),
            Err(reason) => json!({ "from": from.word(), "to": to.word(), "unreachable": reason }),
        })
        .collect();
    call.output.tell("cases", json!(report.rows.iter().map(row_json).collect::<Vec<_>>()));
    call.output.tell("faults", faults_json(report.faults()));
    call.output.tell("transitions", json!(transitions));
}

fn tell_touches(call: &mut Call<'_>, report: &TouchReport) {
    call.output.tell("cases", json!(report.rows.iter().map(touch_json).collect::<Vec<_>>()));
    call.output.tell("faults", faults_json(report.faults()));
}

fn faults_json(faults: Vec<(&'static str, usize)>) -> Value {
    faults.into_iter().map(|(kind, count)| json!({ "kind": kind, "cases": count })).collect()
}

fn row_json(row: &TearRow) -> Value {
    let case = row.case;
    json!({
        "transaction": case.kind.to_string(),
        "card": case.card.word(),
        "fault": case.fault.to_string(),
        "fault_kind": case.fault.word(),
        "afterwards": case.afterwards.word(),
        "broke": row.broke,
        "torn": row.torn.map(|state| state.word()),
        "last": row.last.map(|state| state.word()),
        "recovery": row.way,
        "violation": row.violation,
    })
}

fn touch_json(row: &TouchRow) -> Value {
    let case = row.case;
    let [payer, payee] = row.left_words();
    json!({
        "touch": case.kind.word(),
        "fault": case.fault.to_string(),
        "fault_kind": case.fault.word(),
        "afterwards": case.afterwards.word(),
        "torn": { "payer": payer, "payee": payee },
        "booked": row.booked,
        "refused": row.refused,
        "violation": row.violation,
    })
}
