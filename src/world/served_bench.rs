//! A terminal under test that is elsewhere: a card in somebody's hand is served where that
//! terminal finds it, a virtual reader or a chip on radio.

use super::TargetAddress;
use super::books::open_target;
use super::error::WorldError;
use super::seat::{FreshCard, FreshCards};
use crate::air::link::{Interface, Target};
use crate::base::context::Context;
use crate::roles::card::{CardHand, HeldCard, Simulated, serve};

/// A card where a terminal elsewhere finds it.
pub struct ServedBench {
    card: Box<dyn Simulated>,
    target: Box<dyn Target>,
    interface: Interface,
}

impl ServedBench {
    /// Opens the place, with a fresh card in `hand`. No issuer knows the card but by the test
    /// key set.
    pub fn set(
        cards: &FreshCards,
        card: &FreshCard,
        interface: Interface,
        target: &TargetAddress,
        hand: impl CardHand + 'static,
    ) -> Result<Self, WorldError> {
        let card = Box::new(HeldCard::new(cards.card(card)?, hand));
        Ok(Self { card, target: open_target(target)?, interface })
    }

    /// Lets the terminal have the card until `is_over`, which is asked again and again, or
    /// until the place is gone.
    pub fn serve(&mut self, is_over: &dyn Fn() -> bool, context: &mut Context) -> Result<(), WorldError> {
        Ok(serve(&mut *self.card, self.interface, &mut *self.target, context, &|| !is_over())?)
    }
}
