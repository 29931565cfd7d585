//! Plays many seeds, each twice, and makes those that fail smaller.

use super::plan::{Plan, Selection};
use super::play::{Flaws, Played, play};
use super::report::{FailedSeed, SeedReport};
use super::shelf::Shelf;
use super::shrink::shrink;
use crate::world::error::WorldError;
use crate::world::parallel::in_parallel;
use std::ops::ControlFlow;

/// Which worlds are played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedSettings {
    /// The first seed.
    pub first: u64,
    /// How many seeds.
    pub count: u64,
    /// How many are played at once.
    pub jobs: usize,
    /// The part of each plan that is played.
    pub selection: Selection,
    /// What is wrong on purpose.
    pub flaws: Flaws,
    /// Whether each is played twice and compared; else once.
    pub twice: bool,
    /// Ends at so many failing seeds; they are made smaller one by one.
    pub most_failures: usize,
}

impl Default for SeedSettings {
    fn default() -> Self {
        Self {
            first: 1,
            count: 1000,
            jobs: 1,
            selection: Selection::default(),
            flaws: Flaws::default(),
            twice: true,
            most_failures: 3,
        }
    }
}

/// Plays the seeds. `progress` is told how many are done, of how many, and how many failed.
pub fn seeds(
    settings: &SeedSettings,
    progress: &mut dyn FnMut(u64, u64, usize),
) -> Result<SeedReport, WorldError> {
    let each = |index: usize, shelf: &mut Shelf| {
        let seed = settings.first.wrapping_add(index as u64);
        if index as u64 >= settings.count {
            return None;
        }
        let plan = Plan::of(seed).select(&settings.selection);
        Some(play_through(&plan, settings, shelf).map(|played| (seed, played)))
    };
    let mut report = SeedReport::default();
    let mut failed = Vec::new();
    in_parallel(settings.jobs, each, |result| {
        let (seed, played) = result?;
        report.take(seed, &played);
        if played.violation.is_some() {
            failed.push(seed);
        }
        progress(report.seeds, settings.count, failed.len());
        let enough = failed.len() >= settings.most_failures;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    failed.sort_unstable();
    let mut shelf = Shelf::default();
    for seed in failed {
        report.failed.push(smaller(seed, settings, &mut shelf)?);
    }
    Ok(report)
}

fn smaller(seed: u64, settings: &SeedSettings, shelf: &mut Shelf) -> Result<FailedSeed, WorldError> {
    let plan = Plan::of(seed);
    let fails = |plan: &Plan| Ok(play_through(plan, settings, shelf)?.violation.is_some());
    let selection = shrink(&plan, settings.selection.clone(), fails)?;
    let plan = plan.select(&selection);
    let played = play_through(&plan, settings, shelf)?;
    let violation = played.violation.unwrap_or_else(|| "it failed once and does not any more".into());
    Ok(FailedSeed { seed, violation, selection, plan, flaws: settings.flaws })
}

/// Plays a plan; where it is played twice a difference is a violation, since then a
/// seed says nothing.
fn play_through(plan: &Plan, settings: &SeedSettings, shelf: &mut Shelf) -> Result<Played, WorldError> {
    let mut first = play(plan, settings.flaws, shelf)?;
    if settings.twice {
        let second = play(plan, settings.flaws, shelf)?;
        if first != second {
            let (one, other) = (first.digest, second.digest);
            first.violation = Some(format!("two plays differ: {one:016x} and {other:016x}"));
        }
    }
    Ok(first)
}
