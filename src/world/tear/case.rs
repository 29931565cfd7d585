//! What can happen, and what the card does before the terminal sees it again.

use super::crash::CrashPlan;
use super::muted_host::{HostPlan, HostPoint};
use crate::air::link::{FaultPlan, FaultPoint, Interface};
use crate::roles::terminal::Flow;
use std::fmt;

/// Which transaction is torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TearKind {
    /// A load by contact.
    Load,
    /// A load over contactless, full path.
    LoadContactless,
    /// A load paid in cash, by contact.
    CashLoad,
    /// A load from the pending account, by contact.
    PendingLoad,
    /// The void of a load paid in cash, by contact.
    CashLoadVoid,
    /// An unload by contact.
    Unload,
    /// An electronic cash payment by contact.
    PayContact,
    /// A payment by the quick path.
    PayQuick,
}

impl TearKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Load,
        Self::LoadContactless,
        Self::CashLoad,
        Self::PendingLoad,
        Self::CashLoadVoid,
        Self::Unload,
        Self::PayContact,
        Self::PayQuick,
    ];

    /// What is done.
    pub const fn flow(self) -> Flow {
        match self {
            Self::Load | Self::LoadContactless => Flow::Load,
            Self::CashLoad => Flow::CashLoad,
            Self::PendingLoad => Flow::PendingLoad,
            Self::CashLoadVoid => Flow::CashLoadVoid,
            Self::Unload => Flow::Unload,
            Self::PayContact | Self::PayQuick => Flow::Pay,
        }
    }

    /// How the card is reached.
    pub const fn interface(self) -> Interface {
        match self {
            Self::LoadContactless | Self::PayQuick => Interface::Contactless,
            _ => Interface::Contact,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Load => "load, contact",
            Self::LoadContactless => "load, contactless",
            Self::CashLoad => "cash load",
            Self::PendingLoad => "load from pending",
            Self::CashLoadVoid => "void of cash load",
            Self::Unload => "unload",
            Self::PayContact => "pay, contact",
            Self::PayQuick => "pay, quick path",
        }
    }
}

impl fmt::Display for TearKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether the card keeps logs: without them only balance and host can prove anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TearCard {
    /// The card of the profile `ecash`.
    WithLogs,
    /// The same without transaction log and load log.
    WithoutLogs,
}

impl TearCard {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::WithLogs, Self::WithoutLogs];

    /// The cards that a kind is played with. What a card does with a load does not
    /// depend on who paid for it, so loads from other sources are played with the one
    /// that proves less, and the void with the other.
    pub const fn of(kind: TearKind) -> &'static [Self] {
        match kind {
            TearKind::CashLoad | TearKind::PendingLoad => &[Self::WithoutLogs],
            TearKind::CashLoadVoid => &[Self::WithLogs],
            _ => Self::ALL,
        }
    }

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::WithLogs => "logs",
            Self::WithoutLogs => "no logs",
        }
    }

    /// What the card may do between fault and return, so that the row can still be
    /// settled: a payment whose card is away, and a row whose card has moved on
    /// without a log, stay in doubt, because nothing can prove them.
    pub fn afterwards(self, kind: TearKind) -> impl Iterator<Item = Afterwards> {
        Afterwards::ALL.iter().copied().filter(move |way| match (self, kind.flow(), way) {
            (_, _, Afterwards::Back) => true,
            (_, Flow::CashLoad | Flow::PendingLoad, Afterwards::NeverBack) => false,
            (_, Flow::Pay, Afterwards::NeverBack) => false,
            (Self::WithoutLogs, Flow::Pay, _) => false,
            (Self::WithoutLogs, _, Afterwards::SpentElsewhere) => false,
            _ => true,
        })
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TearFault {
    /// The card is pulled.
    Card(FaultPlan),
    /// A message to the host, or its answer, is lost or doubled.
    Host(HostPlan),
    /// The terminal stops at a write of its journal.
    Crash(CrashPlan),
}

impl TearFault {
    /// Every fault of a transaction with so many exchanges, messages and writes.
    pub fn all(exchanges: usize, messages: usize, writes: usize) -> Vec<Self> {
        let card = (0..exchanges).flat_map(|exchange| {
            FaultPoint::ALL.iter().map(move |point| Self::Card(FaultPlan { exchange, point: *point }))
        });
        let host = (0..messages).flat_map(|message| {
            HostPoint::ALL.iter().map(move |point| Self::Host(HostPlan { message, point: *point }))
        });
        let crash = (0..writes)
            .flat_map(|write| [false, true].map(|committed| Self::Crash(CrashPlan { write, committed })));
        card.chain(host).chain(crash).collect()
    }

    /// What kind of fault it is, without its place.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Card(plan) => match plan.point {
                FaultPoint::BeforeCommand => "card pulled before the command",
                FaultPoint::AnswerLost => "card pulled, answer lost",
                FaultPoint::AfterAnswer => "card pulled after the answer",
            },
            Self::Host(plan) => match plan.point {
                HostPoint::RequestLost => "message to the host lost",
                HostPoint::AnswerLost => "answer of the host lost",
                HostPoint::Twice => "message delivered twice",
                HostPoint::Down => "host silent from here on",
                HostPoint::Late => "message overtaken by the next",
            },
            Self::Crash(CrashPlan { committed: false, .. }) => "terminal stopped before a write",
            Self::Crash(CrashPlan { committed: true, .. }) => "terminal stopped after a write",
        }
    }
}

impl fmt::Display for TearFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Card(plan) => format!("exchange {}", plan.exchange),
            Self::Host(plan) => format!("message {}", plan.message),
            Self::Crash(plan) => format!("write {}", plan.write),
        };
        write!(f, "{}, {place}", self.word())
    }
}

/// What the card does between the fault and its return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Afterwards {
    /// It comes back at once.
    Back,
    /// It pays 1.00 at another terminal first, which uploads the payment.
    SpentElsewhere,
    /// It loads 10.00 at another terminal first, and the first terminal asks the
    /// host before it sees the card again.
    LoadedElsewhere,
    /// It loads 10.00 at another terminal and never comes back to the first one.
    NeverBack,
}

impl Afterwards {
    /// Every way.
    pub const ALL: &'static [Self] =
        &[Self::Back, Self::SpentElsewhere, Self::LoadedElsewhere, Self::NeverBack];

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Back => "back at once",
            Self::SpentElsewhere => "spent elsewhere",
            Self::LoadedElsewhere => "loaded elsewhere",
            Self::NeverBack => "never back",
        }
    }
}

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TearCase {
    /// Which transaction.
    pub kind: TearKind,
    /// With which card.
    pub card: TearCard,
    /// What goes wrong.
    pub fault: TearFault,
    /// What the card does then.
    pub afterwards: Afterwards,
}

impl fmt::Display for TearCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (card, afterwards) = (self.card.word(), self.afterwards.word());
        write!(f, "{} ({card}): {}; {afterwards}", self.kind, self.fault)
    }
}
