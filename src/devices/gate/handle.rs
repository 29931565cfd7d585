//! The gate: a tap from the field's start to the open or shut leaf. It authenticates, asks the
//! deny list and the rules, keeps the ride, and only then opens.

use super::air_time::{AirTime, Counted, since};
use super::book::Book;
use super::deny_list::DenyList;
use super::error::GateError;
use super::line::Line;
use super::passage::{Passage, Timing, Why};
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
    /// What the gate's own work is measured with.
    stopwatch: Box<dyn Clock + Sync>,
}

/// What a tap has come to before it is kept.
struct Decision {
    why: Why,
    reason: String,
    /// What is kept of a ride, and how it stands.
    ride: Option<(Box<Request>, TapState)>,
}

impl Gate {
    /// A gate of a line, with the terminal that `config` describes but for what the line says
    /// of it. `stopwatch` measures its own work.
    pub fn new(
        line: Line,
        config: TerminalConfig,
        deny_list: DenyList,
        book: Book,
        stopwatch: Box<dyn Clock + Sync>,
    ) -> Result<Self, GateError> {
        let config = Arc::new(line.terminal(config));
        let journal = Journal::open(Box::new(Sqlite::in_memory()?), SealKey::from_bytes([0; 32]))?;
        Ok(Self { line, config, deny_list, book, journal, stopwatch })
    }

    /// The line.
    pub const fn line(&self) -> &Line {
        &self.line
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
        let (outcome, air, is_gone) = self.authenticate(card, trace, context);
        let pan = outcome.as_ref().ok().and_then(|outcome| outcome.pan.clone());
        let decision = match outcome {
            Ok(outcome) => self.decide(outcome, context)?,
            Err(error) => Decision { why: Why::Unreadable, reason: error.to_string(), ride: None },
        };
        let decision = match decision.why {
            Why::Unreadable if is_gone => Decision { why: Why::Gone, ..decision },
            _ => decision,
        };
        let mut timing = Timing { air, ..Timing::default() };
        timing.decision = since(begun, self.stopwatch.as_ref()).saturating_sub(air.in_link);
        let Decision { why, reason, ride } = decision;
        if let Some((request, state)) = ride {
            let begun = self.stopwatch.now();
            self.book.keep(&request, state, context)?;
            timing.store = since(begun, self.stopwatch.as_ref());
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

    /// The terminal's part: offline data authentication, and a request for the issuer.
    fn authenticate(
        &mut self,
        card: &mut dyn Card,
        trace: (u32, u32),
        context: &mut Context,
    ) -> (Result<Outcome, TerminalError>, AirTime, bool) {
        let terms = Terms {
            config: Arc::clone(&self.config),
            flow: Flow::Ride,
            mode: Entry::ContactlessQuick,
            amount: self.line.fare(),
            cashback_minor: 0,
            trace,
            confirmation: trace,
            original: None,
            payer: None,
            at: context.now(),
            forced_online: true,
        };
        let mut card = Counted::new(card, self.line.air, self.stopwatch.as_ref());
        let mut seat = Seat {
            card: &mut card,
            payer: None,
            host: &mut Nobody,
            cardholder: &mut NoCardholder,
            journal: &mut self.journal,
        };
        let outcome = drive(terms, &mut seat, context);
        (outcome, card.time, card.is_gone)
    }

    /// Deny list and rules, for a card that the terminal has found authentic.
    fn decide(&mut self, outcome: Outcome, context: &Context) -> Result<Decision, GateError> {
        let shut = |why, reason| Ok(Decision { why, reason, ride: None });
        let Some(request) = outcome.deferred.filter(|_| outcome.verdict == Verdict::Deferred) else {
            let why = match outcome.verdict {
                Verdict::EndApplication | Verdict::TryAnotherInterface => Why::Unreadable,
                _ => Why::Refused,
            };
            return shut(why, outcome.reason);
        };
        let denied = self.deny_list.denies(request.pan.expose());
        let past = self.book.past(request.pan.expose(), rules::RIDES_LOOKED_AT)?;
        match rules::hindrance(&self.line, &past, context.now()) {
            // A debtor is on the list too: this says why.
            Some((Why::Owes, reason)) => return shut(Why::Owes, reason),
            _ if denied => {
                let version = self.deny_list.version();
                return shut(Why::Denied, format!("version {version} of the deny list names it"));
            }
            Some((why, reason)) => return shut(why, reason),
            None => {}
        }
        let (state, reason) = match rules::is_free(&self.line, &past, context.now()) {
            true => (TapState::Free, "the day's cap is reached: the ride is free".to_owned()),
            false => (TapState::Waiting, outcome.reason),
        };
        Ok(Decision { why: Why::Authentic, reason, ride: Some((request, state)) })
    }
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
