//! The link of two devices (NFC Forum LLCP 1.3, 5.2 to 5.9): units come in and go out in
//! turns; services, clients and datagrams use it in between. Nothing waits here: who has
//! a link asks it what is next.

use super::connection::{Connection, ConnectionState, DisconnectReason, disconnected};
use super::error::LlcpError;
use super::look_up::{LookUp, LookUps};
use super::parameter::{LinkParameters, Parameters};
use super::pdu::{Pdu, PduType, Sap};
use super::service::{DATAGRAMS, Services, Terms};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How many answers wait to be said; a device that asks more is not answered.
const MOST_DUE: usize = 64;

/// How many connections that are over are kept, so that who had them hears why they ended.
const MOST_ENDED: usize = 64;

/// SDRES, by which a name is answered: type, length, TID and SAP.
const SDRES_BYTES: usize = 4;

/// A connection of a link; it is never another one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u64);

/// Where a connection goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A service access point.
    Point(Sap),
    /// A service by its name, as `urn:nfc:sn:snep`.
    Name(&'a str),
}

/// A link.
pub struct Link {
    own: LinkParameters,
    remote: Parameters,
    services: Services,
    connections: BTreeMap<Handle, Connection>,
    /// The handle of the next connection.
    next: u64,
    /// Which connection spoke last, so that none is starved.
    turn: Handle,
    due: VecDeque<Pdu>,
    look_ups: LookUps,
    is_open: bool,
}

impl Link {
    /// A link that has not met anybody yet: services can be bound.
    pub fn new(own: LinkParameters) -> Self {
        Self {
            own,
            remote: Parameters::default(),
            services: Services::default(),
            connections: BTreeMap::new(),
            next: 0,
            turn: Handle(0),
            due: VecDeque::new(),
            look_ups: LookUps::default(),
            is_open: true,
        }
    }

    /// What this device says of itself in NFC-DEP.
    pub fn general_bytes(&self) -> Vec<u8> {
        self.own.general_bytes(self.services.well_known())
    }

    /// Takes what the other device said of itself.
    ///
    /// # Errors
    /// It does not speak LLCP, or another major version.
    pub fn meet(&mut self, general: &[u8]) -> Result<(), LlcpError> {
        self.remote = LinkParameters::read_general_bytes(general)?;
        Ok(())
    }

    /// How long the other device may be silent.
    pub fn timeout(&self) -> Duration {
        self.remote.link_timeout()
    }

    /// The most bytes of a datagram that the other device takes.
    pub fn remote_miu(&self) -> usize {
        self.remote.miu()
    }

    /// Whether neither side has ended it.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// A service that takes connections, at a point of its own choice or a free one.
    ///
    /// # Errors
    /// The point is taken, or none is free.
    pub fn listen(&mut self, name: &str, sap: Option<Sap>, terms: Terms) -> Result<Sap, LlcpError> {
        self.services.bind(sap, Some(name), Some(terms), DATAGRAMS)
    }

    /// A service, or without a name a client, that takes datagrams; `most` of them wait.
    ///
    /// # Errors
    /// No point is free.
    pub fn bind(&mut self, name: Option<&str>, most: usize) -> Result<Sap, LlcpError> {
        self.services.bind(None, name, None, most)
    }

    /// Asks for a connection.
    ///
    /// # Errors
    /// No point is free.
    pub fn connect(&mut self, to: Destination<'_>) -> Result<Handle, LlcpError> {
        let local = self.services.bind(None, None, None, DATAGRAMS)?;
        let (remote, name) = match to {
            Destination::Point(sap) => (sap, None),
            Destination::Name(name) => (Sap::DISCOVERY, Some(name)),
        };
        Ok(self.add(Connection::asking(local, remote, name, self.own.miu)))
    }

    /// A connection that the other device made to a service, and nobody has taken up.
    pub fn accept(&mut self, at: Sap) -> Option<Handle> {
        let waits = |connection: &Connection| connection.local == at && !connection.accepted;
        let (handle, connection) = self.connections.iter_mut().find(|(_, connection)| waits(connection))?;
        connection.accepted = true;
        Some(*handle)
    }

    /// How a connection stands.
    pub fn state(&self, handle: Handle) -> ConnectionState {
        let gone = ConnectionState::Closed(DisconnectReason::NOT_CONNECTED);
        self.connections.get(&handle).map_or(gone, |connection| connection.state)
    }

