//! What is held to a reader and is no card for it, a card whose answers were recorded, and a purse
//! that makes its proofs up.

use crate::air::link::{Activation, Card, Endpoint, Interface, LinkError};
use crate::base::context::Context;
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};
use crate::words::pboc::command::{DebitForPurchase, GetTransactionProve};

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

/// A copied purse, which has not the keys of its number, and takes every debit all the same: the
/// proofs that it gives are random.
pub(super) struct Forger<C> {
    card: C,
    /// Whether it leaves at the debit.
    leaves: bool,
    is_away: bool,
}

impl<C: Card> Forger<C> {
    pub(super) const fn new(card: C, leaves: bool) -> Self {
        Self { card, leaves, is_away: false }
    }
}

impl<C: Card> Card for Forger<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let is_debit = DebitForPurchase::matches(command);
        self.is_away |= is_debit && self.leaves;
        if self.is_away {
            return Err(LinkError::Removed { during: "as it was to be debited".into() });
        }
        match is_debit || GetTransactionProve::matches(command) {
            true => Ok(ResponseApdu { data: context.random::<8>().to_vec(), status: StatusWord::OK }),
            false => self.card.transmit(command, context),
        }
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.is_away = false;
        self.card.reset(context)
    }
}
