//! Pulls the card at a chosen point. Behaviour is added by wrapping.

use super::{Activation, Card, LinkError};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BeforeCommand => "before the command",
            Self::AnswerLost => "answer lost",
            Self::AfterAnswer => "after the answer",
        }
    }
}

/// When the card is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultPlan {
    /// Which exchange, counted from 0 since the plan was armed.
    pub exchange: usize,
    /// At which point of it.
    pub point: FaultPoint,
}

/// The hand that pulls the card; clones are the same hand.
#[derive(Debug, Clone, Default)]
pub struct FaultControl(Arc<Mutex<Hand>>);

#[derive(Debug, Default)]
struct Hand {
    plan: Option<FaultPlan>,
    exchanges: usize,
    away: bool,
}

impl FaultControl {
    /// Pulls the card as the plan says, counting exchanges from now. Without a plan
    /// nothing happens but counting.
    pub fn arm(&self, plan: Option<FaultPlan>) {
        *self.hand() = Hand { plan, exchanges: 0, away: false };
    }

    /// Exchanges since it was armed.
    pub fn exchanges(&self) -> usize {
        self.hand().exchanges
    }

    /// Whether the card is away.
    pub fn is_away(&self) -> bool {
        self.hand().away
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps a card that can be pulled. It is away until it is reset, which puts it
/// back: active again, its volatile memory lost.
pub struct Fault<C> {
    card: C,
    control: FaultControl,
}

impl<C: Card> Fault<C> {
    /// Wraps `card`; `control` pulls it.
    pub fn new(card: C, control: FaultControl) -> Self {
        Self { card, control }
    }

    /// The card that it wraps.
    pub fn card(&self) -> &C {
        &self.card
    }

    fn pull(&mut self, context: &mut Context) -> LinkError {
        let exchange = {
            let mut hand = self.control.hand();
            hand.away = true;
            hand.plan = None;
            hand.exchanges
        };
        let during = format!("in exchange {exchange}");
        context.emit(Event::new("link", "card pulled").because(during.clone()));
        LinkError::Removed { during }
    }
}

impl<C: Card> Card for Fault<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let point = {
            let mut hand = self.control.hand();
            if hand.away {
                return Err(LinkError::Removed { during: "earlier and is not back".into() });
            }
            let point = hand.plan.filter(|plan| plan.exchange == hand.exchanges).map(|plan| plan.point);
            hand.exchanges += 1;
            point
        };
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
        self.control.hand().away = false;
        self.card.reset(context)
    }
}
