//! What must hold in a world: after every step, and at the end when everyone is back
//! who comes back. The judge knows the cards themselves, and so what happened in truth.

use super::action::{ActionRow, Part};
use super::plan::Step;
use super::play::Played;
use super::stand::World;
use crate::roles::issuer::{CurrencyBooks, OpenLoad};
use crate::roles::terminal::Settled;
use crate::roles::terminal::journal::{Entry, EntryKind, State};
use crate::words::dictionary::tag;
use crate::words::iso4217::{Amount, Currency};
use crate::world::error::WorldError;
use std::collections::BTreeMap;

const CURRENCIES: [Currency; 2] = [Currency::CNY, Currency::HKD];

/// Remembers what it saw at first, and what every row came to in truth.
pub(super) struct Judge {
    /// What each part of each currency held at first, minor units.
    at_first: Vec<(Currency, BTreeMap<Part, i64>)>,
    /// The counter of each card.
    counters: Vec<u16>,
    /// By terminal, batch and trace.
    rows: BTreeMap<Mark, Truth>,
}

/// Terminal, batch and trace.
type Mark = (usize, u32, u32);

/// What a row came to in truth.
#[derive(Debug, Clone, Copy)]
struct Truth {
    /// Which card.
    card: usize,
    /// Whether the card's balance has moved.
    moved: bool,
    /// What it paid, if it is an offline payment.
    paid: Option<Amount>,
}

/// What the card of a step held before it, minor units.
pub(super) type Before = Vec<(Currency, i64)>;

/// What is wrong, if anything.
type Wrong = Result<Option<String>, WorldError>;

impl Judge {
    /// Looks at a world in which nothing has happened.
    pub(super) fn new(world: &mut World) -> Result<Self, WorldError> {
        let mut at_first = Vec::new();
        let books = world.issuer.books(&mut world.context)?;
        for currency in CURRENCIES {
            at_first.push((currency, world.parts(&books.of(currency))));
        }
        let counters = world.cards.iter().map(|card| card.simulator().memory().atc()).collect();
        Ok(Self { at_first, counters, rows: BTreeMap::new() })
    }

    /// What the card of a step holds before it.
    pub(super) fn before_step(&self, world: &World, step: &Step) -> Before {
        let card = world.cards.get(step.card);
        CURRENCIES.map(|of| (of, card.map_or(0, |card| card.balance_minor(of)))).to_vec()
    }

    /// Counters only grow; rows say what their card did; the money is all there.
    pub(super) fn after_step(&mut self, world: &mut World, step: &Step, before: &Before) -> Wrong {
        for (number, (card, last)) in world.cards.iter().zip(&mut self.counters).enumerate() {
            let now = card.simulator().memory().atc();
            if now < *last {
                return Ok(Some(format!("the counter of card {number} was {last} and is {now}")));
            }
            *last = now;
        }
        let rows = match world.counters.get_mut(step.terminal) {
            Some(counter) => counter.stage.journal.rows()?,
            None => Vec::new(),
        };
        if let Some(wrong) = self.take_new_rows(world, step, before, &rows) {
            return Ok(Some(wrong));
        }
        for row in &rows {
            if let Some(wrong) = self.lies(step.terminal, row) {
                return Ok(Some(wrong));
            }
        }
        self.sums(world)
    }

