//! What must hold in a world: after every step, and at the end when everyone is back.

use super::play::{Played, World};
use crate::roles::issuer::{CurrencyBooks, HistoryRow, OpenLoad};
use crate::roles::terminal::journal::{Entry, EntryKind, State};
use crate::words::dictionary::tag;
use crate::words::iso4217::Currency;
use crate::words::pboc::EcashSet;
use crate::world::error::WorldError;

const CURRENCIES: [Currency; 2] = [Currency::CNY, Currency::HKD];

/// Remembers what it saw at first and last.
pub(super) struct Judge {
    /// The sum of each currency, minor units.
    totals: Vec<(Currency, i64)>,
    /// The counter of each card.
    counters: Vec<u16>,
}

impl Judge {
    /// Looks at a world in which nothing has happened.
    pub(super) fn new(world: &mut World) -> Result<Self, WorldError> {
        let mut totals = Vec::new();
        let books = world.issuer.books(&mut world.context)?;
        for currency in CURRENCIES {
            totals.push((currency, world.total_minor(books.of(currency), &[])));
        }
        Ok(Self {
            totals,
            counters: world.cards.iter().map(|card| card.simulator().memory().atc()).collect(),
        })
    }

    /// Counters only grow; and where every row is settled the money is all there.
    pub(super) fn after_step(&mut self, world: &mut World) -> Result<Option<String>, WorldError> {
        for (number, (card, last)) in world.cards.iter().zip(&mut self.counters).enumerate() {
            let now = card.simulator().memory().atc();
            if now < *last {
                return Ok(Some(format!("the counter of card {number} was {last} and is {now}")));
            }
            *last = now;
        }
        let open = world.open_rows()?;
        if open.iter().all(|(_, row)| certificate_is_lost(row)) && world.open_loads()?.is_empty() {
            let open = world.unbooked(open)?;
            return self.sums(world, &open);
        }
        Ok(None)
    }

    /// Every row is settled or provably in doubt, the books are in order, and the
    /// money is all there.
    pub(super) fn at_the_end(
        &mut self,
        world: &mut World,
        played: &mut Played,
    ) -> Result<Option<String>, WorldError> {
        let open = world.open_rows()?;
        for (terminal, row) in &open {
            if certificate_is_lost(row) {
                played.certificates_lost += 1;
            } else if world.cannot_be_proven(row) {
                played.unproven += 1;
            } else {
                let (kind, amount, state) = (row.kind.word(), row.amount, row.state);
                return Ok(Some(format!("terminal {terminal}: a {kind} of {amount} is left {state}")));
            }
        }
        for load in world.open_loads()? {
            let (_, of, batch, trace) = &load.request;
            let is_rows = |(_, row): &(String, Entry)| {
                row.kind == EntryKind::Load && (row.batch, row.trace) == (*batch, *trace)
            };
            if !open.iter().any(|row| row.0 == *of && is_rows(row)) {
                return Ok(Some(format!(
                    "the issuer's load of {} at {of} is open, and no row is",
                    load.amount
                )));
            }
        }
        if let Some(violation) = world.issuer.check(&mut world.context)?.first() {
            return Ok(Some(violation.to_string()));
        }
        let open = world.unbooked(open)?;
        self.sums(world, &open)
    }

    /// The sums, where rows whose card may or may not have changed leave a choice.
    fn sums(&self, world: &mut World, open: &[(String, Entry)]) -> Result<Option<String>, WorldError> {
        let books = world.issuer.books(&mut world.context)?;
        for (currency, expected) in &self.totals {
            let mut possible = vec![world.total_minor(books.of(*currency), open)];
            let found = possible[0];
            let unsure = open.iter().map(|(_, row)| row);
            for row in unsure.filter(|row| row.amount.currency == *currency && !certificate_is_lost(row)) {
                let minor = row.amount.minor as i64;
                // A payment that happened has left the card and is in nobody's books; a
                // load that landed is on the card and still in flight.
                let change = if row.kind == EntryKind::Load { -minor } else { minor };
                possible.extend(possible.clone().into_iter().map(|total| total + change));
                possible.sort_unstable();
                possible.dedup();
            }
            if !possible.contains(expected) {
                return Ok(Some(format!("the sum of {currency} was {expected} and is {found}")));
            }
        }
        Ok(None)
    }
}

impl World {
    fn open_rows(&mut self) -> Result<Vec<(String, Entry)>, WorldError> {
        let mut open = Vec::new();
        for counter in &mut self.counters {
            let terminal = counter.stage.config.terminal.clone();
            open.extend(counter.stage.journal.open_rows()?.into_iter().map(|row| (terminal.clone(), row)));
        }
        Ok(open)
    }

    /// Without the payments that the issuer has booked by the card's balance, which their
    /// terminals have not heard of.
    fn unbooked(&mut self, open: Vec<(String, Entry)>) -> Result<Vec<(String, Entry)>, WorldError> {
        let mut kept = Vec::with_capacity(open.len());
        for (terminal, row) in open {
            let history = match certificate_is_lost(&row) {
                true => self.issuer.history(row.card.pan.expose(), &mut self.context)?.unwrap_or_default(),
                false => Vec::new(),
            };
            let is_booked = |known: &HistoryRow| {
                known.what == "offline sale" && known.state == "booked" && Some(known.atc) == row.atc
            };
            if !history.iter().any(is_booked) {
                kept.push((terminal, row));
            }
        }
        Ok(kept)
    }

    fn open_loads(&mut self) -> Result<Vec<OpenLoad>, WorldError> {
        Ok(self.issuer.open_loads(&mut self.context)?)
    }

    /// Accounts, cards, merchants, and what is in flight; a payment whose certificate was
    /// lost is in flight until the card's balance has proven it.
    fn total_minor(&self, books: CurrencyBooks, open: &[(String, Entry)]) -> i64 {
        let currency = books.currency;
        let mut total = books.accounts_minor + books.in_flight_minor + books.merchants_minor;
        for card in &self.cards {
            let simulator = card.simulator();
            for set in EcashSet::ALL {
                let of = simulator.memory().value(set.currency).and_then(Currency::from_bcd);
                if of == Some(currency) {
                    total += simulator.memory().balance(set).unwrap_or(0) as i64;
                }
            }
        }
        let lost = open.iter().map(|(_, row)| row);
        let lost = lost.filter(|row| certificate_is_lost(row) && row.amount.currency == currency);
        total + lost.map(|row| row.amount.minor as i64).sum::<i64>()
    }

    /// A row in doubt whose card keeps no log and has moved on since: neither its
    /// balance nor anything else that it tells can prove the row.
    fn cannot_be_proven(&self, row: &Entry) -> bool {
        let card = self.cards.iter().find(|card| card.pan.as_ref() == Some(&row.card.pan));
        row.state == State::InDoubt
            && card.is_some_and(|card| {
                let now = card.simulator().memory().atc();
                !card.planned.logs && row.atc.is_none_or(|atc| now > atc)
            })
    }
}

/// The card has paid and its answer was lost: the terminal can only claim it.
fn certificate_is_lost(row: &Entry) -> bool {
    row.kind == EntryKind::OfflineSale
        && row.state == State::CardUpdated
        && !row.chip.has(tag::APPLICATION_CRYPTOGRAM)
}
