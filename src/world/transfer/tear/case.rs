//! Which touches are torn, where, and what the people do then. A case is a plan of a world.

use crate::roles::p2p::transfer::Way;
use crate::world::tear::{CrashPlan, HostPlan, HostPoint};
use crate::world::transfer::seeds::{Intent, PEOPLE, Plan, Step, StepKind, TouchFault, TouchSize};
use std::fmt;
use std::time::Duration;

/// What an account holds at first, minor units.
const OPENING_MINOR: u64 = 10_000;
/// What a phone may promise, minor units.
const OFFLINE_LIMIT_MINOR: u64 = 100_000;
const PAID_MINOR: u64 = 2_000;
const PAID_BACK_MINOR: u64 = 700;
/// Who pays in the touch that is torn, and who is paid.
const PAYER: usize = 0;
const PAYEE: usize = 1;

/// Which touch is torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TouchKind {
    /// No host is asked; the payer's phone is the initiator.
    Offline,
    /// No host is asked; the payee's phone is the initiator.
    OfflineFromPayee,
    /// The payer's host is asked.
    PayerAsks,
    /// The payee's host is asked.
    PayeeAsks,
    /// Both ask.
    BothAsk,
    /// Offline, while it is in doubt whether the payee has paid the payer before.
    Crossed,
    /// Each is told to pay the other.
    BothPay,
}

impl TouchKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Offline,
        Self::OfflineFromPayee,
        Self::PayerAsks,
        Self::PayeeAsks,
        Self::BothAsk,
        Self::Crossed,
        Self::BothPay,
    ];

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::OfflineFromPayee => "offline, payee first",
            Self::PayerAsks => "payer asks host",
            Self::PayeeAsks => "payee asks host",
            Self::BothAsk => "both ask host",
            Self::Crossed => "both ways at once",
            Self::BothPay => "both told to pay",
        }
    }

    /// How many transfers are meant, where those who were disturbed touch again.
    pub(super) const fn meant(self) -> u64 {
        match self {
            Self::Crossed => 2,
            _ => 1,
        }
    }

    /// What the payer wants, in so many touches.
    fn intent(self, tries: Vec<Option<TouchFault>>) -> Intent {
        let asks_host = match self {
            Self::PayerAsks => [true, false],
            Self::PayeeAsks => [false, true],
            Self::BothAsk => [true; 2],
            _ => [false; 2],
        };
        Intent {
            payer: PAYER,
            payee: PAYEE,
            minor: PAID_MINOR,
            asks_host,
            payee_begins: self == Self::OfflineFromPayee,
            payee_names_it: true,
            tries,
        }
    }
}

/// What the people do after the torn touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TouchAfterwards {
    /// They touch again, where the payer's phone does not say that it is done.
    TouchedAgain,
    /// They give up, and the payer's phone is the first one to settle.
    PayerSettles,
    /// They give up, and the payee's phone is the first one to settle.
    PayeeSettles,
}

impl TouchAfterwards {
    /// Every way.
    pub const ALL: &'static [Self] = &[Self::TouchedAgain, Self::PayerSettles, Self::PayeeSettles];

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TouchedAgain => "touch again",
            Self::PayerSettles => "payer settles",
            Self::PayeeSettles => "payee settles",
        }
    }
}

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TouchCase {
    /// Which touch.
    pub kind: TouchKind,
    /// What goes wrong in it.
    pub fault: TouchFault,
    /// What comes after it.
    pub afterwards: TouchAfterwards,
}

impl TouchCase {
    /// The world that is played. `lost` loses the receipt of an offline touch.
    pub(super) fn plan(&self, seed: u64, lost: Option<TouchFault>) -> Plan {
        let again = self.afterwards == TouchAfterwards::TouchedAgain;
        let mut plan = touch(self.kind, Some(self.fault), seed, lost);
        let last = plan.steps.last_mut().map(|step| &mut step.kind);
        if let (Some(StepKind::Pay(intent)), true) = (last, again) {
            intent.tries.push(None);
        }
        let more = match self.kind {
            TouchKind::BothPay if again => Some(self.kind.intent(vec![None])),
            // The former one is finished: this one is not agreed to.
            TouchKind::Crossed if again => Some(paid_back(None)),
            _ => None,
        };
        let number = plan.steps.len();
        plan.steps.extend(more.map(|intent| step(number, StepKind::Pay(intent))));
        plan.first_to_settle = if self.afterwards == TouchAfterwards::PayeeSettles { PAYEE } else { PAYER };
        plan
    }
}

impl fmt::Display for TouchCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.kind.word(), self.fault, self.afterwards.word())
    }
}