    /// Every row is settled, or due for a reason that holds; the books are what the
    /// rows say, and in order; the money is all there.
    pub(super) fn at_the_end(
        &mut self,
        world: &mut World,
        due: &[(usize, Settled)],
        played: &mut Played,
    ) -> Wrong {
        let loads = world.issuer.open_loads(&mut world.context)?;
        let mut rows = Vec::new();
        for (number, counter) in world.counters.iter_mut().enumerate() {
            rows.extend(counter.stage.journal.rows()?.into_iter().map(|row| (number, row)));
        }
        for (terminal, row) in &rows {
            if let Some(wrong) = self.lies(*terminal, row) {
                return Ok(Some(wrong));
            }
            if row.state.is_final() {
                continue;
            }
            let told = due.iter().find(|(at, told)| at == terminal && told.trace == (row.batch, row.trace));
            if told.is_none_or(|(_, told)| told.amount != row.amount) {
                return Ok(Some(format!("{} is open and not listed as due", shown(*terminal, row))));
            }
            match self.why_open(world, *terminal, row, &loads) {
                Some(Open::Away) => played.away += 1,
                Some(Open::Unproven) => played.unproven += 1,
                Some(Open::CertificateLost) => played.certificates_lost += 1,
                None => return Ok(Some(format!("{} is left", shown(*terminal, row)))),
            }
        }
        for load in &loads {
            if !rows.iter().any(|(at, row)| !row.state.is_final() && speaks_of(*at, row, load)) {
                let (_, of, ..) = &load.request;
                return Ok(Some(format!(
                    "the issuer's load of {} at {of} is open, and no row is",
                    load.amount
                )));
            }
            if was_seen_since(world, load) {
                return Ok(Some(format!(
                    "the issuer's load of {} is open, though the card showed its balance since",
                    load.amount
                )));
            }
        }
        if let Some(violation) = world.issuer.check(&mut world.context)?.first() {
            return Ok(Some(violation.to_string()));
        }
        match self.books(world, &rows, &loads)? {
            None => self.sums(world),
            wrong => Ok(wrong),
        }
    }

    /// The rows that a step has opened, and whether the card did what they say.
    fn take_new_rows(
        &mut self,
        world: &World,
        step: &Step,
        before: &Before,
        rows: &[Entry],
    ) -> Option<String> {
        let card = world.cards.get(step.card)?;
        let new = rows.iter().filter(|row| !self.rows.contains_key(&mark(step.terminal, row)));
        let new: Vec<&Entry> = new.collect();
        for (currency, held) in before {
            let found = card.balance_minor(*currency) - held;
            let of_currency = || new.iter().filter(|row| row.amount.currency == *currency);
            let clear = of_currency().filter(|row| says_moved(row) == Some(true));
            let expected: i64 = clear.map(|row| change_minor(row)).sum();
            let unclear = of_currency().find(|row| says_moved(row).is_none());
            let moved = match unclear {
                _ if found == expected => false,
                Some(row) if found == expected + change_minor(row) => true,
                _ => {
                    let said =
                        of_currency().map(|row| shown(step.terminal, row)).collect::<Vec<_>>().join(", ");
                    let all = if said.is_empty() { "nothing".into() } else { said };
                    return Some(format!(
                        "card {} changed by {found} of {currency}, and the journal says {all}",
                        step.card
                    ));
                }
            };
            for row in of_currency() {
                let moved = says_moved(row).unwrap_or(moved);
                let paid = (moved && row.kind == EntryKind::OfflineSale).then_some(row.amount);
                self.rows.insert(mark(step.terminal, row), Truth { card: step.card, moved, paid });
            }
        }
        let asked = step.action.amount;
        let other = new.iter().find(|row| !names_its_amount(row.kind) && row.amount != asked);
        other.map(|row| format!("{} was to be of {asked}", shown(step.terminal, row)))
    }

    /// A row that says what the card did not do.
    fn lies(&self, terminal: usize, row: &Entry) -> Option<String> {
        let truth = self.rows.get(&mark(terminal, row))?;
        let did = if truth.moved { "has moved" } else { "never moved" };
        let lie = says_moved(row).is_some_and(|said| said != truth.moved);
        lie.then(|| format!("{}, and the balance of card {} {did}", shown(terminal, row), truth.card))
    }

    /// Why a row may stay open.
    fn why_open(&self, world: &World, terminal: usize, row: &Entry, loads: &[OpenLoad]) -> Option<Open> {
        if certificate_is_lost(row) {
            let claimed = world.notes.read().uploads.contains_key(&(name(terminal), row.batch, row.trace));
            return claimed.then_some(Open::CertificateLost);
        }
        let truth = self.rows.get(&mark(terminal, row))?;
        let card = world.cards.get(truth.card)?;
        let unsettled = loads.iter().any(|load| speaks_of(terminal, row, load));
        // What the issuer has settled, it tells a terminal that asks.
        if row.state != State::InDoubt || (row.kind.writes_card() && !unsettled) {
            return None;
        }
        if !card.planned.returns {
            return Some(Open::Away);
        }
        // Its card keeps no log and has moved on since: neither its balance nor
        // anything else that it tells can prove the row.
        let now = card.simulator().memory().atc();
        let moved_on = !card.planned.logs && row.atc.is_none_or(|atc| now > atc);
        moved_on.then_some(Open::Unproven)
    }

