//! What can happen, and what the card does before the terminal sees it again.

use super::crash::CrashPlan;
use super::muted_host::{HostPlan, HostPoint};
use crate::air::link::{Cut, FaultPlan, FaultPoint, Interface, WireExchange, WirePlan};
use crate::roles::terminal::Flow;
use crate::roles::terminal::journal::State;
use crate::world::witness::Transition;
use std::fmt;

/// Which transaction is torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// A load from the account of another card, by contact.
    NonLinkedLoad,
    /// A load that nobody hears the host's answer of, and its reversal.
    Reversal,
    /// An unload by contact.
    Unload,
    /// An electronic cash payment by contact.
    PayContact,
    /// A payment by the quick path.
    PayQuick,
    /// A payment with kernel 2 that an M/Chip card approves.
    PayKernel2,
    /// A payment with kernel 2 that the issuer decides.
    PayKernel2Online,
    /// The refund of an uploaded payment by contact, the card on the counter.
    Refund,
    /// A purchase with a purse and a security module.
    PursePurchase,
    /// A purchase that writes records too.
    PurseCompound,
    /// A load of a purse.
    PurseLoad,
    /// An unload of a purse.
    PurseUnload,
    /// A raise of a deposit's overdraft limit.
    OverdraftRaise,
    /// A cut of a deposit's overdraft limit.
    OverdraftCut,
}

