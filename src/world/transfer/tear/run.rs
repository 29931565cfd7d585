//! Plays the cases.

use super::case::{TouchAfterwards, TouchCase, TouchKind, faults, paid_back_alone, touch};
use super::report::{TouchReport, TouchRow};
use crate::roles::p2p::transfer::TransferState;
use crate::world::error::WorldError;
use crate::world::parallel::in_order;
use crate::world::seeds::Shelf;
use crate::world::transfer::seeds::{Flaws, Left, Played, TouchFault, play};
use std::ops::ControlFlow;

/// How the phones stand where the payee's receipt was lost.
const RECEIPT_LOST: Left = [Some(TransferState::Agreed), Some(TransferState::Kept)];

/// What is played, and under which rules.
#[derive(Debug, Clone)]
pub struct TouchSettings {
    /// Which touches.
    pub kinds: Vec<TouchKind>,
    /// What is wrong on purpose, to see that it is found.
    pub flaws: Flaws,
    /// Of the bytes within a unit each so many; 1 is every byte, and without it units are cut at
    /// their ends alone.
    pub bytes: Option<usize>,
    /// Of the cases in which a unit is torn or cut, each so many is played; 1 is every one.
    pub every: usize,
    /// Seed of the world.
    pub seed: u64,
    /// How many cases are played at once.
    pub jobs: usize,
    /// Ends at the first violation: enough where one is expected.
    pub until_violation: bool,
}

impl Default for TouchSettings {
    fn default() -> Self {
        Self {
            kinds: TouchKind::ALL.to_vec(),
            flaws: Flaws::default(),
            bytes: Some(1),
            every: 1,
            seed: 1,
            jobs: 1,
            until_violation: false,
        }
    }
}

/// Plays every case of the settings. `progress` is told how many are done, and of how many.
pub fn tear(
    settings: &TouchSettings,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<TouchReport, WorldError> {
    let mut shelf = Shelf::default();
    let lost = receipt_lost(settings.seed, &mut shelf)?;
    let cases = cases(settings, lost, &mut shelf)?;
    let each = |case: &TouchCase, shelf: &mut Shelf| {
        let played = play(&case.plan(settings.seed, Some(lost)), settings.flaws, shelf)?;
        Ok(judged(*case, played))
    };
    let rows = in_order(settings.jobs, &cases, each, |row: &mut TouchRow, done| {
        progress(done, cases.len());
        let enough = settings.until_violation && row.violation.is_some();
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(TouchReport { is_whole: rows.len() == cases.len(), rows })
}

/// The cases, from touches that nothing disturbs.
fn cases(
    settings: &TouchSettings,
    lost: TouchFault,
    shelf: &mut Shelf,
) -> Result<Vec<TouchCase>, WorldError> {
    let mut cases = Vec::new();
    for kind in &settings.kinds {
        let plain = play(&touch(*kind, None, settings.seed, Some(lost)), Flaws::default(), shelf)?;
        for fault in faults(&plain.size, settings.bytes) {
            let case = |afterwards: &_| TouchCase { kind: *kind, fault, afterwards: *afterwards };
            cases.extend(TouchAfterwards::ALL.iter().map(case));
        }
    }
    let is_played = |(at, case): &(usize, TouchCase)| {
        let is_unit = matches!(case.fault, TouchFault::Torn { .. } | TouchFault::Short { .. });
        !is_unit || at % settings.every.max(1) == 0
    };
    Ok(cases.into_iter().enumerate().filter(is_played).map(|(_, case)| case).collect())
}

/// What parts the phones of an offline touch as the payee has kept what it was promised, and the
/// payer does not know that.
fn receipt_lost(seed: u64, shelf: &mut Shelf) -> Result<TouchFault, WorldError> {
    let plain = play(&paid_back_alone(None, seed), Flaws::default(), shelf)?;
    for unit in (0..plain.size.units.len()).rev() {
        let cut = TouchFault::Cut { unit };
        if play(&paid_back_alone(Some(cut), seed), Flaws::default(), shelf)?.left.last()
            == Some(&RECEIPT_LOST)
        {
            return Ok(cut);
        }
    }
    Err(WorldError::Invariant { what: "a receipt is a unit of its own".into() })
}

fn judged(case: TouchCase, played: Played) -> TouchRow {
    let Played { mut violation, booked, refused, faults, left, .. } = played;
    let (found, meant) = (booked, case.kind.meant());
    if !faults.contains(&case.fault.word()) {
        violation = violation.or(Some("the fault was planned and never happened".into()));
    }
    if case.afterwards == TouchAfterwards::TouchedAgain && found != meant {
        violation = violation.or(Some(format!("{meant} transfers were meant, and {found} are booked")));
    }
    // The torn touch is the one before those that are played again.
    let torn = usize::from(case.kind == TouchKind::Crossed);
    TouchRow { case, left: left.get(torn).copied().unwrap_or_default(), booked, refused, violation }
}
