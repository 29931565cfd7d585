//! What a device offers at a service access point, and how that is found by name
//! (NFC Forum LLCP 1.3, 4.2.1 and 5.9).

use super::error::LlcpError;
use super::pdu::Sap;
use std::collections::VecDeque;

/// How the name of service discovery itself is (5.9.1).
const DISCOVERY_NAME: &str = "urn:nfc:sn:sdp";
/// Points that are given to services that are found by name.
const BY_NAME: (u8, u8) = (16, 31);
/// Points that are given to clients.
const CLIENTS: (u8, u8) = (32, 63);
/// How many datagrams wait for a service that does not fetch them; more are lost, as the
/// transport allows (5.5).
pub(super) const DATAGRAMS: usize = 16;

/// How much of connections a service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Receive window, 1 to 15: how many units may be under way to it.
    pub window: u8,
    /// How many connections it has at once.
    pub connections: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self { window: 15, connections: 32 }
    }
}

/// A point that is in use.
struct Service {
    sap: Sap,
    name: Option<String>,
    connections: Option<Terms>,
    datagrams: VecDeque<(Sap, Vec<u8>)>,
    most_datagrams: usize,
}

/// The points of a device that are in use.
#[derive(Default)]
pub(super) struct Services {
    all: Vec<Service>,
}

impl Services {
    /// Takes a point: the one named, or a free one. `most_datagrams` wait there, others are lost.
    pub fn bind(
        &mut self,
        sap: Option<Sap>,
        name: Option<&str>,
        connections: Option<Terms>,
        most_datagrams: usize,
    ) -> Result<Sap, LlcpError> {
        let (from, to) = if name.is_some() { BY_NAME } else { CLIENTS };
        let is_free = |sap: &Sap| self.all.iter().all(|service| service.sap != *sap);
        let free = || (from..=to).map(Sap::new).find(is_free);
        if let Some(taken) = sap.filter(|sap| !is_free(sap)) {
            return Err(LlcpError::SapTaken { sap: taken.number() });
        }
        let sap = sap.or_else(free).ok_or(LlcpError::NoSapLeft { from, to })?;
        self.all.push(Service {
            sap,
            name: name.map(str::to_owned),
            connections,
            datagrams: VecDeque::new(),
            most_datagrams,
        });
        Ok(sap)
    }

    /// Gives a client's point back.
    pub fn unbind(&mut self, sap: Sap) {
        self.all.retain(|service| service.sap != sap);
    }

    /// The point that a name stands for.
    pub fn named(&self, name: &[u8]) -> Option<Sap> {
        if name == DISCOVERY_NAME.as_bytes() {
            return Some(Sap::DISCOVERY);
        }
        let is_it = |service: &&Service| service.name.as_deref().is_some_and(|own| own.as_bytes() == name);
        self.all.iter().find(is_it).map(|service| service.sap)
    }

    /// On which terms somebody takes connections there; `None` where nobody does.
    pub fn connections(&self, sap: Sap) -> Option<Terms> {
        self.all.iter().find(|service| service.sap == sap)?.connections
    }

    /// A datagram has come.
    pub fn deliver(&mut self, to: Sap, from: Sap, data: Vec<u8>) {
        if let Some(service) = self.all.iter_mut().find(|service| service.sap == to)
            && service.datagrams.len() < service.most_datagrams
        {
            service.datagrams.push_back((from, data));
        }
    }

    /// The oldest datagram that waits there, and where it is from.
    pub fn datagram(&mut self, at: Sap) -> Option<(Sap, Vec<u8>)> {
        self.all.iter_mut().find(|service| service.sap == at)?.datagrams.pop_front()
    }

    /// Whether one waits there.
    pub fn has_datagram(&self, at: Sap) -> bool {
        self.all.iter().any(|service| service.sap == at && !service.datagrams.is_empty())
    }

    /// A bit for each well-known point that is served (4.4.3).
    pub fn well_known(&self) -> u16 {
        let known = self.all.iter().filter(|service| service.sap.number() < 16);
        // Service discovery is always there.
        known.fold(0b11, |bits, service| bits | 1 << service.sap.number())
    }
}
