//! The gate: a tap from the field's start to the open or shut leaf. A purse pays first; a bank
//! card is authenticated, deny list and rules are asked, the ride is kept, and only then it opens.

use super::air_time::{AirTime, Counted, since};
use super::book::Book;
use super::decision::Decision;
use super::deny_list::DenyList;
use super::error::GateError;
use super::line::Line;
use super::line_kind::LineKind;
use super::passage::{Passage, Timing, Why};
use super::purse::{Module, PurseTap, Spent};
use super::ride::{Place, Ride};
use super::rules;
use super::state::TapState;
use crate::air::host::{Answer, BatchTotals, Entry, Host, HostError, Request};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::env::Clock;
use crate::base::event::Event;
use crate::base::store::{SealKey, Sqlite};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{
    Flow, NoCardholder, Outcome, Seat, TerminalConfig, TerminalError, Terms, Verdict, drive,
};
use std::sync::Arc;

/// A gate.
pub struct Gate {
    pub(super) line: Line,
    config: Arc<TerminalConfig>,
    /// Cards that are not let through.
    pub deny_list: DenyList,
    pub(super) book: Book,
    /// The terminal's own; a ride writes nothing there.
    journal: Journal,
    /// What purses are paid with; without one no purse is met.
    module: Option<Module>,
    /// What the gate's own work is measured with.
    stopwatch: Box<dyn Clock + Sync>,
}

impl Gate {
    /// A gate of a line, with the terminal that `config` describes but for what the line says
    /// of it. `stopwatch` measures its own work.
    pub fn new(
        line: Line,
        config: TerminalConfig,
        mut deny_list: DenyList,
        mut book: Book,
        stopwatch: Box<dyn Clock + Sync>,
    ) -> Result<Self, GateError> {
        // The book finds a debtor by the number of the card; by the account, only the list does.
        book.barred_accounts()?.iter().for_each(|account| deny_list.add(account.expose()));
        let config = Arc::new(line.terminal(config));
        let journal = Journal::open(Box::new(Sqlite::in_memory()?), SealKey::from_bytes([0; 32]))?;
        Ok(Self { line, config, deny_list, book, journal, module: None, stopwatch })
    }

    /// Takes purses too, with this security module.
    #[must_use]
    pub fn with_sam(mut self, module: Box<dyn Card>) -> Self {
        self.module = Some(Module::new(module));
        self
    }

    /// The line.
    pub const fn line(&self) -> &Line {
        &self.line
    }

    /// Whether it debits purses.
    pub const fn takes_purses(&self) -> bool {
        self.line.purse.is_some() && self.module.is_some()
    }

    /// The gate's book.
    pub const fn book(&mut self) -> &mut Book {
        &mut self.book
    }

    /// Forgets the issuers' keys that it has recovered: the next tap is a cold one.
    pub fn forget_certificates(&self) {
        self.config.certificates.forget();
    }

    /// A card is held to the reader. Where this returns an open passage, the ride is kept; an
    /// error leaves the gate shut.
    pub fn tap(&mut self, card: &mut dyn Card, context: &mut Context) -> Result<Passage, GateError> {
        let trace = self.book.next_trace();
        let begun = self.stopwatch.now();
        let mut held = Counted::new(card, self.line.air, self.stopwatch.as_ref());
        let mut spent = Spent::default();
        let purse = match (&self.line.purse, &mut self.module) {
            (Some(rules), Some(module)) => {
                let mut tap = PurseTap {
                    line: &self.line,
                    rules,
                    deny_list: &self.deny_list,
                    book: &mut self.book,
                    module,
                    stopwatch: self.stopwatch.as_ref(),
                    trace,
                    spent,
                };
                let decision = tap.tap(&mut held, context)?;
                spent = tap.spent;
                decision
            }
            _ => None,
        };
        let outcome = match purse {
            Some(_) => None,
            None => {
                let terms = terms(&self.line, &self.config, trace, context);
                Some(authenticate(terms, &mut held, &mut self.journal, context))
            }
        };
        let air = AirTime { module: spent.module, in_link: held.time.in_link + spent.in_link, ..held.time };
        let is_gone = held.is_gone;
        let decision = match (purse, outcome) {
            (Some(decision), _) => decision,
            (None, Some(Ok(outcome))) => {
                let pan = outcome.pan.clone();
                Decision { pan, ..self.decide(outcome, context)? }
            }
            (None, Some(Err(error))) => Decision::shut(Why::Unreadable, error.to_string()),
            (None, None) => Decision::shut(Why::Unreadable, "nothing was read"),
        };
        let decision = match decision.why {
            Why::Unreadable if is_gone => Decision { why: Why::Gone, ..decision },
            _ => decision,
        };
        let mut timing = Timing { air, store: spent.store, ..Timing::default() };
        let elsewhere = air.in_link + spent.store;
        timing.decision = since(begun, self.stopwatch.as_ref()).saturating_sub(elsewhere);
        let Decision { why, reason, pan, ride } = decision;
        if let Some(ride) = ride {
            let begun = self.stopwatch.now();
            self.book.keep(&ride, context)?;
            timing.store += since(begun, self.stopwatch.as_ref());
        }
        let passage = Passage { why, reason, trace, pan, timing };
        let what = if passage.is_open() { "gate opens" } else { "gate stays shut" };
        context.emit(Event::new("gate", what).because(format!("{}: {}", why.word(), passage.reason)));
        let budget_ms = self.line.budget_ms;
        if passage.is_open() && timing.is_over(budget_ms) {
            let reason = format!("{} ms, {budget_ms} allowed", timing.total().as_millis());
            context.emit(Event::new("gate", "over budget").because(reason));
        }
        Ok(passage)
    }

