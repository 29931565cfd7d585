//! What may be done at a terminal, a row each: how often, about how much, where its
//! money goes, and how it is done.

use super::carried::Carried;
use crate::air::host::Original;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::roles::issuer::Issuer;
use crate::roles::terminal::journal::{EntryKind, State};
use crate::roles::terminal::{Flow, Outcome};
use crate::words::iso4217::Amount;
use crate::words::iso7816::command::{PinBlock, Select, Verify};
use crate::words::iso7816::{ApduCommand, StatusWord};
use crate::world::error::WorldError;
use crate::world::issue::DEFAULT_PIN;
use crate::world::stage::Stage;

/// A PIN that no card here has.
const WRONG_PIN: &str = "654321";

/// A kind of thing that is done.
pub struct ActionRow {
    /// What it is.
    pub word: &'static str,
    /// How often it is drawn, among the others.
    pub(super) weight: u64,
    /// The most that it is about, minor units; 0 where it is about no amount.
    pub(super) most_minor: u64,
    /// The kind of the journal's row.
    pub(super) entry: Option<EntryKind>,
    /// From where to where the money goes once that row is confirmed.
    pub(super) moves: Option<(Part, Part)>,
    /// How it is done.
    pub(super) act: fn(&mut Turn<'_>) -> Result<Said, WorldError>,
}

/// Where money can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The funding accounts, with what is held of them.
    Accounts,
    /// What waits to be loaded.
    Pending,
    /// The merchants' cash counters: below zero by what they took.
    Cash,
    /// The merchants.
    Merchants,
    /// The cards.
    Cards,
}

/// Somebody's turn: a card at a terminal, and what they are about.
pub(super) struct Turn<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) issuer: &'a mut Issuer,
    pub(super) card: &'a Carried,
    pub(super) amount: Amount,
    pub(super) context: &'a mut Context,
}

/// What a turn came to.
pub(super) enum Said {
    /// A transaction has its outcome.
    Outcome(Box<Outcome>),
    /// The card's answer to a PIN.
    Pin(StatusWord),
    /// Nothing to tell.
    Nothing,
}

/// Everything that may be done. To add one: a row.
pub const ACTIONS: &[ActionRow] = &[
    ActionRow { word: "load", weight: 8, act: |turn| turn.transact(Flow::Load, DEFAULT_PIN), ..LOAD },
    ActionRow {
        word: "load, wrong PIN",
        weight: 1,
        act: |turn| turn.transact(Flow::Load, WRONG_PIN),
        ..LOAD
    },
    ActionRow {
        word: "cash load",
        weight: 3,
        most_minor: 30_000,
        entry: Some(EntryKind::CashLoad),
        moves: Some((Part::Cash, Part::Cards)),
        act: |turn| turn.transact(Flow::CashLoad, DEFAULT_PIN),
    },
    ActionRow {
        word: "void of a cash load",
        weight: 2,
        most_minor: 10_000,
        entry: Some(EntryKind::CashLoadVoid),
        moves: Some((Part::Cards, Part::Cash)),
        act: void,
    },
    ActionRow {
        word: "load from pending",
        weight: 3,
        most_minor: 10_000,
        entry: Some(EntryKind::PendingLoad),
        moves: Some((Part::Pending, Part::Cards)),
        act: |turn| turn.transact(Flow::PendingLoad, DEFAULT_PIN),
    },
    ActionRow {
        word: "unload",
        weight: 3,
        most_minor: 10_000,
        entry: Some(EntryKind::Unload),
        moves: Some((Part::Cards, Part::Accounts)),
        act: |turn| turn.transact(Flow::Unload, DEFAULT_PIN),
    },
    ActionRow {
        word: "pay",
        weight: 9,
        most_minor: 9_000,
        entry: Some(EntryKind::OfflineSale),
        moves: Some((Part::Cards, Part::Merchants)),
        act: |turn| turn.transact(Flow::Pay, DEFAULT_PIN),
    },
    // A card without electronic cash, or one whose issuer is to be asked.
    ActionRow {
        word: "pay online",
        weight: 2,
        most_minor: 90_000,
        entry: Some(EntryKind::OnlinePurchase),
        moves: Some((Part::Accounts, Part::Merchants)),
        act: |turn| turn.transact(Flow::Pay, DEFAULT_PIN),
    },
    ActionRow {
        word: "pay on account",
        weight: 1,
        most_minor: 2_000,
        entry: Some(EntryKind::AccountSale),
        moves: Some((Part::Accounts, Part::Merchants)),
        act: |turn| turn.transact(Flow::Pay, DEFAULT_PIN),
    },
    ActionRow {
        word: "hold",
        weight: 1,
        most_minor: 20_000,
        entry: Some(EntryKind::PreAuthorisation),
        moves: None,
        act: |turn| turn.transact(Flow::PreAuthorise, DEFAULT_PIN),
    },
    ActionRow {
        word: "completion of a hold",
        weight: 2,
        most_minor: 10_000,
        entry: Some(EntryKind::PreAuthorisationCompletion),
        moves: Some((Part::Accounts, Part::Merchants)),
        act: |turn| end_hold(turn, true),
    },
    ActionRow {
        word: "cancellation of a hold",
        weight: 1,
        most_minor: 10_000,
        entry: Some(EntryKind::PreAuthorisationCancel),
        moves: None,
        act: |turn| end_hold(turn, false),
    },
    ActionRow {
        word: "inquiry",
        most_minor: 0,
        act: |turn| turn.transact(Flow::Inquire, DEFAULT_PIN),
        ..NO_MONEY
    },
    ActionRow {
        word: "recover",
        weight: 3,
        act: |turn| turn.stage.recover(turn.context).map(|_| Said::Nothing),
        ..NO_MONEY
    },
    ActionRow {
        word: "upload, no card",
        weight: 2,
        act: |turn| turn.stage.recover_without_card(turn.context).map(|_| Said::Nothing),
        ..NO_MONEY
    },
    ActionRow { word: "PIN to the card", act: |turn| verify(turn, DEFAULT_PIN), ..NO_MONEY },
    ActionRow { word: WRONG_TRY, act: |turn| verify(turn, WRONG_PIN), ..NO_MONEY },
    ActionRow { word: "card blocked on file", act: |turn| set_active(turn, false), ..NO_MONEY },
    ActionRow { word: "card freed on file", act: |turn| set_active(turn, true), ..NO_MONEY },
];

