//! One data link connection (NFC Forum LLCP 1.3, 5.6): numbered units, a window, and what
//! happens when one of them is not as it must be.

use super::error::LlcpError;
use super::parameter::Parameters;
use super::pdu::{Pdu, PduType, Sap};
use std::collections::VecDeque;
use std::fmt;

/// Numbers are modulo 16.
const MODULUS: u8 = 16;
/// The other device's receive window where it names none (4.4.5).
const DEFAULT_WINDOW: u8 = 1;
/// That of our clients.
const WINDOW: u8 = 15;

/// What a frame reject complains of (table 7).
const INFORMATION: u8 = 0x40;
const RECEIVE_NUMBER: u8 = 0x20;
const SEND_NUMBER: u8 = 0x10;

/// Why a connection is not there (4.3.8, DM); codes that are not assigned are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DisconnectReason(pub u8);

impl DisconnectReason {
    /// It was asked for.
    pub const REQUESTED: Self = Self(0x00);
    /// There was none.
    pub const NOT_CONNECTED: Self = Self(0x01);
    /// Nobody is at that point.
    pub const NO_SERVICE: Self = Self(0x02);
    /// The service does not want it.
    pub const REJECTED: Self = Self(0x03);
    /// Not now: too many others.
    pub const BUSY: Self = Self(0x21);
    /// Not a code of DM: a frame was rejected, by either side (5.6.4).
    pub const FRAME_REJECTED: Self = Self(0xFF);
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::REQUESTED => f.write_str("one side has ended it"),
            Self::NOT_CONNECTED => f.write_str("the other device knows of none"),
            Self::NO_SERVICE => f.write_str("the other device has no such service"),
            Self::REJECTED => f.write_str("the service of the other device rejected it"),
            Self::BUSY => f.write_str("the other device has too many"),
            Self::FRAME_REJECTED => f.write_str("a frame was rejected"),
            Self(code) => write!(f, "the other device said {code:02X}"),
        }
    }
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// It was asked for, and the answer has not come.
    Connecting,
    /// Data goes to and fro.
    Established,
    /// Its end was asked for, and the answer has not come.
    Disconnecting,
    /// It is no more, or never was.
    Closed(DisconnectReason),
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("no answer to CONNECT yet"),
            Self::Established => f.write_str("it is"),
            Self::Disconnecting => f.write_str("its end was asked for"),
            Self::Closed(reason) => write!(f, "{reason}"),
        }
    }
}

/// A connection. V(S), V(SA), V(R) and V(RA) are the standard's state variables (5.6.1).
#[derive(Debug)]
pub(super) struct Connection {
    pub local: Sap,
    pub remote: Sap,
    pub state: ConnectionState,
    /// Whether a service has taken it up, or a client made it.
    pub accepted: bool,
    own_miu: usize,
    remote_miu: usize,
    remote_window: u8,
    send: u8,
    send_acknowledged: u8,
    receive: u8,
    receive_acknowledged: u8,
    /// Units without numbers that are due.
    due: VecDeque<Pdu>,
    out: VecDeque<Vec<u8>>,
    received: VecDeque<Vec<u8>>,
    is_busy: bool,
    told_busy: bool,
    remote_is_busy: bool,
}

impl Connection {
    /// One that this device asks for, of a point or of a name at the point of discovery.
    pub fn asking(local: Sap, remote: Sap, name: Option<&str>, own_miu: u16) -> Self {
        let mut new = Self::new(local, remote, own_miu, &Parameters::default());
        let parameters =
            Parameters { name: name.map(|name| name.as_bytes().to_vec()), ..own_parameters(own_miu, WINDOW) };
        new.due.push_back(Pdu::new(remote, PduType::CONNECT, local, parameters.to_bytes()));
        new.accepted = true;
        new
    }

    /// One that the other device asked for.
    pub fn asked(local: Sap, remote: Sap, theirs: &Parameters, own_miu: u16, window: u8) -> Self {
        let mut new = Self::new(local, remote, own_miu, theirs);
        new.state = ConnectionState::Established;
        new.due.push_back(Pdu::new(remote, PduType::CC, local, own_parameters(own_miu, window).to_bytes()));
        new
    }

    fn new(local: Sap, remote: Sap, own_miu: u16, theirs: &Parameters) -> Self {
        Self {
            local,
            remote,
            state: ConnectionState::Connecting,
            accepted: false,
            own_miu: usize::from(own_miu),
            remote_miu: theirs.miu(),
            remote_window: theirs.rw.unwrap_or(DEFAULT_WINDOW),
            send: 0,
            send_acknowledged: 0,
            receive: 0,
            receive_acknowledged: 0,
            due: VecDeque::new(),
            out: VecDeque::new(),
            received: VecDeque::new(),
            is_busy: false,
            told_busy: false,
            remote_is_busy: false,
        }
    }

    /// Whether a unit from there to here is of this connection. One that is asked for by
    /// name has its service's point only once it is confirmed.
    pub fn is_between(&self, local: Sap, remote: Sap) -> bool {
        let is_there = self.remote == remote || self.state == ConnectionState::Connecting;
        self.local == local && is_there && self.is_open()
    }