    /// Deny list and rules, for a bank card that the terminal has found authentic.
    fn decide(&mut self, outcome: Outcome, context: &Context) -> Result<Decision, GateError> {
        let Some(request) = outcome.deferred.filter(|_| outcome.verdict == Verdict::Deferred) else {
            let why = match outcome.verdict {
                Verdict::EndApplication | Verdict::TryAnotherInterface => Why::Unreadable,
                _ => Why::Refused,
            };
            return Ok(Decision::shut(why, outcome.reason));
        };
        // A token has another number than its card, and the same account.
        let account = outcome.account_reference;
        let names = [Some(&request.pan), account.as_ref()];
        let denied = names.into_iter().flatten().any(|name| self.deny_list.denies(name.expose()));
        let past = self.book.past(request.pan.expose(), rules::RIDES_LOOKED_AT)?;
        match rules::hindrance(&self.line, &past, context.now()) {
            // A debtor is on the list too: this says why.
            Some((Why::Owes, reason)) => return Ok(Decision::shut(Why::Owes, reason)),
            _ if denied => return Ok(Decision::denied(&self.deny_list)),
            Some((why, reason)) => return Ok(Decision::shut(why, reason)),
            None => {}
        }
        let (fare_minor, now) = (self.line.fare_minor, context.now());
        let rest_minor = rules::rest_of_day(&self.line, &past, now);
        // One request for several rides may ask for a part of a fare; a card signs no part of it.
        let charged = match (self.line.kind, self.line.aggregation) {
            (LineKind::Exit, _) => Err("the ride was charged as it began"),
            (_, Some(_)) if rest_minor > 0 => Ok(fare_minor.min(rest_minor)),
            (_, None) if rest_minor >= fare_minor => Ok(fare_minor),
            _ => Err("the day's cap is reached: the ride is free"),
        };
        let ride = match charged {
            Ok(fare_minor) => {
                let (place, state) = self.book.place(&self.line, request.pan.expose(), fare_minor, now)?;
                Ride { request, account, state, fare_minor, place }
            }
            Err(_) => Ride { request, account, state: TapState::Free, fare_minor, place: Place::Alone },
        };
        let reason = charged.err().map_or(outcome.reason, str::to_owned);
        Ok(Decision { ride: Some(ride), ..Decision::open(reason) })
    }
}

/// A bank card's ride, as the terminal takes it.
fn terms(line: &Line, config: &Arc<TerminalConfig>, trace: (u32, u32), context: &Context) -> Terms {
    Terms {
        config: Arc::clone(config),
        flow: Flow::Ride,
        mode: Entry::ContactlessQuick,
        amount: line.signed(),
        cashback_minor: 0,
        trace,
        confirmation: trace,
        original: None,
        payer: None,
        at: context.now(),
        forced_online: true,
    }
}

/// The terminal's part: offline data authentication, and a request for the issuer.
fn authenticate(
    terms: Terms,
    card: &mut dyn Card,
    journal: &mut Journal,
    context: &mut Context,
) -> Result<Outcome, TerminalError> {
    let mut seat = Seat { card, payer: None, host: &mut Nobody, cardholder: &mut NoCardholder, journal };
    drive(terms, &mut seat, context)
}

/// The host of a terminal that asks nobody while a card is in the field.
struct Nobody;

impl Nobody {
    fn refuse() -> Result<Answer, HostError> {
        Err(HostError::Unreachable { cause: "a gate asks nobody while a card is in the field".into() })
    }
}

impl Host for Nobody {
    fn authorise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Self::refuse()
    }

    fn advise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Self::refuse()
    }

    fn reverse(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Self::refuse()
    }

    fn settle(&mut self, _: &BatchTotals, _: &mut Context) -> Result<Answer, HostError> {
        Self::refuse()
    }
}
