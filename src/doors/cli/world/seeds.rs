//! What the commands that play random worlds share: which worlds, how far they have come, and how
//! it is told that one failed.

use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::world::seeds::{FailedSeed, SeedSettings, Selection};
use clap::builder::PossibleValuesParser;
use clap::{Arg, value_parser};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// From so many seeds on, what never came is a gap.
const ENOUGH: u64 = 10_000;
/// How many are played where nobody says.
const COUNT: u64 = 1000;

/// The arguments, with the names of the bugs that can be planted.
pub(super) fn arguments(line: clap::Command, plants: impl Iterator<Item = &'static str>) -> clap::Command {
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
    .arg(
        Arg::new("plant")
            .long("plant")
            .value_name("BUG")
            .value_parser(PossibleValuesParser::new(plants))
            .help("Plants a bug, to see that it is found"),
    )
    .arg(threads_argument(1, "How many are played at once; else one for each processor"))
}

/// The worlds that are named.
pub(super) fn settings<F: Default>(call: &Call<'_>, flaws: F) -> SeedSettings<F> {
    let named = call.switches.seed;
    let count = call.arguments.get_one::<u64>("seeds").copied();
    let numbers = |name: &str| call.arguments.get_many::<usize>(name).map(|all| all.copied().collect());
    let steps: Option<BTreeSet<usize>> = numbers("steps");
    SeedSettings {
        first: named.unwrap_or(1),
        count: count.unwrap_or(if named.is_some() { 1 } else { COUNT }),
        jobs: threads(call),
        selection: Selection { steps, dropped: numbers("drop").unwrap_or_default() },
        flaws,
        ..SeedSettings::default()
    }
}

/// The line that says how far it has come, and how fast.
pub(super) struct Pace {
    clock: Context,
    begin: i64,
    progress: Progress,
}

impl Pace {
    /// Begins now.
    pub(super) fn new() -> Self {
        let clock = Context::system(Discard);
        Self { begin: clock.now().micros(), clock, progress: Progress::new("seeds") }
    }

    /// So many are done, of so many, and so many failed.
    pub(super) fn show(&mut self, done: u64, all: u64, failed: usize) {
        let rate = done as f64 / self.seconds();
        let left = (all - done) as f64 / rate;
        let remark = format!(", {rate:.0}/s, {left:.0} s left, {failed} wrong");
        self.progress.show(done as usize, all as usize, &remark);
    }

    /// Ends the line, and tells how long so many took; `at_once` says how.
    pub(super) fn end(self, call: &mut Call<'_>, report: &str, done: u64, at_once: &str) {
        let seconds = self.seconds();
        drop(self.progress);
        let rate = done as f64 / seconds;
        call.output.say(&format!("{report}\n{seconds:.1} s, {rate:.0} seeds a second, {at_once}\n"));
        call.output.tell("seconds", json!(seconds));
        call.output.tell("seeds_per_second", json!(rate));
    }

    fn seconds(&self) -> f64 {
        ((self.clock.now().micros() - self.begin).max(1)) as f64 / 1e6
    }
}

/// How often each thing came.
pub(super) fn counts(rows: Vec<(&'static str, u64)>) -> Value {
    rows.into_iter().map(|(kind, count)| json!({ "kind": kind, "count": count })).collect()
}

/// A world that failed: what is wrong, its plan, and the command that plays it again.
pub(super) struct Failed {
    seed: u64,
    violation: String,
    plan: String,
    again: String,
}

impl Failed {
    /// Of a seed, with the command that plays it again.
    pub(super) fn of<P: fmt::Display, F>(failed: &FailedSeed<P, F>, again: String) -> Self {
        let (violation, plan) = (failed.violation.clone(), failed.plan.to_string());
        Self { seed: failed.seed, violation, plan, again }
    }
}

/// Tells of the worlds that failed, and ends the command: a world that failed, or what never came in
/// so many whole ones, breaks an invariant.
pub(super) fn conclude<F>(
    call: &mut Call<'_>,
    settings: &SeedSettings<F>,
    failed: &[Failed],
    gaps: &[String],
) -> Result<Exit, Failure> {
    let value = |failed: &Failed| {
        let Failed { seed, violation, plan, again } = failed;
        json!({
            "seed": seed,
            "violation": violation,
            "plan": plan.lines().collect::<Vec<_>>(),
            "again": again,
        })
    };
    call.output.tell("gaps", json!(gaps));
    call.output.tell("failed", failed.iter().map(value).collect());
    if let Some(failed) = failed.first() {
        return Err(Failure::Invariant(format!("{}; again: {}", failed.violation, failed.again)));
    }
    let is_whole = settings.selection == Selection::default() && settings.count >= ENOUGH;
    match gaps.first().filter(|_| is_whole) {
        Some(gap) => Err(Failure::Invariant(format!("{} worlds have a gap: {gap}", settings.count))),
        None => Ok(Exit::Done),
    }
}
