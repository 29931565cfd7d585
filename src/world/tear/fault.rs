//! What can go wrong in a transaction of a known size.

use super::crash::CrashPlan;
use super::muted_host::{HostPlan, HostPoint};
use crate::air::link::{Cut, FaultPlan, FaultPoint, WireExchange, WirePlan};
use std::fmt;

/// How much there is of a transaction that nothing disturbs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TearSize {
    /// Exchanges with a card that is pulled between messages.
    pub exchanges: usize,
    /// Exchanges over a wire that is cut at a byte.
    pub wire: Vec<WireExchange>,
    /// Of the cuts within a frame, each so many is played: 1 is every byte.
    pub every: usize,
    /// Messages to the host.
    pub messages: usize,
    /// Transactions of the journal's store.
    pub writes: usize,
    /// Whether the card gets a script; see [`TearKind::has_script`](super::TearKind::has_script).
    pub has_script: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TearFault {
    /// The card is pulled.
    Card(FaultPlan),
    /// The wire to the card is cut; and how long the exchange would have been.
    Wire(WirePlan, WireExchange),
    /// A message to the host, or its answer, is lost or doubled.
    Host(HostPlan),
    /// The terminal stops at a write of its journal.
    Crash(CrashPlan),
    /// The script is changed on its way, and the card refuses it; the terminal tells
    /// the host by a notice, as some do, or reverses.
    Script {
        /// Whether it is told by a notice.
        by_notice: bool,
    },
}

impl TearFault {
    /// Every fault of a transaction of this size.
    pub fn all(size: &TearSize) -> Vec<Self> {
        let card = (0..size.exchanges).flat_map(|exchange| {
            FaultPoint::ALL.iter().map(move |point| Self::Card(FaultPlan { exchange, point: *point }))
        });
        let wire = size.wire.iter().enumerate().flat_map(|(exchange, whole)| {
            let command = (0..=whole.command_bytes).map(Cut::Command);
            // Nothing of the answer yet is all of the command.
            let cuts = command.chain((1..=whole.answer_bytes).map(Cut::Answer));
            cuts.map(move |cut| Self::Wire(WirePlan { exchange, cut }, *whole))
        });
        let wire = wire.enumerate().filter(|(at, fault)| at % size.every == 0 || !fault.is_within());
        let host = (0..size.messages).flat_map(|message| {
            HostPoint::ALL.iter().map(move |point| Self::Host(HostPlan { message, point: *point }))
        });
        let crash = (0..size.writes)
            .flat_map(|write| [false, true].map(|committed| Self::Crash(CrashPlan { write, committed })));
        let script = [false, true].map(|by_notice| Self::Script { by_notice });
        let script = script.into_iter().filter(|_| size.has_script);
        card.chain(wire.map(|(_, fault)| fault)).chain(host).chain(crash).chain(script).collect()
    }

    /// Whether the wire is cut in the middle of a frame.
    const fn is_within(self) -> bool {
        match self {
            Self::Wire(WirePlan { cut: Cut::Command(bytes), .. }, whole) => {
                bytes > 0 && bytes < whole.command_bytes
            }
            Self::Wire(WirePlan { cut: Cut::Answer(bytes), .. }, whole) => bytes < whole.answer_bytes,
            _ => false,
        }
    }

    /// The kinds of fault, by their words: those of a card that is pulled between
    /// messages, or of a wire that is cut at a byte; then those that both have.
    pub const fn words(bytes: bool) -> (&'static [&'static str], &'static [&'static str]) {
        const REST: &[&str] = &[
            HostPoint::RequestLost.word(),
            HostPoint::AnswerLost.word(),
            HostPoint::Twice.word(),
            HostPoint::Down.word(),
            HostPoint::Late.word(),
            HostPoint::Delayed.word(),
            "terminal stopped before a write",
            "terminal stopped after a write",
        ];
        match bytes {
            false => (
                &[
                    "card pulled before the command",
                    "card pulled, answer lost",
                    "card pulled after the answer",
                ],
                REST,
            ),
            true => (
                &[
                    "wire cut before the command",
                    "wire cut within the command",
                    "wire cut before the answer",
                    "wire cut within the answer",
                    "wire cut after the answer",
                ],
                REST,
            ),
        }
    }

    /// The kinds that only a transaction with a script can have.
    pub const SCRIPT_WORDS: &'static [&'static str] =
        &["script refused, reversed", "script refused, told by a notice"];

    /// What kind of fault it is, without its place.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Card(plan) => match plan.point {
                FaultPoint::BeforeCommand => "card pulled before the command",
                FaultPoint::AnswerLost => "card pulled, answer lost",
                FaultPoint::AfterAnswer => "card pulled after the answer",
            },
            Self::Wire(WirePlan { cut: Cut::Command(0), .. }, _) => "wire cut before the command",
            Self::Wire(WirePlan { cut: Cut::Command(_), .. }, _) if self.is_within() => {
                "wire cut within the command"
            }
            Self::Wire(WirePlan { cut: Cut::Command(_), .. }, _) => "wire cut before the answer",
            Self::Wire(WirePlan { cut: Cut::Answer(_), .. }, _) if self.is_within() => {
                "wire cut within the answer"
            }
            Self::Wire(WirePlan { cut: Cut::Answer(_), .. }, _) => "wire cut after the answer",
            Self::Host(plan) => plan.point.word(),
            Self::Crash(CrashPlan { committed: false, .. }) => "terminal stopped before a write",
            Self::Crash(CrashPlan { committed: true, .. }) => "terminal stopped after a write",
            Self::Script { by_notice: false } => Self::SCRIPT_WORDS[0],
            Self::Script { by_notice: true } => Self::SCRIPT_WORDS[1],
        }
    }
}

impl fmt::Display for TearFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Card(plan) => format!("exchange {}", plan.exchange),
            Self::Wire(WirePlan { exchange, cut: Cut::Command(bytes) }, whole) => {
                format!("exchange {exchange}, after byte {bytes} of {} of the command", whole.command_bytes)
            }
            Self::Wire(WirePlan { exchange, cut: Cut::Answer(bytes) }, whole) => {
                format!("exchange {exchange}, after byte {bytes} of {} of the answer", whole.answer_bytes)
            }
            Self::Host(plan) => format!("message {}", plan.message),
            Self::Crash(plan) => format!("write {}", plan.write),
            Self::Script { .. } => "the first".into(),
        };
        write!(f, "{}, {place}", self.word())
    }
}
