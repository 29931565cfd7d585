//! Which transaction is torn, by what card it is made, and which ways of its journal row no fault
//! can lead to.

use crate::air::link::Interface;
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
