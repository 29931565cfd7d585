//! Plays a plan from its first step to the end of its world.

use super::judge::Judge;
use super::plan::Plan;
use super::plant::Plant;
use super::shelf::Shelf;
use super::stand::World;
use crate::roles::terminal::Verdict;
use crate::world::error::WorldError;
use crate::world::rule::Rule;
use crate::world::witness::Transitions;

/// What is wrong with a world on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flaws {
    /// The rule of recovery that is switched off.
    pub without: Option<Rule>,
    /// The bug that is planted.
    pub plant: Option<Plant>,
}

/// What came of a play.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::world) struct Played {
    /// Everything that happened, and the books at the end, as one number.
    pub(super) digest: u64,
    /// The faults that came to happen; others fell behind the end of their transaction.
    pub(super) faults: Vec<&'static str>,
    /// What was done.
    pub(super) actions: Vec<&'static str>,
    /// What it came to, where nothing broke it off.
    pub(super) outcomes: Vec<(&'static str, Verdict)>,
    /// The ways that journal rows took.
    pub(super) transitions: Transitions,
    /// Rows that stay due because their card never came back.
    pub(super) away: usize,
    /// Rows that stay open because nothing can prove them any more.
    pub(super) unproven: usize,
    /// Offline payments whose certificate was lost.
    pub(super) certificates_lost: usize,
    /// What is wrong, if anything.
    pub(super) violation: Option<String>,
}

/// Plays a plan once.
pub(super) fn play(plan: &Plan, flaws: Flaws, shelf: &mut Shelf) -> Result<Played, WorldError> {
    let mut world = World::set(plan, flaws, shelf)?;
    let mut played = Played::default();
    let mut judge = Judge::new(&mut world)?;
    for step in &plan.steps {
        played.actions.push(step.action.row.word);
        let before = judge.before_step(&world, step);
        let violation = world.step(step, &mut played)?;
        played.violation = match violation {
            None => judge.after_step(&mut world, step, &before)?,
            wrong => wrong,
        };
        if played.violation.is_some() {
            break;
        }
    }
    if played.violation.is_none() {
        played.violation = match world.bring_back()? {
            Ok(due) => judge.at_the_end(&mut world, &due, &mut played)?,
            Err(wrong) => Some(wrong),
        };
    }
    played.digest = world.digest()?;
    played.transitions = world.witness.transitions();
    Ok(played)
}
