//! Plays many seeds, each twice.

use super::Rule;
use super::plan::Plan;
use super::play::{Played, play};
use super::report::{FailedSeed, SeedReport};
use crate::world::error::WorldError;
use crate::world::parallel::in_parallel;
use crate::world::seeds::Shelf;
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
    /// The rule that is switched off.
    pub without: Option<Rule>,
    /// Whether each is played twice and compared; else once.
    pub twice: bool,
    /// Ends at so many failing seeds.
    pub most_failures: usize,
}

impl Default for SeedSettings {
    fn default() -> Self {
        Self { first: 1, count: 1000, jobs: 1, without: None, twice: true, most_failures: 3 }
    }
}

/// Plays the seeds. `progress` is told how many are done, of how many, and how many failed.
pub fn seeds(
    settings: &SeedSettings,
    progress: &mut dyn FnMut(u64, u64, usize),
) -> Result<SeedReport, WorldError> {
    let each = |index: usize, shelf: &mut Shelf| {
        let seed = settings.first.wrapping_add(index as u64);
        (settings.count > index as u64).then(|| {
            let plan = Plan::of(seed);
            play_through(&plan, settings, shelf).map(|played| (plan, played))
        })
    };
    let mut report = SeedReport::default();
    in_parallel(settings.jobs, each, |result| {
        let (plan, played) = result?;
        report.take(plan.seed, &played);
        if let Some(violation) = played.violation {
            report.failed.push(FailedSeed { seed: plan.seed, violation, plan, without: settings.without });
        }
        progress(report.seeds, settings.count, report.failed.len());
        let enough = report.failed.len() >= settings.most_failures;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    report.failed.sort_unstable_by_key(|failed| failed.seed);
    Ok(report)
}

/// Plays a plan; where it is played twice a difference is a violation, since then a seed
/// says nothing.
fn play_through(plan: &Plan, settings: &SeedSettings, shelf: &mut Shelf) -> Result<Played, WorldError> {
    let mut first = play(plan, settings.without, shelf)?;
    if settings.twice {
        let second = play(plan, settings.without, shelf)?;
        if first != second {
            let (one, other) = (first.digest, second.digest);
            first.violation = Some(format!("two plays differ: {one:016x} and {other:016x}"));
        }
    }
    Ok(first)
}
