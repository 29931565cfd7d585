//! What is to happen in a world: all of it comes from the seed.

use super::fault::{TouchFault, host};
use crate::roles::p2p::transfer::Way;
use crate::world::draw::Draw;
use crate::world::seeds::{Parts, Selection};
use crate::world::tear::HostPlan;
use std::fmt;
use std::time::Duration;

/// Sets the plan's randomness apart from that of the world itself.
const PLAN: u64 = 0x746F_7563_6865_7321;
/// How many people there are.
pub(in crate::world::transfer) const PEOPLE: usize = 3;
/// The most that somebody tries before they give up.
const TRIES: usize = 3;

/// A world that is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// What the people's accounts hold at first, minor units.
    pub opening_minor: [u64; PEOPLE],
    /// What their phones may promise, minor units.
    pub offline_limit_minor: u64,
    /// Who settles first at the end.
    pub first_to_settle: usize,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number in the whole plan.
    pub number: usize,
    /// Time that passes before it.
    pub pause: Duration,
    /// What it is.
    pub kind: StepKind,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Somebody wants to pay somebody, and touches until the phone says that it is done.
    Pay(Intent),
    /// Two are told the same.
    Same {
        /// What.
        way: Way,
        /// Who.
        who: [usize; 2],
        /// What goes wrong in the touch.
        fault: Option<TouchFault>,
    },
    /// A phone settles.
    Settle {
        /// Whose.
        who: usize,
        /// What goes wrong with it.
        fault: Option<HostPlan>,
    },
}

/// What somebody means once, however often they touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Who pays.
    pub payer: usize,
    /// Who is paid.
    pub payee: usize,
    /// How much, minor units.
    pub minor: u64,
    /// Whether payer and payee ask the host in the touch.
    pub asks_host: [bool; 2],
    /// Whether the payee's phone is the initiator.
    pub payee_begins: bool,
    /// Whether the payee names the amount too.
    pub payee_names_it: bool,
    /// The touches, at most, and what goes wrong in each.
    pub tries: Vec<Option<TouchFault>>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ PLAN);
        Self {
            seed,
            opening_minor: [0; PEOPLE].map(|_| 2_000 + draw.below(8) * 1_000),
            offline_limit_minor: if draw.one_in(4) { 3_000 } else { 100_000 },
            first_to_settle: draw.below(PEOPLE as u64) as usize,
            steps: (0..=draw.below(3)).map(|number| Step::draw(number as usize, &mut draw)).collect(),
        }
    }
}

impl Parts for Plan {
    fn part(&self, selection: &Selection) -> Self {
        let mut plan = self.clone();
        if let Some(steps) = &selection.steps {
            plan.steps.retain(|step| steps.contains(&step.number));
        }
        for step in &mut plan.steps {
            let first = step.fault_number(0);
            let is_dropped = |index: usize| selection.dropped.contains(&(first + index));
            match &mut step.kind {
                StepKind::Same { fault, .. } => *fault = fault.filter(|_| !is_dropped(0)),
                StepKind::Settle { fault, .. } => *fault = fault.filter(|_| !is_dropped(0)),
                StepKind::Pay(intent) => {
                    for (index, fault) in intent.tries.iter_mut().enumerate() {
                        *fault = fault.filter(|_| !is_dropped(index));
                    }
                }
            }
        }
        plan
    }

    fn steps(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.number).collect()
    }

    fn faults(&self) -> Vec<usize> {
        self.steps.iter().flat_map(Step::faults).collect()
    }
}

impl Step {
    /// The number in the whole plan of the fault of a touch.
    const fn fault_number(&self, touch: usize) -> usize {
        self.number * TRIES + touch
    }

