//! A case: a transaction with a card, a fault, and what the card does before the terminal sees it
//! again.

use super::fault::TearFault;
use super::kind::TearKind;
use crate::roles::terminal::Flow;
use std::fmt;

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
