//! `cardwright world run`: random worlds, each from a seed.

use super::without::{without, without_argument};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::jobs::{patience, queue, submit_arguments};
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::observers::campaign::{Waiting, submit_seeds};
use crate::world::Rule;
use crate::world::seeds::{FailedSeed, Flaws, Plant, SeedReport, SeedSettings, Selection, seeds};
use clap::builder::PossibleValuesParser;
use clap::{Arg, value_parser};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// From so many seeds on, a kind of fault or a way of the journal that never came is a gap.
const ENOUGH: u64 = 10_000;

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "run",
    about: "Plays random worlds, each twice, and makes a failing one small; --seed names the first",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let list = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("LIST").value_parser(value_parser!(usize)).help(help)
    };
    line.arg(
        Arg::new("seeds")
            .long("seeds")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("How many worlds; else 1000, or the one of --seed"),
    )
    .arg(list("steps", "Only these steps of the plan, as 0,2,3").value_delimiter(',').num_args(0..))
    .arg(list("drop", "Without these faults of the plan, as 1,4").value_delimiter(','))
    .arg(without_argument(Rule::all().map(Rule::word)))
    .arg(
        Arg::new("plant")
            .long("plant")
            .value_name("BUG")
            .value_parser(PossibleValuesParser::new(Plant::ALL.iter().map(|plant| plant.word())))
            .help("Plants a bug, to see that it is found"),
    )
    .arg(threads_argument(1, "How many are played at once; else one for each processor"))
    .args(submit_arguments())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let named = call.switches.seed;
    let count = call.arguments.get_one::<u64>("seeds").copied();
    let numbers = |name: &str| call.arguments.get_many::<usize>(name).map(|all| all.copied().collect());
    let steps: Option<BTreeSet<usize>> = numbers("steps");
    let settings = SeedSettings {
        first: named.unwrap_or(1),
        count: count.unwrap_or(if named.is_some() { 1 } else { 1000 }),
        jobs: threads(call),
        selection: Selection { steps, dropped: numbers("drop").unwrap_or_default() },
        flaws: Flaws {
            without: without(call, Rule::from_word)?,
            plant: call.text("plant").and_then(Plant::from_word),
        },
        ..SeedSettings::default()
    };
    let clock = Context::system(Discard);
    let seconds = |begin: i64| ((clock.now().micros() - begin).max(1)) as f64 / 1e6;
    let begin = clock.now().micros();
    let mut progress = Progress::new("seeds");
    let mut show = |done: u64, all: u64, failed: usize| {
        let rate = done as f64 / seconds(begin);
        let left = (all - done) as f64 / rate;
        progress.show(
            done as usize,
            all as usize,
            &format!(", {rate:.0}/s, {left:.0} s left, {failed} wrong"),
        );
    };
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
    drop(progress);
    taken_up.iter().for_each(|loss| call.output.note(format!("taken up by another agent: {loss}")));
    let (took, rate) = (seconds(begin), report.seeds as f64 / seconds(begin));
    call.output.say(&format!("{report}\n"));
    let at_once = match call.text("jobs") {
        None => format!("{} at once", settings.jobs),
        Some(_) => "by agents".into(),
    };
    call.output.say(&format!("{took:.1} s, {rate:.0} seeds a second, {at_once}\n"));
    tell(call, &report, took, rate);
    if let Some(failed) = report.failed.first() {
        return Err(Failure::Invariant(format!("{}; again: {}", failed.violation, failed.command())));
    }
    match gap(&settings, &report) {
        Some(gap) => Err(Failure::Invariant(gap)),
        None => Ok(Exit::Done),
    }
}

/// What never came in so many worlds: then they prove less than they say.
fn gap(settings: &SeedSettings, report: &SeedReport) -> Option<String> {
    let is_whole = settings.selection == Selection::default() && settings.count >= ENOUGH;
    let gap = report.gaps().into_iter().next().filter(|_| is_whole);
    gap.map(|gap| format!("{} worlds have a gap: {gap}", report.seeds))
}

fn tell(call: &mut Call<'_>, report: &SeedReport, seconds: f64, rate: f64) {
    let counts = |rows: &mut dyn Iterator<Item = (&'static str, u64)>| {
        rows.map(|(kind, count)| json!({ "kind": kind, "count": count })).collect::<Vec<Value>>()
    };
    let transitions: Vec<Value> = report
        .transitions()
        .iter()
        .map(|((from, to), count)| match count {
            Ok(count) => json!({ "from": from.word(), "to": to.word(), "rows": count }),
            Err(reason) => json!({ "from": from.word(), "to": to.word(), "unreachable": reason }),
        })
        .collect();
    let actions = counts(&mut report.actions().into_iter());
    let outcomes: Vec<Value> = report
        .outcomes()
        .iter()
        .map(
            |(action, verdict, count)| json!({ "action": action, "outcome": verdict.word(), "count": count }),
        )
        .collect();
    call.output.tell("seeds", json!(report.seeds));
    call.output.tell("actions", json!(actions));
    call.output.tell("outcomes", json!(outcomes));
    call.output.tell("faults", json!(counts(&mut report.faults().into_iter())));
    call.output.tell("transitions", json!(transitions));
    call.output.tell("gaps", json!(report.gaps()));
    call.output.tell("away", json!(report.away));
    call.output.tell("unproven", json!(report.unproven));
    call.output.tell("certificates_lost", json!(report.certificates_lost));
    call.output.tell("digest", json!(format!("{:016x}", report.digest)));
    call.output.tell("seconds", json!(seconds));
    call.output.tell("seeds_per_second", json!(rate));
    call.output.tell("failed", json!(report.failed.iter().map(failed_json).collect::<Vec<_>>()));
}

fn failed_json(failed: &FailedSeed) -> Value {
    json!({
        "seed": failed.seed,
        "violation": failed.violation,
        "plan": failed.plan.to_string().lines().collect::<Vec<_>>(),
        "again": failed.command(),
    })
}
