//! Another device of one's own kind, as NFC-DEP shows it: payloads that go to and fro.

use super::LinkError;
use crate::base::context::Context;
use crate::words::iso18092::Side;
use std::time::Duration;

/// What is known of the other device once the two have met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerActivation {
    /// Which side this device is.
    pub side: Side,
    /// What the other told of itself: its general bytes.
    pub general: Vec<u8>,
    /// Where it is, for people.
    pub place: String,
}

impl PeerActivation {
    /// The error of a device that has parted.
    pub(super) fn parted(&self) -> LinkError {
        LinkError::Parted { place: self.place.clone() }
    }

    /// The error of a device that says nothing for so long.
    pub(super) fn silent(&self, wait: Duration) -> LinkError {
        LinkError::timeout(format!("of the other device at {}", self.place), wait)
    }
}

/// The other device. The two take turns: the initiator speaks first.
pub trait Peer: Send {
    /// What is known of it.
    fn activation(&self) -> &PeerActivation;

    /// Says something and waits for what comes back. A target has nothing to say before
    /// it has heard the initiator for the first time.
    ///
    /// # Errors
    /// The other device is gone, has parted, or says what is no NFC-DEP, again and again.
    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError>;

    /// Parts: the other device is told, where that can be.
    fn release(&mut self, context: &mut Context);
}

impl<P: Peer + ?Sized> Peer for Box<P> {
    fn activation(&self) -> &PeerActivation {
        (**self).activation()
    }

    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        (**self).exchange(payload, timeout, context)
    }

    fn release(&mut self, context: &mut Context) {
        (**self).release(context);
    }
}