    /// Each part of the books holds what the rows say.
    fn books(&self, world: &mut World, rows: &[(usize, Entry)], loads: &[OpenLoad]) -> Wrong {
        let books = world.issuer.books(&mut world.context)?;
        for (currency, at_first) in &self.at_first {
            let mut expected = at_first.clone();
            let mut claims = vec![0];
            let mut add = |part: Part, minor: i64| *expected.entry(part).or_default() += minor;
            for (terminal, row) in rows.iter().filter(|(_, row)| row.amount.currency == *currency) {
                let Some(moves) = ActionRow::moves(row.kind) else {
                    return Ok(Some(format!("no row of the actions has the kind {}", row.kind.word())));
                };
                let Some((from, to)) = moves else { continue };
                let minor = row.amount.minor as i64;
                let moved = self.rows.get(&mark(*terminal, row)).is_some_and(|truth| truth.moved);
                let confirmed = row.state == State::Confirmed;
                let in_flight = loads.iter().any(|load| speaks_of(*terminal, row, load));
                // The cards are judged by what they did, the books by what was settled.
                let has_left = if from == Part::Cards { moved } else { confirmed || in_flight };
                let has_come = if to == Part::Cards { moved } else { confirmed };
                add(from, if has_left { -minor } else { 0 });
                add(to, if has_come { minor } else { 0 });
                if row.kind == EntryKind::AccountSale && confirmed {
                    claims.extend(claims.clone().into_iter().map(|sum| sum + minor));
                }
            }
            let found = world.parts(&books.of(*currency));
            // An account that holds less than its card has paid leaves the merchant's claim unpaid.
            let of = |parts: &BTreeMap<Part, i64>, part| parts.get(&part).copied().unwrap_or(0);
            let unpaid = of(&expected, Part::Merchants) - of(&found, Part::Merchants);
            if claims.contains(&unpaid) {
                *expected.entry(Part::Merchants).or_default() -= unpaid;
                *expected.entry(Part::Accounts).or_default() += unpaid;
            }
            for (part, minor) in expected {
                let is = of(&found, part);
                if is != minor {
                    return Ok(Some(format!(
                        "{part:?} of {currency}: {minor} by the journals, {is} in truth"
                    )));
                }
            }
        }
        Ok(None)
    }

    /// Accounts, cards, merchants, and what is in flight (design: money).
    fn sums(&self, world: &mut World) -> Wrong {
        let loads = world.issuer.open_loads(&mut world.context)?;
        let books = world.issuer.books(&mut world.context)?;
        let noted = world.notes.read();
        for (currency, at_first) in &self.at_first {
            let books = books.of(*currency);
            let mut sum = world.parts(&books).values().sum::<i64>() + books.in_flight_minor;
            for load in loads.iter().filter(|load| load.amount.currency == *currency) {
                // In flight for the books, on the card in truth.
                let moved = self.truth_of(world, load).is_some_and(|truth| truth.moved);
                if moved != load.kind.lowers_card() {
                    sum -= load.amount.minor as i64;
                }
            }
            // Paid and not uploaded; where the issuer stopped over an upload, either.
            let mut either = vec![sum];
            for ((terminal, batch, trace), truth) in &self.rows {
                let Some(paid) = truth.paid.filter(|paid| paid.currency == *currency) else { continue };
                let minor = paid.minor as i64;
                match noted.uploads.get(&(name(*terminal), *batch, *trace)) {
                    Some(true) => {}
                    Some(false) => either.extend(either.clone().into_iter().map(|sum| sum + minor)),
                    None => either.iter_mut().for_each(|sum| *sum += minor),
                }
            }
            let expected: i64 = at_first.values().sum();
            if !either.contains(&expected) {
                return Ok(Some(format!("the sum of {currency} was {expected} and is {}", either[0])));
            }
        }
        Ok(None)
    }

