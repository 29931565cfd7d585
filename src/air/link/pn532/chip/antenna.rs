//! What a simulated chip hears and speaks by: as a reader it speaks first, as a card it waits
//! to be spoken to.

use crate::air::link::{Air, Heard, LinkError, RfFrame, UdpAir, UdpEnd};
use crate::base::context::Context;
use std::time::Duration;

/// An antenna.
pub trait Antenna: Send {
    /// Where it is, for people.
    fn place(&self) -> &str;

    /// The air as one who speaks first has it.
    fn speak(&mut self) -> Result<&mut dyn Air, LinkError>;

    /// The air as one who waits has it.
    fn listen(&mut self) -> Result<&mut dyn Air, LinkError>;

    /// Stops speaking and waiting: a field goes off.
    fn rest(&mut self, context: &mut Context) -> Result<(), LinkError>;
}

/// An antenna with a card before it; nobody else is near.
pub struct CardAntenna<A> {
    card: A,
    nobody: Nobody,
}

impl<A: Air> CardAntenna<A> {
    /// The card, as the air that a reader has.
    pub fn new(card: A) -> Self {
        Self { card, nobody: Nobody }
    }
}

impl<A: Air> Antenna for CardAntenna<A> {
    fn place(&self) -> &str {
        self.card.place()
    }

    fn speak(&mut self) -> Result<&mut dyn Air, LinkError> {
        Ok(&mut self.card)
    }

    fn listen(&mut self) -> Result<&mut dyn Air, LinkError> {
        Ok(&mut self.nobody)
    }

    fn rest(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.card.field_off(context)
    }
}

/// An antenna in the air that is UDP at `HOST:PORT`.
pub struct UdpAntenna {
    address: String,
    place: String,
    speaks: Option<UdpAir>,
    listens: Option<UdpAir>,
}

impl UdpAntenna {
    /// Sockets are opened once they are needed.
    pub fn new(address: &str) -> Self {
        Self { address: address.into(), place: format!("udp:{address}"), speaks: None, listens: None }
    }
}

impl Antenna for UdpAntenna {
    fn place(&self) -> &str {
        &self.place
    }

    fn speak(&mut self) -> Result<&mut dyn Air, LinkError> {
        // The port is free for others.
        self.listens = None;
        open(&mut self.speaks, &self.address, UdpEnd::Speaks)
    }

    fn listen(&mut self) -> Result<&mut dyn Air, LinkError> {
        self.speaks = None;
        open(&mut self.listens, &self.address, UdpEnd::Listens)
    }

    fn rest(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.listens = None;
        match &mut self.speaks {
            Some(air) => air.field_off(context),
            None => Ok(()),
        }
    }
}

fn open<'a>(air: &'a mut Option<UdpAir>, address: &str, end: UdpEnd) -> Result<&'a mut dyn Air, LinkError> {
    Ok(match air {
        Some(air) => air,
        empty => empty.insert(UdpAir::open(address, end)?),
    })
}

/// An air in which nobody is.
struct Nobody;

impl Air for Nobody {
    fn place(&self) -> &str {
        "nowhere"
    }

    fn send(&mut self, _: &RfFrame, _: &mut Context) -> Result<(), LinkError> {
        Ok(())
    }

    fn receive(&mut self, _: Duration, _: &mut Context) -> Result<Option<Heard>, LinkError> {
        Ok(None)
    }

    fn field_off(&mut self, _: &mut Context) -> Result<(), LinkError> {
        Ok(())
    }
}
