//! A card in the same process: the bytes go straight to it.

use super::{Activation, Card, Interface, LinkError};
use crate::base::context::Context;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use std::time::Duration;

/// Time that an exchange takes on the simulated clock: the card's work and 85 us
/// a byte, as at 106 kbit/s. The system's clock is not moved.
const CARD_WORK: Duration = Duration::from_millis(5);
const BYTE: Duration = Duration::from_micros(85);

/// A card as bytes in and bytes out; the simulated card implements it.
pub trait Endpoint: Send {
    /// For people: `simulated card ecash`.
    fn place(&self) -> String;

    /// Switches on over an interface and returns the answer to reset. Volatile
    /// memory is lost.
    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8>;

    /// Switches off. Volatile memory is lost.
    fn power_off(&mut self);

    /// Answers a command APDU; `Err` when the card's own memory file failed.
    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError>;
}

/// The link to an [`Endpoint`].
pub struct InProcess<E> {
    endpoint: E,
    activation: Activation,
}

impl<E: Endpoint> InProcess<E> {
    /// Switches the card on over `interface`.
    pub fn connect(mut endpoint: E, interface: Interface, context: &mut Context) -> Self {
        let atr = endpoint.power_on(interface, context);
        let activation = Activation { interface, atr, place: endpoint.place(), real: false };
        Self { endpoint, activation }
    }

    /// The card itself.
    pub fn endpoint(&self) -> &E {
        &self.endpoint
    }

    /// Switches off and gives the card back.
    pub fn into_endpoint(mut self) -> E {
        self.endpoint.power_off();
        self.endpoint
    }
}

impl<E: Endpoint> Card for InProcess<E> {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let sent = command.to_bytes();
        let answer = self.endpoint.process(&sent, context)?;
        context.elapse(CARD_WORK + BYTE * (sent.len() + answer.len()) as u32);
        ResponseApdu::parse(&answer).map_err(|source| LinkError::Garbled {
            during: format!("after {}", crate::base::bytes::Hex(&command.header())),
            source,
        })
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.endpoint.power_off();
        self.activation.atr = self.endpoint.power_on(self.activation.interface, context);
        Ok(())
    }
}

impl<E: Endpoint + ?Sized> Endpoint for Box<E> {
    fn place(&self) -> String {
        (**self).place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        (**self).power_on(interface, context)
    }

    fn power_off(&mut self) {
        (**self).power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        (**self).process(command, context)
    }
}