    /// The numbers of its faults.
    fn faults(&self) -> Vec<usize> {
        let of = |touch, has_fault: bool| has_fault.then_some(self.fault_number(touch));
        match &self.kind {
            StepKind::Same { fault, .. } => of(0, fault.is_some()).into_iter().collect(),
            StepKind::Settle { fault, .. } => of(0, fault.is_some()).into_iter().collect(),
            StepKind::Pay(intent) => {
                let faults = intent.tries.iter().enumerate();
                faults.filter_map(|(touch, fault)| of(touch, fault.is_some())).collect()
            }
        }
    }

    fn draw(number: usize, draw: &mut Draw) -> Self {
        let pause = Duration::from_secs(match draw.below(4) {
            0 => 3_600,
            _ => draw.below(90),
        });
        let one = draw.below(PEOPLE as u64) as usize;
        let other = (one + 1 + draw.below(PEOPLE as u64 - 1) as usize) % PEOPLE;
        let kind = match draw.below(10) {
            0 => {
                let way = if draw.one_in(2) { Way::Pays } else { Way::Receives };
                StepKind::Same { way, who: [one, other], fault: None }
            }
            1 | 2 => {
                let fault = (!draw.one_in(3)).then(|| host(draw));
                StepKind::Settle { who: one, fault }
            }
            _ => StepKind::Pay(Intent::draw(one, other, draw)),
        };
        Self { number, pause, kind }
    }
}

impl Intent {
    fn draw(payer: usize, payee: usize, draw: &mut Draw) -> Self {
        let tries = 1 + draw.below(TRIES as u64);
        Self {
            payer,
            payee,
            minor: 100 + draw.below(30) * 100,
            asks_host: [draw.one_in(3), draw.one_in(3)],
            payee_begins: draw.one_in(2),
            payee_names_it: draw.one_in(2),
            // Most touches go wrong: those that do not are easy.
            tries: (0..tries).map(|_| (!draw.one_in(3)).then(|| TouchFault::draw(draw))).collect(),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opening_minor, offline_limit_minor, first_to_settle, .. } = self;
        writeln!(
            f,
            "accounts {opening_minor:?}, may promise {offline_limit_minor}, {first_to_settle} settles first at the end"
        )?;
        for step in &self.steps {
            write!(f, "step {}: after {} s {}", step.number, step.pause.as_secs(), step.kind)?;
            let fault =
                |fault: &dyn fmt::Display, touch| format!("; fault {}: {fault}", step.fault_number(touch));
            match &step.kind {
                StepKind::Same { fault: Some(came), .. } => writeln!(f, "{}", fault(came, 0))?,
                StepKind::Settle { fault: Some(came), .. } => {
                    let came = format!("{} (message {})", came.point.word(), came.message);
                    writeln!(f, "{}", fault(&came, 0))?;
                }
                StepKind::Pay(intent) => {
                    writeln!(f)?;
                    for (touch, came) in intent.tries.iter().enumerate() {
                        let came = came.as_ref().map_or_else(String::new, |came| fault(came, touch));
                        writeln!(f, "   touch {touch}{came}")?;
                    }
                }
                _ => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same { way, who: [one, other], .. } => {
                write!(f, "{one} {} and {other} {}", way.word(), way.word())
            }
            Self::Settle { who, .. } => write!(f, "{who} settles"),
            Self::Pay(Intent { payer, payee, minor, asks_host, .. }) => {
                write!(f, "{payer} pays {payee} {minor} minor units, hosts asked {asks_host:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_plan_has_the_steps_and_faults_that_are_left() {
        let plan =
            (0..100).map(Plan::of).find(|plan| plan.faults().len() > 3 && plan.steps.len() > 2).unwrap();
        let (step, faults) = (plan.steps[1].number, plan.faults());
        assert_eq!(plan.part(&Selection::default()), plan);
        let dropped = Selection { steps: None, dropped: faults[1..].iter().copied().collect() };
        assert_eq!(plan.part(&dropped).faults(), faults[..1]);
        let alone = Selection { steps: Some([step].into()), dropped: faults.into_iter().collect() };
        let alone = plan.part(&alone);
        assert_eq!((alone.steps(), alone.faults()), (vec![step], vec![]));
    }
}
