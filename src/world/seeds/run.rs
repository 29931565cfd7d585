//! Plays many seeds, each twice, and makes those that fail smaller.

use super::plan::{Plan, Selection};
use super::play::{Flaws, Played, play};
use super::report::{FailedSeed, SeedReport};
use super::shelf::Shelf;
use super::shrink::{Parts, shrink};
use crate::world::error::WorldError;
use crate::world::parallel::in_parallel;
use std::ops::ControlFlow;

/// Which worlds are played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedSettings<F = Flaws> {
    /// The first seed.
    pub first: u64,
    /// How many seeds.
    pub count: u64,
    /// How many are played at once.
    pub jobs: usize,
    /// The part of each plan that is played.
    pub selection: Selection,
    /// What is wrong on purpose.
    pub flaws: F,
    /// Whether each is played twice and compared; else once.
    pub twice: bool,
    /// Ends at so many failing seeds; they are made smaller one by one.
    pub most_failures: usize,
}

impl<F: Default> Default for SeedSettings<F> {
    fn default() -> Self {
        Self {
            first: 1,
            count: 1000,
            jobs: 1,
            selection: Selection::default(),
            flaws: F::default(),
            twice: true,
            most_failures: 3,
        }
    }
}

/// A kind of random world, with what is wrong in it on purpose.
pub(in crate::world) trait Flawed: Copy + Sync {
    /// What is to happen in one.
    type Plan: Parts;
    /// What came of a play.
    type Played: Traced + PartialEq + Send;

    /// The plan of a seed.
    fn plan(seed: u64) -> Self::Plan;

    /// Plays a plan once.
    fn play(self, plan: &Self::Plan, shelf: &mut Shelf) -> Result<Self::Played, WorldError>;
}

/// What every play leaves.
pub(in crate::world) trait Traced {
    /// Everything that happened, and how it ended, as one number.
    fn digest(&self) -> u64;

    /// What is wrong, if anything.
    fn violation(&mut self) -> &mut Option<String>;
}

/// Plays the seeds. `progress` is told how many are done, of how many, and how many failed.
pub fn seeds(
    settings: &SeedSettings,
    progress: &mut dyn FnMut(u64, u64, usize),
) -> Result<SeedReport, WorldError> {
    let mut report = SeedReport::default();
    report.failed = play_seeds(settings, |seed, played| report.take(seed, played), progress)?;
    Ok(report)
}

/// Plays the seeds of a kind of world. `take` gets what came of each; the seeds that failed come
/// back, made smaller.
pub(in crate::world) fn play_seeds<F: Flawed>(
    settings: &SeedSettings<F>,
    mut take: impl FnMut(u64, &F::Played),
    progress: &mut dyn FnMut(u64, u64, usize),
) -> Result<Vec<FailedSeed<F::Plan, F>>, WorldError> {
    let each = |index: usize, shelf: &mut Shelf| {
        let seed = settings.first.wrapping_add(index as u64);
        if index as u64 >= settings.count {
            return None;
        }
        let plan = F::plan(seed).part(&settings.selection);
        Some(play_through(&plan, settings, shelf).map(|played| (seed, played)))
    };
    let mut done = 0;
    let mut failed = Vec::new();
    in_parallel(settings.jobs, each, |result| {
        let (seed, mut played) = result?;
        take(seed, &played);
        done += 1;
        if played.violation().is_some() {
            failed.push(seed);
        }
        progress(done, settings.count, failed.len());
        let enough = failed.len() >= settings.most_failures;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    failed.sort_unstable();
    let mut shelf = Shelf::default();
    failed.into_iter().map(|seed| smaller(seed, settings, &mut shelf)).collect()
}

fn smaller<F: Flawed>(
    seed: u64,
    settings: &SeedSettings<F>,
    shelf: &mut Shelf,
) -> Result<FailedSeed<F::Plan, F>, WorldError> {
    let plan = F::plan(seed);
    let mut wrong = |plan: &F::Plan| -> Result<Option<String>, WorldError> {
        Ok(play_through(plan, settings, shelf)?.violation().take())
    };
    let selection = shrink(&plan, settings.selection.clone(), |plan| Ok(wrong(plan)?.is_some()))?;
    let plan = plan.part(&selection);
    let violation = wrong(&plan)?.unwrap_or_else(|| "it failed once and does not any more".into());
    Ok(FailedSeed { seed, violation, selection, plan, flaws: settings.flaws })
}

/// Plays a plan; where it is played twice a difference is a violation, since then a
/// seed says nothing.
fn play_through<F: Flawed>(
    plan: &F::Plan,
    settings: &SeedSettings<F>,
    shelf: &mut Shelf,
) -> Result<F::Played, WorldError> {
    let mut first = settings.flaws.play(plan, shelf)?;
    if settings.twice {
        let second = settings.flaws.play(plan, shelf)?;
        if first != second {
            let (one, other) = (first.digest(), second.digest());
            *first.violation() = Some(format!("two plays differ: {one:016x} and {other:016x}"));
        }
    }
    Ok(first)
}

impl Flawed for Flaws {
    type Plan = Plan;
    type Played = Played;

    fn plan(seed: u64) -> Plan {
        Plan::of(seed)
    }

    fn play(self, plan: &Plan, shelf: &mut Shelf) -> Result<Played, WorldError> {
        play(plan, self, shelf)
    }
}

impl Traced for Played {
    fn digest(&self) -> u64 {
        self.digest
    }

    fn violation(&mut self) -> &mut Option<String> {
        &mut self.violation
    }
}
