//! Pulls the card at a chosen point. Behaviour is added by wrapping.

use super::{Activation, Card, LinkError};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, ResponseApdu};

/// At which point of an exchange the card goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// Before the command reaches the card.
    BeforeCommand,
    /// After the card has acted; its answer is lost.
    AnswerLost,
    /// After the answer has come.
    AfterAnswer,
}

impl FaultPoint {
    /// Every point, in the order of time.
    pub const ALL: &'static [Self] = &[Self::BeforeCommand, Self::AnswerLost, Self::AfterAnswer];
}

/// When the card is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultPlan {
    /// Which exchange, counted from 0.
    pub exchange: usize,
    /// At which point of it.
    pub point: FaultPoint,
}

/// Wraps a card that is pulled as the plan says and stays away until it is reset.
pub struct Fault<C> {
    card: C,
    plan: Option<FaultPlan>,
    exchanges: usize,
    away: bool,
}

impl<C: Card> Fault<C> {
    /// Wraps `card`; without a plan nothing happens and exchanges are counted.
    pub fn new(card: C, plan: Option<FaultPlan>) -> Self {
        Self { card, plan, exchanges: 0, away: false }
    }

    /// Exchanges so far.
    pub fn exchanges(&self) -> usize {
        self.exchanges
    }

    /// Whether the plan came true.
    pub fn happened(&self) -> bool {
        self.plan.is_none()
    }

    fn pull(&mut self, context: &mut Context) -> LinkError {
        let during = match self.plan.take() {
            Some(FaultPlan { exchange, point: FaultPoint::BeforeCommand }) => {
                format!("before exchange {exchange}")
            }
            Some(FaultPlan { exchange, .. }) => format!("during exchange {exchange}"),
            None => "earlier".into(),
        };
        self.away = true;
        context.emit(Event::new("link", "card pulled").because(during.clone()));
        LinkError::Removed { during }
    }
}

impl<C: Card> Card for Fault<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        if self.away {
            return Err(LinkError::Removed { during: "earlier and is not back".into() });
        }
        let point = self.plan.filter(|plan| plan.exchange == self.exchanges).map(|plan| plan.point);
        self.exchanges += 1;
        if point == Some(FaultPoint::BeforeCommand) {
            return Err(self.pull(context));
        }
        let response = self.card.transmit(command, context)?;
        match point {
            Some(FaultPoint::AnswerLost) => Err(self.pull(context)),
            Some(FaultPoint::AfterAnswer) => {
                self.pull(context);
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        if self.away {
            return Err(LinkError::NoCard { reader: self.card.activation().place.clone() });
        }
        self.card.reset(context)
    }
}

impl<C: Card> Fault<C> {
    /// Puts the card back: it is active again with its volatile memory lost.
    pub fn put_back(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.away = false;
        self.card.reset(context)
    }

    /// The card, wherever it is.
    pub fn into_card(self) -> C {
        self.card
    }
}