/// A world up to its touch of a kind.
pub(super) fn touch(kind: TouchKind, fault: Option<TouchFault>, seed: u64, lost: Option<TouchFault>) -> Plan {
    let before = (kind == TouchKind::Crossed).then(|| StepKind::Pay(paid_back(lost)));
    let torn = match kind {
        TouchKind::BothPay => StepKind::Same { way: Way::Pays, who: [PAYER, PAYEE], fault },
        _ => StepKind::Pay(kind.intent(vec![fault])),
    };
    Plan {
        seed,
        opening_minor: [OPENING_MINOR; PEOPLE],
        offline_limit_minor: OFFLINE_LIMIT_MINOR,
        first_to_settle: PAYER,
        steps: before
            .into_iter()
            .chain([torn])
            .enumerate()
            .map(|(number, kind)| step(number, kind))
            .collect(),
    }
}

/// The payee pays, too.
fn paid_back(fault: Option<TouchFault>) -> Intent {
    let intent = TouchKind::Offline.intent(vec![fault]);
    Intent { payer: PAYEE, payee: PAYER, minor: PAID_BACK_MINOR, ..intent }
}

/// The world of [`paid_back`] alone.
pub(super) fn paid_back_alone(fault: Option<TouchFault>, seed: u64) -> Plan {
    Plan {
        steps: vec![step(0, StepKind::Pay(paid_back(fault)))],
        ..touch(TouchKind::Offline, None, seed, None)
    }
}

fn step(number: usize, kind: StepKind) -> Step {
    Step { number, pause: Duration::from_secs(5), kind }
}

/// Every fault of a touch of this size: each unit ends after each of its bytes, and the phones
/// part or go on; of those within a unit each so many, or without it none. Then every message to
/// a host and every transaction of a book.
pub(super) fn faults(size: &TouchSize, bytes: Option<usize>) -> Vec<TouchFault> {
    let places = size.units.iter().enumerate().flat_map(|(unit, length)| {
        (0..=*length).map(move |bytes| (unit, bytes, bytes > 0 && bytes < *length))
    });
    let places: Vec<_> = places
        .enumerate()
        .filter(|(at, (.., is_within))| !is_within || bytes.is_some_and(|every| at % every.max(1) == 0))
        .map(|(_, place)| place)
        .collect();
    let torn = places.iter().map(|(unit, bytes, _)| TouchFault::Torn { unit: *unit, bytes: *bytes });
    // All of a unit is no fault where the phones do not part.
    let is_short = |(unit, bytes, _): &&(usize, usize, bool)| *bytes < size.units[*unit];
    let short = places.iter().filter(is_short);
    let short = short.map(|(unit, bytes, _)| TouchFault::Short { unit: *unit, bytes: *bytes });
    let sides = [(true, 0), (false, 1)];
    let host = sides.into_iter().flat_map(|(is_payer, side)| {
        (0..size.messages[side]).flat_map(move |message| {
            HostPoint::ALL
                .iter()
                .map(move |point| TouchFault::Host { is_payer, plan: HostPlan { message, point: *point } })
        })
    });
    let stopped = sides.into_iter().flat_map(|(is_payer, side)| {
        (0..size.writes[side]).flat_map(move |write| {
            [false, true]
                .map(|committed| TouchFault::Stopped { is_payer, plan: CrashPlan { write, committed } })
        })
    });
    torn.chain(short).chain(host).chain(stopped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_byte_of_every_unit_is_torn_both_ways() {
        let size = TouchSize { units: vec![2, 5], messages: [1, 0], writes: [0, 2] };
        let all = faults(&size, Some(1));
        let count = |word: &str| all.iter().filter(|fault| fault.word() == word).count();
        assert_eq!((count("unit torn"), count("unit cut")), (3 + 6, 2 + 5));
        assert_eq!(all.len(), 9 + 7 + HostPoint::ALL.len() + 4);
        let ends: BTreeSet<_> = faults(&size, None)
            .into_iter()
            .filter_map(|fault| match fault {
                TouchFault::Torn { unit, bytes } => Some((unit, bytes)),
                _ => None,
            })
            .collect();
        assert_eq!(ends, [(0, 0), (0, 2), (1, 0), (1, 5)].into());
    }

    #[test]
    fn a_case_is_a_plan_with_its_fault_in_it() {
        let fault = TouchFault::Torn { unit: 3, bytes: 1 };
        for kind in TouchKind::ALL {
            for afterwards in TouchAfterwards::ALL {
                let case = TouchCase { kind: *kind, fault, afterwards: *afterwards };
                let plan = case.plan(1, Some(TouchFault::Cut { unit: 9 })).to_string();
                assert_eq!(plan.matches(&fault.to_string()).count(), 1, "{case}\n{plan}");
            }
        }
    }
}
