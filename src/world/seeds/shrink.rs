//! Makes a failing plan smaller: fewer steps, then fewer faults, as long as it fails.

use super::plan::Selection;
use crate::world::error::WorldError;

/// Most plays for one seed.
const PLAYS: usize = 200;

/// A plan of steps and faults, of which a part can be played.
pub(in crate::world) trait Parts: Sized {
    /// The part that is selected.
    fn part(&self, selection: &Selection) -> Self;

    /// The numbers of its steps, in order.
    fn steps(&self) -> Vec<usize>;

    /// The numbers of its faults.
    fn faults(&self) -> Vec<usize>;
}

/// The smallest selection of `plan` found that still `fails`, beginning with
/// `selection`, which does.
pub(super) fn shrink<P: Parts>(
    plan: &P,
    selection: Selection,
    mut fails: impl FnMut(&P) -> Result<bool, WorldError>,
) -> Result<Selection, WorldError> {
    let mut best = selection;
    let mut plays = 0;
    loop {
        let before = best.clone();
        // The last ones first: what happens after the failure goes at once.
        for step in plan.part(&best).steps().into_iter().rev() {
            let kept = plan.part(&best).steps();
            let steps = kept.into_iter().filter(|number| *number != step).collect();
            let fewer = Selection { steps: Some(steps), dropped: best.dropped.clone() };
            attempt(plan, &mut best, fewer, &mut plays, &mut fails)?;
        }
        for fault in plan.part(&best).faults() {
            let mut fewer = best.clone();
            fewer.dropped.insert(fault);
            attempt(plan, &mut best, fewer, &mut plays, &mut fails)?;
        }
        if best == before || plays >= PLAYS {
            return Ok(best);
        }
    }
}

fn attempt<P: Parts>(
    plan: &P,
    best: &mut Selection,
    fewer: Selection,
    plays: &mut usize,
    fails: &mut impl FnMut(&P) -> Result<bool, WorldError>,
) -> Result<(), WorldError> {
    if *plays < PLAYS {
        *plays += 1;
        if fails(&plan.part(&fewer))? {
            *best = fewer;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::seeds::Plan;

    #[test]
    fn what_the_failure_does_not_need_is_left_out() {
        let wanted = |plan: &&Plan| plan.steps.len() > 4 && plan.steps.iter().any(|s| !s.faults.is_empty());
        let plans: Vec<_> = (0..100).map(Plan::of).collect();
        let plan = plans.iter().find(wanted).unwrap();
        let step = plan.steps.iter().find(|step| !step.faults.is_empty()).unwrap();
        let (number, fault) = (step.number, step.faults[0].number);
        // It fails for as long as that fault is there, and step 0 is.
        let fails = |plan: &Plan| {
            let has = plan.steps.iter().flat_map(|s| &s.faults).any(|f| f.number == fault);
            Ok(has && plan.steps.iter().any(|s| s.number == 0))
        };
        let smallest = shrink(plan, Selection::default(), fails).unwrap();
        let left = plan.select(&smallest);
        let steps: Vec<_> = left.steps.iter().map(|s| s.number).collect();
        assert_eq!(steps, if number == 0 { vec![0] } else { vec![0, number] });
        assert_eq!(left.steps.iter().flat_map(|s| &s.faults).count(), 1);
    }
}
