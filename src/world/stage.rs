//! One terminal, one card, one host.

use super::error::WorldError;
use super::position::{Position, PositionError, card_balance};
use crate::air::host::Host;
use crate::air::link::Card;
use crate::base::context::Context;
use crate::roles::issuer::Issuer;
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{
    CardFacts, Cardholder, Depth, Flow, Kernel, Outcome, Recovered, RecoveryRules, Seat, TerminalConfig,
    Terms, drive, read, settle,
};
use crate::words::iso4217::{Amount, Currency};
use std::sync::Arc;

/// Everyone at one counter.
pub struct Stage {
    /// The card.
    pub card: Box<dyn Card>,
    /// The host, as the terminal sees it.
    pub host: Box<dyn Host>,
    /// The issuer's books; the host is another handle on them.
    pub issuer: Issuer,
    /// The terminal's journal.
    pub journal: Journal,
    /// The terminal.
    pub config: Arc<TerminalConfig>,
    /// Which rules of recovery are in force.
    pub rules: RecoveryRules,
}

impl Stage {
    /// Seats everyone.
    pub fn new(
        card: Box<dyn Card>,
        issuer: Issuer,
        journal: Journal,
        config: TerminalConfig,
    ) -> Result<Self, WorldError> {
        let host = Box::new(issuer.handle()?);
        Ok(Self { card, host, issuer, journal, config: Arc::new(config), rules: RecoveryRules::ALL })
    }

    /// What the card is.
    pub fn read(&mut self, depth: Depth, context: &mut Context) -> Result<CardFacts, WorldError> {
        Ok(read(&mut self.card, &self.config, depth, context)?)
    }

    /// Loads or pays. What was open is settled first.
    pub fn transact(
        &mut self,
        flow: Flow,
        amount: Amount,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let kernel = Kernel::choose(flow, self.card.activation().interface);
        let terms = Terms {
            config: Arc::clone(&self.config),
            flow,
            mode: kernel.mode,
            amount,
            trace: self.journal.next_trace()?,
            at: context.now(),
        };
        let mut seat =
            Seat { card: &mut self.card, host: &mut self.host, cardholder, journal: &mut self.journal };
        let outcome = drive(kernel, terms, &mut seat, context)?;
        Ok((recovered, outcome))
    }

    /// Settles what is open, with the card that is there.
    pub fn recover(&mut self, context: &mut Context) -> Result<Recovered, WorldError> {
        let card = Some(&mut *self.card);
        Ok(settle(&mut self.journal, card, &mut self.host, &self.config, self.rules, context)?)
    }

    /// Settles what can be settled while the card is away.
    pub fn recover_without_card(&mut self, context: &mut Context) -> Result<Recovered, WorldError> {
        Ok(settle(&mut self.journal, None, &mut self.host, &self.config, self.rules, context)?)
    }

    /// Where the money of a currency is.
    pub fn position(&mut self, currency: Currency, context: &mut Context) -> Result<Position, WorldError> {
        let facts = self.read(Depth::Quick, context)?;
        let card = card_balance(&facts, currency);
        Position::of(currency, &mut self.issuer, &mut self.journal, card, context).map_err(
            |error| match error {
                PositionError::Issuer(error) => error.into(),
                PositionError::Journal(error) => error.into(),
            },
        )
    }

    /// Every invariant of the books; what is broken, is an error.
    pub fn check(&mut self, context: &mut Context) -> Result<(), WorldError> {
        match self.issuer.check(context)?.first() {
            None => Ok(()),
            Some(violation) => Err(WorldError::Invariant { what: violation.to_string() }),
        }
    }
}