    /// Whether it is there, comes or goes.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, ConnectionState::Closed(_))
    }

    /// Whether nothing is left to be said.
    pub fn is_spent(&self) -> bool {
        !self.is_open() && self.due.is_empty()
    }

    /// The most bytes that the other device takes at once.
    pub fn remote_miu(&self) -> usize {
        self.remote_miu
    }

    /// Queues data.
    pub fn queue(&mut self, data: Vec<u8>) -> Result<(), LlcpError> {
        if self.state != ConnectionState::Established {
            return Err(LlcpError::NotEstablished { state: self.state.to_string() });
        }
        if data.len() > self.remote_miu {
            return Err(LlcpError::TooLong { most: self.remote_miu, found: data.len() });
        }
        self.out.push_back(data);
        Ok(())
    }

    /// Units that wait to be sent, or to be acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.out.len() + usize::from(distance(self.send_acknowledged, self.send))
    }

    /// The oldest data that came.
    pub fn fetch(&mut self) -> Option<Vec<u8>> {
        self.received.pop_front()
    }

    /// Says whether more can be taken.
    pub fn set_busy(&mut self, is_busy: bool) {
        self.is_busy = is_busy;
    }

    /// Asks for the end. What was queued and not sent is dropped.
    pub fn end(&mut self) {
        self.out.clear();
        match self.state {
            ConnectionState::Established | ConnectionState::Connecting => {
                self.state = ConnectionState::Disconnecting;
                self.due.push_back(Pdu::new(self.remote, PduType::DISC, self.local, []));
            }
            ConnectionState::Disconnecting | ConnectionState::Closed(_) => {}
        }
    }

    /// A unit of this connection has come.
    pub fn take(&mut self, unit: Pdu) {
        match (unit.kind, self.state) {
            (PduType::CC, ConnectionState::Connecting) => {
                // Parameters that cannot be read are those of a device that names none.
                let theirs = Parameters::parse(&unit.information).unwrap_or_default();
                self.remote = unit.ssap;
                self.remote_miu = theirs.miu();
                self.remote_window = theirs.rw.unwrap_or(DEFAULT_WINDOW);
                self.state = ConnectionState::Established;
            }
            (PduType::DM, _) => {
                let reason = unit.information.first().copied().unwrap_or_default();
                self.close(DisconnectReason(reason));
            }
            (PduType::DISC, _) => {
                self.close(DisconnectReason::REQUESTED);
                self.due.push_back(disconnected(unit.ssap, self.local, DisconnectReason::REQUESTED));
            }
            (PduType::FRMR, _) => self.close(DisconnectReason::FRAME_REJECTED),
            (kind, ConnectionState::Established) if kind.is_numbered() => self.take_numbered(unit),
            _ => {}
        }
    }

    fn take_numbered(&mut self, unit: Pdu) {
        let (sent, acknowledged) = unit.sequence;
        let outstanding = distance(self.send_acknowledged, self.send);
        let is_information = unit.kind == PduType::I;
        if is_information && unit.information.len() > self.own_miu {
            return self.reject(&unit, INFORMATION);
        }
        if is_information && sent != self.receive {
            return self.reject(&unit, SEND_NUMBER);
        }
        if distance(self.send_acknowledged, acknowledged) > outstanding {
            return self.reject(&unit, RECEIVE_NUMBER);
        }
        self.send_acknowledged = acknowledged;
        if is_information {
            self.receive = next(self.receive);
            self.received.push_back(unit.information);
        } else {
            self.remote_is_busy = unit.kind == PduType::RNR;
        }
    }

    /// Says what is wrong with a unit, and ends (4.3.9, 5.6.4).
    fn reject(&mut self, unit: &Pdu, flag: u8) {
        let information = [
            flag | unit.kind.0,
            unit.sequence.0 << 4 | unit.sequence.1,
            self.send << 4 | self.receive,
            self.send_acknowledged << 4 | self.receive_acknowledged,
        ];
        self.close(DisconnectReason::FRAME_REJECTED);
        self.due.push_back(Pdu::new(self.remote, PduType::FRMR, self.local, information));
    }

    fn close(&mut self, reason: DisconnectReason) {
        self.state = ConnectionState::Closed(reason);
        self.due.clear();
        self.out.clear();
    }

    /// The next unit that is due, if any.
    pub fn next(&mut self) -> Option<Pdu> {
        if let Some(unit) = self.due.pop_front() {
            return Some(unit);
        }
        if self.state != ConnectionState::Established {
            return None;
        }
        let has_changed = self.is_busy != self.told_busy;
        let may_send =
            !self.remote_is_busy && distance(self.send_acknowledged, self.send) < self.remote_window;
        if may_send
            && !has_changed
            && let Some(data) = self.out.pop_front()
        {
            let sequence = (self.send, self.receive);
            self.send = next(self.send);
            self.receive_acknowledged = self.receive;
            return Some(Pdu { sequence, ..Pdu::new(self.remote, PduType::I, self.local, data) });
        }
        if has_changed || self.receive != self.receive_acknowledged {
            self.told_busy = self.is_busy;
            self.receive_acknowledged = self.receive;
            let kind = if self.is_busy { PduType::RNR } else { PduType::RR };
            return Some(Pdu { sequence: (0, self.receive), ..Pdu::new(self.remote, kind, self.local, []) });
        }
        None
    }
}

/// A unit that says that there is no connection.
pub(super) fn disconnected(to: Sap, from: Sap, reason: DisconnectReason) -> Pdu {
    Pdu::new(to, PduType::DM, from, [reason.0])
}

fn own_parameters(miu: u16, window: u8) -> Parameters {
    Parameters { miux: miu.saturating_sub(128), rw: Some(window), ..Parameters::default() }
}

fn next(number: u8) -> u8 {
    (number + 1) % MODULUS
}

fn distance(from: u8, to: u8) -> u8 {
    (to + MODULUS - from) % MODULUS
}