    fn truth_of(&self, world: &World, load: &OpenLoad) -> Option<&Truth> {
        let (_, of, batch, trace) = &load.request;
        let terminal = (0..world.counters.len()).find(|number| name(*number) == *of)?;
        self.rows.get(&(terminal, *batch, *trace))
    }
}

/// Why a row may stay open.
enum Open {
    /// Its card never came back.
    Away,
    /// Nothing that its card tells can prove it any more.
    Unproven,
    /// The card has paid and its answer was lost: the claim waits for its next balance.
    CertificateLost,
}

impl World {
    /// What each part holds in a currency, minor units: the books', and the cards' own.
    fn parts(&self, books: &CurrencyBooks) -> BTreeMap<Part, i64> {
        BTreeMap::from([
            (Part::Accounts, books.accounts_minor + books.held_minor),
            (Part::Pending, books.pending_minor),
            (Part::Cash, books.cash_minor),
            (Part::Merchants, books.merchants_minor),
            (Part::Cards, self.cards.iter().map(|card| card.balance_minor(books.currency)).sum()),
        ])
    }

    /// All that happened and the books as they are, as one number.
    pub(super) fn digest(&mut self) -> Result<u64, WorldError> {
        let mut digest = self.witness.digest();
        let books = self.issuer.books(&mut self.context)?;
        for books in CURRENCIES.map(|currency| books.of(currency)) {
            for minor in self.parts(&books).into_values().chain([books.in_flight_minor, books.shadows_minor])
            {
                digest = (digest.rotate_left(5) ^ minor as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
        }
        Ok(digest)
    }
}

/// What a row says of its card: that it has moved, that it has not, or nothing yet.
fn says_moved(row: &Entry) -> Option<bool> {
    if !row.kind.writes_card() && row.kind != EntryKind::OfflineSale {
        return Some(false);
    }
    match row.state {
        State::Confirmed | State::CardUpdated => Some(true),
        State::Reversed | State::ReversalDue | State::AdviceDue | State::Declined => Some(false),
        State::Started | State::Authorised if !row.sent => Some(false),
        State::Started | State::Authorised | State::InDoubt => None,
    }
}

/// What a row does to its card once it has moved, minor units.
fn change_minor(row: &Entry) -> i64 {
    let lowers = row.kind.lowers_card() || row.kind == EntryKind::OfflineSale;
    if lowers { -(row.amount.minor as i64) } else { row.amount.minor as i64 }
}

/// Whether the amount of such a row is that of another row, not the one asked for.
const fn names_its_amount(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::CashLoadVoid | EntryKind::PreAuthorisationCompletion | EntryKind::PreAuthorisationCancel
    )
}

/// The card has paid and its answer was lost: the terminal can only claim it.
fn certificate_is_lost(row: &Entry) -> bool {
    row.kind.is_offline_sale()
        && row.state == State::CardUpdated
        && !row.chip.has(tag::APPLICATION_CRYPTOGRAM)
}

/// Whether the card's next counter was that of a load, which shows its balance.
fn was_seen_since(world: &World, load: &OpenLoad) -> bool {
    let next = (load.pan.expose().to_owned(), load.amount.currency, load.atc.wrapping_add(1));
    world.notes.read().loads.contains(&next)
}

fn speaks_of(terminal: usize, row: &Entry, load: &OpenLoad) -> bool {
    let (_, of, batch, trace) = &load.request;
    *of == name(terminal) && (row.batch, row.trace) == (*batch, *trace) && row.amount == load.amount
}

fn mark(terminal: usize, row: &Entry) -> Mark {
    (terminal, row.batch, row.trace)
}

/// A terminal's name on the line.
pub(super) fn name(terminal: usize) -> String {
    format!("CW{:06}", terminal + 1)
}

fn shown(terminal: usize, row: &Entry) -> String {
    format!("terminal {terminal}: a {} of {}, {}", row.kind.word(), row.amount, row.state)
}
