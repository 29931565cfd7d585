//! What is held to a reader and is no card for it, and a card whose answers were recorded.

use crate::air::link::{Activation, Card, Endpoint, Interface, LinkError};
use crate::base::context::Context;
use crate::words::iso7816::{CommandApdu, ResponseApdu};

/// Something that answers every command with the same bytes.
pub(super) struct Noise(pub(super) &'static [u8]);

impl Endpoint for Noise {
    fn place(&self) -> String {
        "something that is no card".into()
    }

    fn power_on(&mut self, _: Interface, _: &mut Context) -> Vec<u8> {
        vec![0x3B, 0x80, 0x80, 0x01, 0x01]
    }

    fn power_off(&mut self) {}

    fn process(&mut self, _: &[u8], _: &mut Context) -> Result<Vec<u8>, LinkError> {
        Ok(self.0.to_vec())
    }
}

/// A card that plays the answers of its first tap for ever: a recording held to the reader.
pub(super) struct Replayed<C> {
    card: C,
    answers: Vec<(Vec<u8>, ResponseApdu)>,
    /// The answer that comes next; none while it records.
    next: Option<usize>,
}

impl<C: Card> Replayed<C> {
    pub(super) fn new(card: C) -> Self {
        Self { card, answers: Vec::new(), next: None }
    }

    /// What was recorded is played from here on.
    pub(super) fn play(&mut self) {
        self.next = Some(0);
    }
}

impl<C: Card> Card for Replayed<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let header = command.header().to_vec();
        let Some(next) = self.next else {
            let answer = self.card.transmit(command, context)?;
            self.answers.push((header, answer.clone()));
            return Ok(answer);
        };
        self.next = Some(next + 1);
        match self.answers.get(next).filter(|(asked, _)| *asked == header) {
            Some((_, answer)) => Ok(answer.clone()),
            None => Err(LinkError::Removed { during: "the recording has no answer to this".into() }),
        }
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.next = self.next.map(|_| 0);
        self.card.reset(context)
    }
}
