//! A card on an air, as a place to serve one: with `udp:HOST:PORT` it stands before readers
//! that speak nfcpy's format of frames.

use super::picc::{CardKind, Picc, PiccIdentity, PiccStep};
use crate::air::link::{Air, LinkError, RfFrame, Target, TargetDriver, TargetRequest, UdpAir, UdpEnd};
use crate::base::context::Context;
use std::time::Duration;

/// The row of this driver in the registry.
pub const DRIVER: TargetDriver = TargetDriver {
    scheme: "udp",
    rest: "HOST:PORT",
    open: |rest| Ok(Box::new(IsoDepTarget::new(UdpAir::open(rest, UdpEnd::Listens)?))),
};

/// How long a request is waited for before whoever serves is asked whether to go on.
const QUIET: Duration = Duration::from_millis(250);

/// A card's place on an air.
pub struct IsoDepTarget<A> {
    air: A,
    /// Made with the first request, as its identifier is drawn.
    card: Option<Picc>,
}

impl<A: Air> IsoDepTarget<A> {
    /// A place for a card of type A.
    pub fn new(air: A) -> Self {
        Self { air, card: None }
    }
}

impl<A: Air> Target for IsoDepTarget<A> {
    fn place(&self) -> &str {
        self.air.place()
    }

    fn is_radio(&self) -> bool {
        true
    }

    fn receive(&mut self, context: &mut Context) -> Result<TargetRequest, LinkError> {
        let card = match &mut self.card {
            Some(card) => card,
            empty => {
                let kind = CardKind::drawn_a(context);
                empty.insert(Picc::new(&PiccIdentity { kind, historical: Vec::new() }))
            }
        };
        loop {
            let Some(heard) = self.air.receive(QUIET, context)? else {
                let during = format!("waiting for a reader at {}", self.air.place());
                return Err(LinkError::timeout(during, QUIET));
            };
            let (answer, request): (Option<RfFrame>, Option<TargetRequest>) = match card.hear(&heard) {
                PiccStep::Silence => (None, None),
                PiccStep::Answer(frame) => (Some(frame), None),
                PiccStep::Active(frame) => (Some(frame), Some(TargetRequest::PowerOn)),
                PiccStep::Command(command) => (None, Some(TargetRequest::Command(command))),
                PiccStep::Deselected(frame) => (Some(frame), Some(TargetRequest::PowerOff)),
                PiccStep::Lost(frame) => (frame, Some(TargetRequest::PowerOff)),
            };
            if let Some(frame) = answer {
                self.air.send(&frame, context)?;
            }
            if let Some(request) = request {
                return Ok(request);
            }
        }
    }

    fn send(&mut self, answer: &[u8], context: &mut Context) -> Result<(), LinkError> {
        match self.card.as_mut().and_then(|card| card.answer(answer)) {
            Some(frame) => self.air.send(&frame, context),
            // The field has gone meanwhile.
            None => Ok(()),
        }
    }
}