    /// The most bytes that a connection takes at once.
    pub fn connection_miu(&self, handle: Handle) -> usize {
        self.connections.get(&handle).map_or(0, Connection::remote_miu)
    }

    /// Queues data on a connection.
    ///
    /// # Errors
    /// The connection is not there, or the data is longer than the other device takes.
    pub fn send(&mut self, handle: Handle, data: Vec<u8>) -> Result<(), LlcpError> {
        let gone = || LlcpError::NotEstablished { state: DisconnectReason::NOT_CONNECTED.to_string() };
        self.connections.get_mut(&handle).ok_or_else(gone)?.queue(data)
    }

    /// How many units wait to be sent or acknowledged.
    pub fn unacknowledged(&self, handle: Handle) -> usize {
        self.connections.get(&handle).map_or(0, Connection::unacknowledged)
    }

    /// The oldest data of a connection that nobody has fetched.
    pub fn receive(&mut self, handle: Handle) -> Option<Vec<u8>> {
        self.connections.get_mut(&handle)?.fetch()
    }

    /// Says whether more data can be taken on a connection.
    pub fn set_busy(&mut self, handle: Handle, is_busy: bool) {
        if let Some(connection) = self.connections.get_mut(&handle) {
            connection.set_busy(is_busy);
        }
    }

    /// Ends a connection.
    pub fn disconnect(&mut self, handle: Handle) {
        if let Some(connection) = self.connections.get_mut(&handle) {
            connection.end();
        }
    }

    /// Queues a datagram.
    ///
    /// # Errors
    /// It is longer than the other device takes.
    pub fn send_to(&mut self, from: Sap, to: Sap, data: &[u8]) -> Result<(), LlcpError> {
        let most = self.remote_miu();
        if data.len() > most {
            return Err(LlcpError::TooLong { most, found: data.len() });
        }
        self.due.push_back(Pdu::new(to, PduType::UI, from, data));
        Ok(())
    }

    /// The oldest datagram that waits at a point, and where it is from.
    pub fn receive_from(&mut self, at: Sap) -> Option<(Sap, Vec<u8>)> {
        self.services.datagram(at)
    }

    /// Whether a datagram waits at a point.
    pub fn has_datagram(&self, at: Sap) -> bool {
        self.services.has_datagram(at)
    }

    /// Looks a name up at the other device: `None` while no answer has come, then the
    /// point, or that there is none.
    pub fn look_up(&mut self, name: &str) -> Option<Option<Sap>> {
        match self.look_ups.known(name) {
            Some(LookUp::Answered(sap)) => return Some(sap),
            Some(LookUp::Asked) => return None,
            None => {}
        }
        let tid = self.look_ups.ask(name)?;
        let requests = vec![(tid, name.as_bytes().to_vec())];
        let asked = Parameters { requests, ..Parameters::default() };
        self.due.push_back(Pdu::new(Sap::DISCOVERY, PduType::SNL, Sap::DISCOVERY, asked.to_bytes()));
        None
    }

    /// Ends the link with the next unit.
    pub fn close(&mut self) {
        self.due.clear();
        self.connections.clear();
        self.due.push_back(Pdu::new(Sap::LINK, PduType::DISC, Sap::LINK, []));
        self.is_open = false;
    }

    /// Takes what was heard.
    ///
    /// # Errors
    /// It is no unit.
    pub fn take(&mut self, heard: &[u8]) -> Result<(), LlcpError> {
        let unit = Pdu::parse(heard)?;
        if unit.kind == PduType::AGF {
            for part in unit.parts() {
                self.take_unit(part);
            }
        } else {
            self.take_unit(unit);
        }
        Ok(())
    }

    /// What is to be said next; symmetry where there is nothing.
    pub fn say_next(&mut self) -> Vec<u8> {
        if let Some(unit) = self.due.pop_front() {
            return unit.to_bytes();
        }
        let after = |handle: &&Handle| **handle > self.turn;
        let (later, earlier): (Vec<Handle>, Vec<Handle>) = self.connections.keys().partition(after);
        for handle in later.into_iter().chain(earlier) {
            let unit = self.connections.get_mut(&handle).and_then(Connection::next);
            if let Some(unit) = unit {
                self.turn = handle;
                self.forget(handle);
                return unit.to_bytes();
            }
        }
        Pdu::symmetry().to_bytes()
    }

