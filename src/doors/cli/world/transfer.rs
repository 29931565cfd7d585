//! `cardwright world transfer`: random worlds of phones that touch, each from a seed.

use super::without::{without, without_argument};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::world::transfer::seeds::{Rule, SeedReport, SeedSettings, seeds};
use clap::{Arg, value_parser};
use serde_json::json;

/// From so many seeds on, a kind of fault that never came is a gap.
const ENOUGH: u64 = 10_000;

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "transfer",
    about: "Plays random worlds of phones that touch, each twice; --seed names the first",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("seeds")
            .long("seeds")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("How many worlds; else 1000, or the one of --seed"),
    )
    .arg(without_argument(Rule::all().map(Rule::word)))
    .arg(threads_argument(1, "How many are played at once; else one for each processor"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let named = call.switches.seed;
    let count = call.arguments.get_one::<u64>("seeds").copied();
    let settings = SeedSettings {
        first: named.unwrap_or(1),
        count: count.unwrap_or(if named.is_some() { 1 } else { 1000 }),
        jobs: threads(call),
        without: without(call, Rule::from_word)?,
        ..SeedSettings::default()
    };
    let clock = Context::system(Discard);
    let begin = clock.now().micros();
    let seconds = || ((clock.now().micros() - begin).max(1)) as f64 / 1e6;
    let mut progress = Progress::new("seeds");
    let report = seeds(&settings, &mut |done, all, failed| {
        let rate = done as f64 / seconds();
        let left = (all - done) as f64 / rate;
        let remark = format!(", {rate:.0}/s, {left:.0} s left, {failed} wrong");
        progress.show(done as usize, all as usize, &remark);
    })?;
    drop(progress);
    let (took, rate) = (seconds(), report.seeds as f64 / seconds());
    call.output.say(&format!("{report}\n{took:.1} s, {rate:.0} seeds a second, {} at once\n", settings.jobs));
    tell(call, &report, took);
    if let Some(failed) = report.failed.first() {
        return Err(Failure::Invariant(format!("{}; again: {}", failed.violation, failed.command())));
    }
    let never = report.faults().into_iter().find(|(_, count)| *count == 0);
    match never.filter(|_| settings.count >= ENOUGH) {
        Some((word, _)) => {
            Err(Failure::Invariant(format!("{} worlds have a gap: {word} never came", report.seeds)))
        }
        None => Ok(Exit::Done),
    }
}

fn tell(call: &mut Call<'_>, report: &SeedReport, seconds: f64) {
    let faults: Vec<_> =
        report.faults().into_iter().map(|(kind, count)| json!({ "kind": kind, "count": count })).collect();
    let failed: Vec<_> = report
        .failed
        .iter()
        .map(|failed| {
            json!({
                "seed": failed.seed,
                "violation": failed.violation,
                "plan": failed.plan.to_string().lines().collect::<Vec<_>>(),
                "again": failed.command(),
            })
        })
        .collect();
    call.output.tell("seeds", json!(report.seeds));
    call.output.tell("touches", json!(report.touches));
    call.output.tell("booked", json!(report.booked));
    call.output.tell("refused", json!(report.refused));
    call.output.tell("faults", json!(faults));
    call.output.tell("digest", json!(format!("{:016x}", report.digest)));
    call.output.tell("seconds", json!(seconds));
    call.output.tell("failed", json!(failed));
}
