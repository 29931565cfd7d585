//! Opens the other phone at an address: whoever is at the other end of UDP, or before a PN532.

use crate::air::link::{Identity, Initiator, LinkError, NfcDepTarget, Peer, Polling, UdpAir, UdpEnd};
use crate::base::context::Context;
use crate::roles::p2p::transfer::Way;
use crate::words::iso18092::BitRate;
use crate::world::address::PeerAddress;
use crate::world::error::WorldError;
use std::time::Duration;

/// TO of a target (12): how long the other phone lets it wait.
const TIMEOUT: u8 = 12;

/// Meets another phone. Over UDP who comes first listens, and the other one speaks; before a
/// PN532 the payee is found, and the payer finds.
pub fn open_peer(
    address: &PeerAddress,
    way: Way,
    general: Vec<u8>,
    wait: Duration,
    context: &mut Context,
) -> Result<Box<dyn Peer>, WorldError> {
    let identity = Identity { general, timeout: TIMEOUT };
    let polling = Polling { timeout: wait, rate: BitRate::Kbps424 };
    match address {
        PeerAddress::Udp(address) => {
            let air = UdpAir::open(address, UdpEnd::Either)?;
            Ok(match air.listens() {
                true => Box::new(NfcDepTarget::be_found(air, &identity, wait, context)?),
                false => Box::new(Initiator::find(air, &identity, polling, context)?),
            })
        }
        PeerAddress::Pn532(device) => before_chip(device, way, &identity, polling, context),
    }
}

#[cfg(feature = "serial")]
fn before_chip(
    device: &str,
    way: Way,
    identity: &Identity,
    polling: Polling,
    context: &mut Context,
) -> Result<Box<dyn Peer>, WorldError> {
    use crate::air::link::pn532::Pn532Peer;
    let found: Result<Pn532Peer, LinkError> = match way {
        Way::Pays => Pn532Peer::find(device, identity, polling, context),
        Way::Receives => Pn532Peer::be_found(device, identity, polling.timeout, context),
    };
    Ok(Box::new(found?))
}

#[cfg(not(feature = "serial"))]
fn before_chip(
    _: &str,
    _: Way,
    _: &Identity,
    _: Polling,
    _: &mut Context,
) -> Result<Box<dyn Peer>, WorldError> {
    Err(WorldError::NoDriver { scheme: "pn532".into() })
}