    fn add(&mut self, connection: Connection) -> Handle {
        let handle = Handle(self.next);
        self.next += 1;
        self.connections.insert(handle, connection);
        let mut ended = self.connections.iter().filter(|(_, known)| known.is_spent()).map(|row| *row.0);
        if let Some(eldest) = ended.next().filter(|_| ended.count() >= MOST_ENDED) {
            self.connections.remove(&eldest);
        }
        handle
    }

    fn take_unit(&mut self, unit: Pdu) {
        match (unit.kind, unit.dsap) {
            (PduType::SYMM, _) => {}
            // Said back, once.
            (PduType::DISC, Sap::LINK) if self.is_open => self.close(),
            (PduType::DISC, Sap::LINK) => {}
            // A device that tells more of itself later (5.2.3).
            (PduType::PAX, _) => {
                if let Ok(remote) = Parameters::parse(&unit.information) {
                    self.remote = remote;
                }
            }
            (PduType::SNL, _) => self.take_look_up(&unit),
            (PduType::UI, _) if unit.information.len() <= usize::from(self.own.miu) => {
                self.services.deliver(unit.dsap, unit.ssap, unit.information);
            }
            (PduType::CONNECT, _) => self.take_connect(&unit),
            _ => self.take_connected(unit),
        }
    }

    fn take_connected(&mut self, unit: Pdu) {
        let is_its = |of: &Connection| of.is_between(unit.dsap, unit.ssap);
        match self.connections.iter_mut().find(|(_, connection)| is_its(connection)) {
            Some((handle, connection)) => {
                let handle = *handle;
                connection.take(unit);
                self.forget(handle);
            }
            None if unit.kind.is_numbered() || unit.kind == PduType::DISC => {
                self.say(disconnected(unit.ssap, unit.dsap, DisconnectReason::NOT_CONNECTED));
            }
            None => {}
        }
    }

    /// Where the connection is over, a client's point is free again.
    fn forget(&mut self, handle: Handle) {
        if let Some(connection) = self.connections.get(&handle)
            && connection.is_spent()
            && self.services.connections(connection.local).is_none()
        {
            self.services.unbind(connection.local);
        }
    }

    fn take_connect(&mut self, unit: &Pdu) {
        let refuse = |reason| disconnected(unit.ssap, unit.dsap, reason);
        let Ok(theirs) = Parameters::parse(&unit.information) else {
            return self.say(refuse(DisconnectReason::REJECTED));
        };
        let to = match &theirs.name {
            Some(name) if unit.dsap == Sap::DISCOVERY => self.services.named(name),
            _ => Some(unit.dsap),
        };
        match to.and_then(|sap| Some((sap, self.services.connections(sap)?))) {
            None => self.say(refuse(DisconnectReason::NO_SERVICE)),
            Some((local, terms)) => {
                let is_its = |other: &&Connection| other.local == local && other.is_open();
                if self.connections.values().filter(is_its).count() >= terms.connections {
                    return self.say(refuse(DisconnectReason::BUSY));
                }
                let (miu, window) = (self.own.miu, terms.window);
                self.add(Connection::asked(local, unit.ssap, &theirs, miu, window));
            }
        }
    }

    fn take_look_up(&mut self, unit: &Pdu) {
        let Ok(told) = Parameters::parse(&unit.information) else { return };
        for (tid, sap) in told.responses {
            self.look_ups.answer(tid, Some(sap).filter(|sap| *sap != Sap::LINK));
        }
        let named = |name: &Vec<u8>| self.services.named(name).unwrap_or(Sap::LINK);
        let responses: Vec<_> = told.requests.iter().map(|(tid, name)| (*tid, named(name))).collect();
        // A unit holds no more than the other device takes.
        for responses in responses.chunks(self.remote_miu() / SDRES_BYTES) {
            let answer = Parameters { responses: responses.to_vec(), ..Parameters::default() };
            self.say(Pdu::new(Sap::DISCOVERY, PduType::SNL, Sap::DISCOVERY, answer.to_bytes()));
        }
    }

