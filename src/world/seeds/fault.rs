//! What may go wrong in a world: to the card, on the line to the host, to the
//! terminal, to the issuer.

use crate::air::link::{FaultPlan, FaultPoint};
use crate::world::draw::Draw;
use crate::world::tear::{CrashPlan, HostPlan, HostPoint};
use std::fmt;

/// More than any transaction has: some faults fall behind its end and never happen.
const EXCHANGES: u64 = 40;
const CARD_WRITES: u64 = 5;
const MESSAGES: u64 = 3;
const WRITES: u64 = 16;
const ISSUER_WRITES: u64 = 3;

/// A fault and its number in the whole plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedFault {
    /// Its number.
    pub number: usize,
    /// What it is.
    pub fault: WorldFault,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldFault {
    /// The card is pulled.
    Card(FaultPlan),
    /// The card loses its power as it writes its memory.
    Memory(CrashPlan),
    /// The issuer's next script is changed on its way to the card, which refuses it.
    Script,
    /// A message to the host, or its answer, is lost, late, doubled or overtaken.
    Host(HostPlan),
    /// The terminal stops at a write of its journal.
    Terminal(CrashPlan),
    /// The issuer stops at a write of its books, and starts again after the step.
    Issuer(CrashPlan),
}

impl WorldFault {
    /// The kinds of fault, by their words.
    pub const WORDS: &'static [&'static str] = &[
        "card pulled before the command",
        "card pulled, answer lost",
        "card pulled after the answer",
        "card torn before a write",
        "card torn after a write",
        "script changed on its way",
        HostPoint::RequestLost.word(),
        HostPoint::AnswerLost.word(),
        HostPoint::Twice.word(),
        HostPoint::Down.word(),
        HostPoint::Late.word(),
        HostPoint::Delayed.word(),
        "terminal stopped before a write",
        "terminal stopped after a write",
        "issuer stopped before a write",
        "issuer stopped after a write",
    ];

    /// What kind of fault it is, without its place.
    pub const fn word(self) -> &'static str {
        let at = match self {
            Self::Card(FaultPlan { point: FaultPoint::BeforeCommand, .. }) => 0,
            Self::Card(FaultPlan { point: FaultPoint::AnswerLost, .. }) => 1,
            Self::Card(FaultPlan { point: FaultPoint::AfterAnswer, .. }) => 2,
            Self::Memory(CrashPlan { committed: false, .. }) => 3,
            Self::Memory(CrashPlan { committed: true, .. }) => 4,
            Self::Script => 5,
            Self::Host(plan) => return plan.point.word(),
            Self::Terminal(CrashPlan { committed: false, .. }) => 12,
            Self::Terminal(CrashPlan { committed: true, .. }) => 13,
            Self::Issuer(CrashPlan { committed: false, .. }) => 14,
            Self::Issuer(CrashPlan { committed: true, .. }) => 15,
        };
        Self::WORDS[at]
    }

    /// Any of them. The card's writes are few and each matters, its exchanges are
    /// many and most do not.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let mut crash = |writes| CrashPlan { write: draw.below(writes) as usize, committed: draw.one_in(2) };
        match crash(20).write {
            0..4 => Self::Memory(crash(CARD_WRITES)),
            4..9 => {
                let exchange = draw.below(EXCHANGES) as usize;
                let point = draw.pick(FaultPoint::ALL).unwrap_or(FaultPoint::AnswerLost);
                Self::Card(FaultPlan { exchange, point })
            }
            9 => Self::Script,
            10..14 => {
                let message = draw.below(MESSAGES) as usize;
                let point = draw.pick(HostPoint::ALL).unwrap_or(HostPoint::AnswerLost);
                Self::Host(HostPlan { message, point })
            }
            14..18 => Self::Terminal(crash(WRITES)),
            _ => Self::Issuer(crash(ISSUER_WRITES)),
        }
    }
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Card(plan) => write!(f, ", exchange {}", plan.exchange),
            Self::Host(plan) => write!(f, ", message {}", plan.message),
            Self::Memory(plan) | Self::Terminal(plan) | Self::Issuer(plan) => {
                write!(f, ", write {}", plan.write)
            }
            Self::Script => Ok(()),
        }
    }
}
