//! `cardwright world tear`: everything that can go wrong in one transaction, once each.

use super::without::{without, without_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::world::tear::{TearKind, TearReport, TearRow, TearSettings, tear};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, value_parser};
use serde_json::{Value, json};

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "tear",
    about: "Pulls the card, cuts off the host and stops the terminal at every point of a transaction",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("TRANSACTION")
            .value_parser(PossibleValuesParser::new(TearKind::NAMED.iter().map(|row| row.0)))
            .default_value("all")
            .help("Which transaction"),
    )
    .arg(
        Arg::new("messages")
            .long("messages")
            .action(ArgAction::SetTrue)
            .help("Pulls the card between messages alone, instead of at every byte of them: quicker"),
    )
    .arg(
        Arg::new("every")
            .long("every")
            .value_name("N")
            .conflicts_with("messages")
            .value_parser(value_parser!(u32).range(1..))
            .help("Only each Nth byte within a message, and all their ends"),
    )
    .arg(without_argument())
    .arg(threads_argument(1, "How many are played at once; else one for each processor"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let name = call.text("TRANSACTION").unwrap_or("all");
    let kinds = TearKind::NAMED.iter().find(|row| row.0 == name).map(|row| row.1).unwrap_or_default();
    let every = call.arguments.get_one::<u32>("every").map_or(1, |every| *every as usize);
    let settings = TearSettings {
        kinds: kinds.to_vec(),
        without: without(call)?,
        bytes: (!call.flag("messages")).then_some(every),
        every: 1,
        seed: call.switches.seed.unwrap_or(1),
        jobs: threads(call),
        until_violation: false,
    };
    let mut progress = Progress::new("cases");
    let report = tear(&settings, &mut |done, all| progress.show(done, all, ""))?;
    drop(progress);
    call.output.say(&format!("{report}\n"));
    tell(call, &report);
    let (wrong, gaps) = (report.violations().count(), report.gaps());
    if wrong > 0 {
        return Err(Failure::Invariant(format!("{wrong} of {} cases went wrong", report.rows.len())));
    }
    match gaps.first() {
        Some(gap) => Err(Failure::Invariant(format!("the matrix has a gap: {gap}"))),
        None => Ok(Exit::Done),
    }
}

fn tell(call: &mut Call<'_>, report: &TearReport) {
    let faults: Vec<Value> =
        report.faults().iter().map(|(kind, count)| json!({ "kind": kind, "cases": count })).collect();
    let transitions: Vec<Value> = report
        .transitions()
        .iter()
        .map(|((from, to), count)| match count {
            Ok(count) => json!({ "from": from.word(), "to": to.word(), "rows": count }),
            Err(reason) => json!({ "from": from.word(), "to": to.word(), "unreachable": reason }),
        })
        .collect();
    call.output.tell("cases", json!(report.rows.iter().map(row_json).collect::<Vec<_>>()));
    call.output.tell("faults", json!(faults));
    call.output.tell("transitions", json!(transitions));
    call.output.tell("gaps", json!(report.gaps()));
    call.output.tell("wrong", json!(report.violations().count()));
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
