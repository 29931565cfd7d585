//! The card in a reader, with what surrounds it: clock and randomness of its own, the
//! hand that pulls it, and the log of what was said to it.

use crate::air::link::{
    Card, Fault, FaultControl, FaultPlan, FaultPoint, InProcess, Interface, LinkError, Record,
};
use crate::base::context::Context;
use crate::roles::card::{CardMemory, Simulator};
use crate::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};

/// A card that lies in a reader, or beside it.
pub(super) struct Seat {
    link: Record<Fault<InProcess<Simulator>>>,
    hand: FaultControl,
    context: Context,
}

/// Why a card gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It was pulled in the exchange.
    Pulled,
    /// Its memory failed: it is there and says nothing.
    Silent,
}

/// An answer, and whether the card went away right behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub bytes: Vec<u8>,
    pub pulled: bool,
}

impl Seat {
    /// Switches a card on over `interface`; what it says goes to the context's events.
    pub(super) fn new(card: Simulator, interface: Interface, mut context: Context) -> Self {
        let hand = FaultControl::default();
        let link = InProcess::connect(card, interface, &mut context);
        Self { link: Record(Fault::new(link, hand.clone())), hand, context }
    }

    /// Its answer to reset.
    pub(super) fn atr(&self) -> &[u8] {
        &self.link.activation().atr
    }

    /// How it is reached.
    pub(super) fn interface(&self) -> Interface {
        self.link.activation().interface
    }

    /// What the card remembers.
    pub(super) fn memory(&self) -> &CardMemory {
        self.link.0.card().endpoint().memory()
    }

    /// Switches it off and on; a card that was pulled is back.
    pub(super) fn reset(&mut self) -> Result<(), Lost> {
        self.link.reset(&mut self.context).map_err(|_| Lost::Silent)
    }

    /// Sends a command; with `pull` the card goes away at that point of the exchange.
    pub(super) fn exchange(&mut self, command: &[u8], pull: Option<FaultPoint>) -> Result<Answered, Lost> {
        let Ok(command) = CommandApdu::parse(command) else {
            // No card can read it, and each answers that so; there is nothing to log as an exchange.
            let bytes = ResponseApdu::status(StatusWord::WRONG_LENGTH).to_bytes();
            return Ok(Answered { bytes, pulled: false });
        };
        if let Some(point) = pull {
            self.hand.arm(Some(FaultPlan { exchange: 0, point }));
        }
        match self.link.transmit(&command, &mut self.context) {
            Ok(response) => Ok(Answered { bytes: response.to_bytes(), pulled: self.hand.is_away() }),
            Err(LinkError::Removed { .. }) => Err(Lost::Pulled),
            Err(_) => Err(Lost::Silent),
        }
    }
}
