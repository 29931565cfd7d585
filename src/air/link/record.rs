//! Tells every exchange as two events, so that a trace can be written.

use super::{Activation, Card, LinkError, RadioIdentity};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, ResponseApdu};

/// Wraps a card and emits `command`, `response`, `reset` and `link failed`.
pub struct Record<C>(pub C);

impl<C: Card> Card for Record<C> {
    fn activation(&self) -> &Activation {
        self.0.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        context.emit(Event::new("link", "command").with_named("C-APDU", command.to_bytes()));
        let result = self.0.transmit(command, context);
        match &result {
            Ok(response) => {
                context.emit(Event::new("link", "response").with_named("R-APDU", response.to_bytes()));
            }
            Err(error) => context.emit(Event::new("link", "link failed").because(error.to_string())),
        }
        result
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        let result = self.0.reset(context);
        let activation = self.0.activation();
        let event = Event::new("link", "reset")
            .because(activation.place.clone())
            .with_named("ATR", activation.atr.clone());
        context.emit(event);
        result
    }

    fn radio_identity(&mut self, context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        self.0.radio_identity(context)
    }
}
