//! `cardwright world run`: random worlds, each from a seed.

use super::seeds::{Failed, Pace, arguments as seed_arguments, conclude, counts, settings};
use super::without::{without, without_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::jobs::{patience, queue, submit_arguments};
use crate::observers::campaign::{Waiting, submit_seeds};
use crate::world::Rule;
use crate::world::seeds::{Flaws, Plant, SeedReport, seeds};
use serde_json::{Value, json};

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "run",
    about: "Plays random worlds, each twice, and makes a failing one small; --seed names the first",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    seed_arguments(line, Plant::ALL.iter().map(|plant| plant.word()))
        .arg(without_argument(Rule::all().map(Rule::word)))
        .args(submit_arguments())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let plant = call.text("plant").and_then(Plant::from_word);
    let settings = settings(call, Flaws { without: without(call, Rule::from_word)?, plant });
    let mut pace = Pace::new();
    let mut show = |done: u64, all: u64, failed: usize| pace.show(done, all, failed);
    let mut taken_up = Vec::new();
    let report = match queue(call)? {
        None => seeds(&settings, &mut show)?,
        Some(mut queue) => {
            submit_seeds(&mut queue, &settings, &patience(call), &mut |waiting| match waiting {
                Waiting::Seeds(done, all, failed) => show(done, all, failed),
                Waiting::TakenUp(loss) => taken_up.push(loss.to_owned()),
                Waiting::Case(_) | Waiting::Jobs(_) => {}
            })
            .map_err(Failure::suite)?
        }
    };
    let at_once = match call.text("jobs") {
        None => format!("{} at once", settings.jobs),
        Some(_) => "by agents".into(),
    };
    pace.end(call, &report.to_string(), report.seeds, &at_once);
    taken_up.iter().for_each(|loss| call.output.note(format!("taken up by another agent: {loss}")));
    tell(call, &report);
    let failed: Vec<_> = report.failed.iter().map(|failed| Failed::of(failed, failed.command())).collect();
    conclude(call, &settings, &failed, &report.gaps())
}

fn tell(call: &mut Call<'_>, report: &SeedReport) {
    let transitions: Vec<Value> = report
        .transitions()
        .iter()
        .map(|((from, to), count)| match count {
            Ok(count) => json!({ "from": from.word(), "to": to.word(), "rows": count }),
            Err(reason) => json!({ "from": from.word(), "to": to.word(), "unreachable": reason }),
        })
        .collect();
    let outcomes: Vec<Value> = report
        .outcomes()
        .iter()
        .map(
            |(action, verdict, count)| json!({ "action": action, "outcome": verdict.word(), "count": count }),
        )
        .collect();
    call.output.tell("seeds", json!(report.seeds));
    call.output.tell("actions", counts(report.actions()));
    call.output.tell("outcomes", json!(outcomes));
    call.output.tell("faults", counts(report.faults()));
    call.output.tell("transitions", json!(transitions));
    call.output.tell("away", json!(report.away));
    call.output.tell("unproven", json!(report.unproven));
    call.output.tell("certificates_lost", json!(report.certificates_lost));
    call.output.tell("digest", json!(format!("{:016x}", report.digest)));
}