    fn say(&mut self, unit: Pdu) {
        if self.due.len() < MOST_DUE {
            self.due.push_back(unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair() -> (Link, Link) {
        let (mut one, mut other) =
            (Link::new(LinkParameters::default()), Link::new(LinkParameters::default()));
        let (ours, theirs) = (one.general_bytes(), other.general_bytes());
        one.meet(&theirs).unwrap();
        other.meet(&ours).unwrap();
        (one, other)
    }

    /// So many turns of either side.
    fn turns(one: &mut Link, other: &mut Link, count: usize) {
        for _ in 0..count {
            other.take(&one.say_next()).unwrap();
            one.take(&other.say_next()).unwrap();
        }
    }

    #[test]
    fn a_service_is_found_by_name_and_talked_to() {
        let (mut one, mut other) = pair();
        let at = other.listen("urn:nfc:sn:example", None, Terms::default()).unwrap();
        let client = one.connect(Destination::Name("urn:nfc:sn:example")).unwrap();
        assert_eq!(one.state(client), ConnectionState::Connecting);
        assert!(one.send(client, vec![1]).is_err());
        turns(&mut one, &mut other, 1);
        assert_eq!(one.state(client), ConnectionState::Established);
        let server = other.accept(at).unwrap();
        assert_eq!(other.accept(at), None);
        // More than the numbers and the window have.
        let sent: Vec<Vec<u8>> = (0..40).map(|number| vec![number; 248]).collect();
        for data in &sent {
            one.send(client, data.clone()).unwrap();
            other.send(server, data.clone()).unwrap();
        }
        turns(&mut one, &mut other, 60);
        for data in &sent {
            assert_eq!(other.receive(server).as_ref(), Some(data));
            assert_eq!(one.receive(client).as_ref(), Some(data));
        }
        assert_eq!((one.unacknowledged(client), other.unacknowledged(server)), (0, 0));
        assert_eq!(one.send(client, vec![0; 249]), Err(LlcpError::TooLong { most: 248, found: 249 }));
        one.disconnect(client);
        turns(&mut one, &mut other, 2);
        let ended = ConnectionState::Closed(DisconnectReason::REQUESTED);
        assert_eq!((one.state(client), other.state(server)), (ended, ended));
    }

    #[test]
    fn who_is_not_there_is_told() {
        let (mut one, mut other) = pair();
        let by_name = one.connect(Destination::Name("urn:nfc:sn:none")).unwrap();
        let by_point = one.connect(Destination::Point(Sap::new(40))).unwrap();
        turns(&mut one, &mut other, 3);
        let none = ConnectionState::Closed(DisconnectReason::NO_SERVICE);
        assert_eq!((one.state(by_name), one.state(by_point)), (none, none));
        let stray = Pdu { sequence: (0, 0), ..Pdu::new(Sap::new(20), PduType::I, Sap::new(33), []) };
        other.take(&stray.to_bytes()).unwrap();
        let said = Pdu::parse(&other.say_next()).unwrap();
        assert_eq!((said.kind, said.information), (PduType::DM, vec![1]));
    }

    #[test]
    fn a_client_that_goes_gives_its_point_back() {
        let (mut one, mut other) = pair();
        other.listen("urn:nfc:sn:example", Some(Sap::new(16)), Terms::default()).unwrap();
        for _ in 0..100 {
            let client = one.connect(Destination::Point(Sap::new(16))).unwrap();
            turns(&mut one, &mut other, 1);
            assert_eq!(one.state(client), ConnectionState::Established);
            one.disconnect(client);
            turns(&mut one, &mut other, 2);
            assert_eq!(one.state(client), ConnectionState::Closed(DisconnectReason::REQUESTED));
        }
        assert!(one.connections.len() <= MOST_ENDED + 1 && other.connections.len() <= MOST_ENDED + 1);
    }

    #[test]
    fn a_point_is_one_services() {
        let mut link = Link::new(LinkParameters::default());
        link.listen("urn:nfc:sn:snep", Some(Sap::SNEP), Terms::default()).unwrap();
        let again = link.listen("urn:nfc:sn:other", Some(Sap::SNEP), Terms::default());
        assert_eq!(again, Err(LlcpError::SapTaken { sap: Sap::SNEP.number() }));
    }

    #[test]
    fn names_are_looked_up_however_many_were_before() {
        let (mut one, mut other) = pair();
        let at = other.listen("urn:nfc:sn:snep", Some(Sap::SNEP), Terms::default()).unwrap();
        for number in 0..300 {
            let name = format!("urn:nfc:sn:{number}");
            assert_eq!(one.look_up(&name), None);
            turns(&mut one, &mut other, 2);
            assert_eq!(one.look_up(&name), Some(None));
        }
        one.look_up("urn:nfc:sn:snep");
        turns(&mut one, &mut other, 2);
        assert_eq!(one.look_up("urn:nfc:sn:snep"), Some(Some(at)));
    }

    #[test]
    fn names_are_looked_up() {
        let (mut one, mut other) = pair();
        let at = other.listen("urn:nfc:sn:snep", Some(Sap::SNEP), Terms::default()).unwrap();
        assert_eq!((one.look_up("urn:nfc:sn:snep"), one.look_up("x")), (None, None));
        turns(&mut one, &mut other, 3);
        assert_eq!((one.look_up("urn:nfc:sn:snep"), one.look_up("x")), (Some(Some(at)), Some(None)));
        assert_eq!(one.look_up("urn:nfc:sn:sdp"), None);
        turns(&mut one, &mut other, 2);
        assert_eq!(one.look_up("urn:nfc:sn:sdp"), Some(Some(Sap::DISCOVERY)));
    }

    #[test]
    fn datagrams_come_or_are_lost() {
        let (mut one, mut other) = pair();
        let at = other.bind(Some("urn:nfc:sn:cl-echo"), 2).unwrap();
        let from = one.bind(None, 2).unwrap();
        for number in 0..3 {
            one.send_to(from, at, &[number]).unwrap();
        }
        turns(&mut one, &mut other, 3);
        assert_eq!(other.receive_from(at), Some((from, vec![0])));
        assert_eq!(other.receive_from(at), Some((from, vec![1])));
        assert_eq!(other.receive_from(at), None);
        assert!(one.send_to(from, at, &[0; 249]).is_err());
    }

    #[test]
    fn a_busy_receiver_holds_the_sender() {
        let (mut one, mut other) = pair();
        let at = other.listen("urn:nfc:sn:example", None, Terms::default()).unwrap();
        let client = one.connect(Destination::Point(at)).unwrap();
        turns(&mut one, &mut other, 1);
        let server = other.accept(at).unwrap();
        other.set_busy(server, true);
        turns(&mut one, &mut other, 1);
        one.send(client, vec![1]).unwrap();
        turns(&mut one, &mut other, 5);
        assert_eq!((other.receive(server), one.unacknowledged(client)), (None, 1));
        other.set_busy(server, false);
        turns(&mut one, &mut other, 2);
        assert_eq!((other.receive(server), one.unacknowledged(client)), (Some(vec![1]), 0));
    }

    #[test]
    fn what_breaks_the_rules_ends_the_connection() {
        let rows = [
            ((1, 0), vec![1], 0x10, "N(S)"),
            ((0, 1), vec![1], 0x20, "N(R)"),
            ((0, 0), vec![1; 249], 0x40, "the length"),
        ];
        for (sequence, information, flag, what) in rows {
            let (mut one, mut other) = pair();
            let at = other.listen("urn:nfc:sn:example", None, Terms::default()).unwrap();
            let client = one.connect(Destination::Point(at)).unwrap();
            turns(&mut one, &mut other, 1);
            let wrong = Pdu { sequence, ..Pdu::new(at, PduType::I, Sap::new(32), information) };
            other.take(&wrong.to_bytes()).unwrap();
            let said = other.say_next();
            let unit = Pdu::parse(&said).unwrap();
            assert_eq!((unit.kind, unit.information[0]), (PduType::FRMR, flag | 12), "{what}");
            one.take(&said).unwrap();
            assert_eq!(one.state(client), ConnectionState::Closed(DisconnectReason::FRAME_REJECTED));
        }
    }

    #[test]
    fn a_link_ends_for_both() {
        let (mut one, mut other) = pair();
        one.close();
        other.take(&one.say_next()).unwrap();
        assert_eq!((one.is_open(), other.is_open()), (false, false));
    }

    proptest! {
        #[test]
        fn no_unit_breaks_a_link(units in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..60)) {
            let mut link = Link::new(LinkParameters::default());
            link.listen("urn:nfc:sn:snep", Some(Sap::SNEP), Terms::default()).unwrap();
            link.bind(Some("x"), 2).unwrap();
            let _ = link.connect(Destination::Point(Sap::SNEP));
            for unit in units {
                let _ = link.take(&unit);
                Pdu::parse(&link.say_next()).unwrap();
            }
        }
    }
}
