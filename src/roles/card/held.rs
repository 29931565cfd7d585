//! A simulated card in somebody's hand, who sees every command and may answer in its
//! place. It stays a simulated card, and can be served; a real one never gets in here.

use super::simulator::sealed::Sealed;
use super::{Simulated, Simulator};
use crate::air::link::{Endpoint, Interface, LinkError};
use crate::base::context::Context;

/// Who holds a card, and answers for it or lets it answer.
pub trait CardHand: Send {
    /// The card got power: what it was told before is forgotten.
    fn powered(&mut self);

    /// The card lost power.
    fn unpowered(&mut self);

    /// Takes a command and gives the answer; `card` is the card that would have answered.
    fn answer(
        &mut self,
        card: &mut dyn Endpoint,
        command: &[u8],
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError>;
}

/// A simulated card in a hand.
pub struct HeldCard<H> {
    card: Simulator,
    hand: H,
}

impl<H: CardHand> HeldCard<H> {
    /// Puts a card into a hand.
    pub fn new(card: Simulator, hand: H) -> Self {
        Self { card, hand }
    }
}

impl<H: CardHand> Endpoint for HeldCard<H> {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.hand.powered();
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.hand.unpowered();
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        self.hand.answer(&mut self.card, command, context)
    }
}

impl<H: CardHand> Sealed for HeldCard<H> {}
impl<H: CardHand> Simulated for HeldCard<H> {}
