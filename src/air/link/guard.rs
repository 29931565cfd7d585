//! Keeps commands that do more than was allowed from a real card.

use super::{Activation, Card, LinkError, RadioIdentity};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, Effect, ResponseApdu};

/// Says what a command is called and what it may do to a card. A command that
/// it does not know must be judged as [`Effect::Destroys`].
pub type Judge = fn(&CommandApdu) -> (String, Effect);

/// Wraps a card; a command above `allowed` is refused before it is sent.
pub struct Guard<C> {
    card: C,
    judge: Judge,
    allowed: Effect,
}

impl<C: Card> Guard<C> {
    /// Lets only commands of effect `allowed` or milder pass.
    pub fn new(card: C, judge: Judge, allowed: Effect) -> Self {
        Self { card, judge, allowed }
    }

    /// Allows everything from now on: the card has shown that it is a test card.
    pub fn allow(&mut self, effect: Effect) {
        self.allowed = effect;
    }
}

impl<C: Card> Card for Guard<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let (name, effect) = (self.judge)(command);
        if effect > self.allowed {
            context.emit(Event::new("link", "refused").because(format!("{name} {effect}")));
            return Err(LinkError::NotAllowed { command: name, effect });
        }
        self.card.transmit(command, context)
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.card.reset(context)
    }

    fn radio_identity(&mut self, context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        self.card.radio_identity(context)
    }
}