/// The word of the one in which a PIN try is lost.
pub(super) const WRONG_TRY: &str = "wrong PIN to the card";

const LOAD: ActionRow = ActionRow {
    most_minor: 30_000,
    entry: Some(EntryKind::Load),
    moves: Some((Part::Accounts, Part::Cards)),
    ..NO_MONEY
};

const NO_MONEY: ActionRow =
    ActionRow { word: "", weight: 1, most_minor: 0, entry: None, moves: None, act: |_| Ok(Said::Nothing) };

impl ActionRow {
    /// From where to where the money of a confirmed row goes; none where nobody said.
    pub(super) fn moves(kind: EntryKind) -> Option<Option<(Part, Part)>> {
        ACTIONS.iter().find(|row| row.entry == Some(kind)).map(|row| row.moves)
    }
}

impl PartialEq for ActionRow {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for ActionRow {}

impl std::fmt::Debug for ActionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word)
    }
}

impl Turn<'_> {
    fn transact(&mut self, flow: Flow, pin: &str) -> Result<Said, WorldError> {
        let mut cardholder = Secret::new(pin.to_owned());
        let (_, outcome) = self.stage.transact(flow, self.amount, &mut cardholder, self.context)?;
        Ok(Said::Outcome(Box::new(outcome)))
    }

    /// The last confirmed row of this card at this terminal; where there is none, one is made first.
    fn original(&mut self, kind: EntryKind, flow: Flow) -> Result<Option<Original>, WorldError> {
        if let Some(found) = self.last(kind)? {
            return Ok(Some(found));
        }
        self.transact(flow, DEFAULT_PIN)?;
        self.last(kind)
    }

    fn last(&mut self, kind: EntryKind) -> Result<Option<Original>, WorldError> {
        let rows = self.stage.journal.rows()?;
        let own = rows.iter().rev().find(|row| {
            row.kind == kind && row.state == State::Confirmed && self.card.pan.as_ref() == Some(&row.card.pan)
        });
        Ok(own.map(|row| Original { batch: row.batch, trace: row.trace }))
    }
}

fn void(turn: &mut Turn<'_>) -> Result<Said, WorldError> {
    let Some(load) = turn.original(EntryKind::CashLoad, Flow::CashLoad)? else { return Ok(Said::Nothing) };
    let mut cardholder = Secret::new(DEFAULT_PIN.to_owned());
    let (_, outcome) = turn.stage.void(load, &mut cardholder, turn.context)?;
    Ok(Said::Outcome(Box::new(outcome)))
}

fn end_hold(turn: &mut Turn<'_>, take: bool) -> Result<Said, WorldError> {
    let hold = turn.original(EntryKind::PreAuthorisation, Flow::PreAuthorise)?;
    let Some(hold) = hold else { return Ok(Said::Nothing) };
    let held = turn.stage.journal.row(hold.batch, hold.trace)?.amount;
    // The currency of a row is its hold's.
    let taken = Amount::new(turn.amount.minor.min(held.minor), held.currency);
    let mut cardholder = Secret::new(DEFAULT_PIN.to_owned());
    let (_, outcome) = turn.stage.end_hold(hold, take.then_some(taken), &mut cardholder, turn.context)?;
    Ok(Said::Outcome(Box::new(outcome)))
}

fn verify(turn: &mut Turn<'_>, digits: &str) -> Result<Said, WorldError> {
    let aids: Vec<_> = turn.stage.config.aids().cloned().collect();
    for aid in aids {
        if turn.stage.card.transmit(&Select::first(aid).to_apdu(), turn.context)?.status.is_ok() {
            let pin = PinBlock::from_digits(digits);
            return Ok(Said::Pin(turn.stage.card.transmit(&Verify { pin }.to_apdu(), turn.context)?.status));
        }
    }
    Ok(Said::Nothing)
}

/// A blocked card is refused whatever it asks for; what is under way must be settled all the same.
fn set_active(turn: &mut Turn<'_>, active: bool) -> Result<Said, WorldError> {
    if let Some(pan) = &turn.card.pan {
        turn.issuer.set_card_active(pan, turn.card.psn, active, turn.context)?;
    }
    Ok(Said::Nothing)
}