impl TearKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Load,
        Self::LoadContactless,
        Self::CashLoad,
        Self::PendingLoad,
        Self::NonLinkedLoad,
        Self::Reversal,
        Self::CashLoadVoid,
        Self::Unload,
        Self::PayContact,
        Self::PayQuick,
        Self::PayKernel2,
        Self::PayKernel2Online,
        Self::Refund,
        Self::PursePurchase,
        Self::PurseCompound,
        Self::PurseLoad,
        Self::PurseUnload,
        Self::OverdraftRaise,
        Self::OverdraftCut,
    ];

    /// Those of a purse.
    pub const PURSES: &'static [Self] = &[
        Self::PursePurchase,
        Self::PurseCompound,
        Self::PurseLoad,
        Self::PurseUnload,
        Self::OverdraftRaise,
        Self::OverdraftCut,
    ];

    /// What may be torn by its name on a command line.
    pub const NAMED: &'static [(&'static str, &'static [Self])] = &[
        ("load", &[Self::Load, Self::LoadContactless]),
        ("cash-load", &[Self::CashLoad]),
        ("pending-load", &[Self::PendingLoad]),
        ("non-linked-load", &[Self::NonLinkedLoad]),
        ("reversal", &[Self::Reversal]),
        ("void", &[Self::CashLoadVoid]),
        ("unload", &[Self::Unload]),
        ("pay", &[Self::PayContact, Self::PayQuick, Self::PayKernel2, Self::PayKernel2Online]),
        ("refund", &[Self::Refund]),
        ("purse", Self::PURSES),
        ("all", Self::ALL),
    ];

    /// The ways of a journal row that no fault leads to, and why. Every other way
    /// must be taken by some case, and none of these by any.
    pub fn cannot(self, way: Transition) -> Option<&'static str> {
        use State::{
            AdviceDue, Authorised, CardUpdated, Confirmed, Declined, InDoubt, ReversalDue, Reversed, Started,
        };
        match (self, way) {
            (_, (_, AdviceDue) | (AdviceDue, _)) => return Some("no card here asks for an advice"),
            (kind, way) if kind.is_purse_purchase() => {
                return match way {
                    (Started, Declined | InDoubt | CardUpdated) => None,
                    (InDoubt, CardUpdated | Declined) | (CardUpdated, Confirmed) => None,
                    _ => Some("a purse pays before a security module, and no host is asked"),
                };
            }
            (kind, way) if kind.is_purse() => {
                return match way {
                    (Started, Authorised | ReversalDue) => None,
                    (Authorised, CardUpdated | InDoubt | ReversalDue) => None,
                    (InDoubt, CardUpdated | ReversalDue | Confirmed | Reversed) => None,
                    (CardUpdated, Confirmed) | (ReversalDue, Reversed) => None,
                    _ => Some("the host decides on a purse's change, and the card's counter proves it"),
                };
            }
            (Self::Refund, (Started, Confirmed)) => return None,
            (Self::Refund, _) => return Some("a refund asks nobody but the host, which refuses none here"),
            (_, (Started, Confirmed)) => return Some("the way of a refund"),
            (Self::Reversal, (Started, ReversalDue) | (ReversalDue, Reversed)) => return None,
            (Self::Reversal, _) => return Some("no answer ever came: it is undone"),
            (Self::PayKernel2, (Started, Declined | CardUpdated) | (CardUpdated, Confirmed)) => return None,
            (Self::PayKernel2, _) => return Some("nothing moves but by the card's certificate"),
            (Self::PayKernel2Online, (Started, Authorised | Declined | ReversalDue)) => return None,
            (Self::PayKernel2Online, (Authorised, Confirmed) | (ReversalDue, Reversed)) => return None,
            (Self::PayKernel2Online, (Authorised, ReversalDue)) => return None,
            (Self::PayKernel2Online, _) => return Some("the host decides, and the card has left"),
            _ => {}
        }
        match (self.flow() == Some(Flow::Pay), way) {
            (_, (CardUpdated, Declined)) => Some("no card's balance contradicts its log"),
            (_, (Authorised, Confirmed)) => Some("the way of an online purchase"),
            (false, (Started, InDoubt | CardUpdated) | (InDoubt, Declined)) => {
                Some("the way of an offline payment")
            }
            (false, (Started, Declined)) => Some("no fault makes a host decline"),
            (false, (ReversalDue, Confirmed)) => {
                Some("a reversal is due where nothing was sent, and then no proof against it can be")
            }
            (false, _) => None,
            (true, (Started, Declined | InDoubt | CardUpdated)) => None,
            (true, (InDoubt, CardUpdated | Declined) | (CardUpdated, Confirmed)) => None,
            (true, _) => Some("the way of a load"),
        }
    }

    /// What is done; a refund is none of the card's transactions.
    pub const fn flow(self) -> Option<Flow> {
        Some(match self {
            Self::Load | Self::LoadContactless | Self::Reversal => Flow::Load,
            Self::CashLoad => Flow::CashLoad,
            Self::PendingLoad => Flow::PendingLoad,
            Self::NonLinkedLoad => Flow::NonLinkedLoad,
            Self::CashLoadVoid => Flow::CashLoadVoid,
            Self::Unload => Flow::Unload,
            Self::PayContact | Self::PayQuick | Self::PayKernel2 | Self::PayKernel2Online => Flow::Pay,
            Self::Refund => return None,
            Self::PursePurchase | Self::PurseCompound => return None,
            Self::PurseLoad | Self::PurseUnload | Self::OverdraftRaise | Self::OverdraftCut => return None,
        })
    }

    /// Whether it is done with a purse.
    pub const fn is_purse(self) -> bool {
        self.is_purse_purchase()
            || matches!(self, Self::PurseLoad | Self::PurseUnload | Self::OverdraftRaise | Self::OverdraftCut)
    }

    /// Whether a purse pays.
    pub const fn is_purse_purchase(self) -> bool {
        matches!(self, Self::PursePurchase | Self::PurseCompound)
    }

    /// Whether the card gets a script, where nothing goes wrong besides.
    pub const fn has_script(self) -> bool {
        match self.flow() {
            Some(flow) => flow.writes_card() && !matches!(self, Self::Reversal),
            None => false,
        }
    }

    /// How the card is reached.
    pub const fn interface(self) -> Interface {
        match self {
            Self::LoadContactless | Self::PayQuick | Self::PayKernel2 | Self::PayKernel2Online => {
                Interface::Contactless
            }
            Self::PursePurchase | Self::PurseCompound => Interface::Contactless,
            _ => Interface::Contact,
        }
    }

    /// The profile of the card.
    pub const fn profile(self) -> &'static str {
        match self {
            Self::PayKernel2 | Self::PayKernel2Online => "mastercard-like",
            kind if kind.is_purse() => "eped",
            _ => "ecash",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Load => "load, contact",
            Self::LoadContactless => "load, contactless",
            Self::CashLoad => "cash load",
            Self::PendingLoad => "load from pending",
            Self::NonLinkedLoad => "non-linked load",
            Self::Reversal => "reversed load",
            Self::CashLoadVoid => "void of cash load",
            Self::Unload => "unload",
            Self::PayContact => "pay, contact",
            Self::PayQuick => "pay, quick path",
            Self::PayKernel2 => "pay, kernel 2",
            Self::PayKernel2Online => "pay, kernel 2, online",
            Self::Refund => "refund",
            Self::PursePurchase => "pay, purse",
            Self::PurseCompound => "pay, compound",
            Self::PurseLoad => "load, purse",
            Self::PurseUnload => "unload, purse",
            Self::OverdraftRaise => "overdraft, raised",
            Self::OverdraftCut => "overdraft, cut",
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
    /// The card of the kind's profile.
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
            TearKind::CashLoad | TearKind::PendingLoad | TearKind::NonLinkedLoad => &[Self::WithoutLogs],
            TearKind::CashLoadVoid
            | TearKind::Reversal
            | TearKind::Refund
            | TearKind::PayKernel2
            | TearKind::PayKernel2Online => &[Self::WithLogs],
            kind if kind.is_purse() => &[Self::WithLogs],
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
            // Its cryptogram is asked for again; electronic cash is proven by its balance.
            _ if matches!(kind, TearKind::PayKernel2 | TearKind::PayKernel2Online) => {
                *way == Afterwards::TappedAgain
            }
            (_, _, Afterwards::TappedAgain) => false,
            // The host sees the counter of a load; of a purchase nobody but the card tells.
            _ if kind.is_purse_purchase() => {
                matches!(way, Afterwards::SpentElsewhere | Afterwards::LoadedElsewhere)
            }
            _ if kind.is_purse() => matches!(way, Afterwards::LoadedElsewhere | Afterwards::NeverBack),
            // Neither asks the card for proof.
            _ if matches!(kind, TearKind::Refund | TearKind::Reversal) => *way == Afterwards::NeverBack,
            (_, Some(Flow::CashLoad | Flow::PendingLoad | Flow::NonLinkedLoad), Afterwards::NeverBack) => {
                false
            }
            (_, Some(Flow::Pay), Afterwards::NeverBack) => false,
            (Self::WithoutLogs, Some(Flow::Pay), _) => false,
            (Self::WithoutLogs, _, Afterwards::SpentElsewhere) => false,
            _ => true,
        })
    }
}

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
    /// Whether the card gets a script; see [`TearKind::has_script`].
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

/// What the card does between the fault and its return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Afterwards {
    /// It comes back at once.
    Back,
    /// The terminal settles what it can, and the card is tapped again for the same amount.
    TappedAgain,
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
        &[Self::Back, Self::TappedAgain, Self::SpentElsewhere, Self::LoadedElsewhere, Self::NeverBack];

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Back => "back at once",
            Self::TappedAgain => "tapped again",
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
