//! Plays many seeds of phones that touch.

use super::plan::Plan;
use super::play::{Flaws, Played, play};
use super::report::SeedReport;
use crate::world::error::WorldError;
use crate::world::seeds::{Flawed, SeedSettings, Shelf, Traced, play_seeds};

/// Plays the seeds. `progress` is told how many are done, of how many, and how many failed.
pub fn seeds(
    settings: &SeedSettings<Flaws>,
    progress: &mut dyn FnMut(u64, u64, usize),
) -> Result<SeedReport, WorldError> {
    let mut report = SeedReport::default();
    report.failed = play_seeds(settings, |seed, played| report.take(seed, played), progress)?;
    Ok(report)
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
