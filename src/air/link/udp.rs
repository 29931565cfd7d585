//! Radio over UDP, in the format that nfcpy has for its simulated devices: a datagram is
//! the modulation, a space and the frame in hexadecimal; `RFOFF` is a field that went off.
//! One end listens at the port, the other speaks to it. Nothing of what frames say enters.

use super::LinkError;
use super::air::{Air, Heard, Modulation, RfFrame};
use crate::base::bytes::{Hex, parse_hex};
use crate::base::context::Context;
use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

const FIELD_OFF: &str = "RFOFF";
/// The longest datagram: a frame of 290 bytes in hexadecimal, and the modulation.
const LONGEST: usize = 1024;
/// How many datagrams that nobody wants are passed over at once, as the other end could go on
/// sending them.
const MOST_NOISE: usize = 64;

/// Which end of the air this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdpEnd {
    /// It listens at the port, as a target does.
    Listens,
    /// It speaks to the port, as an initiator does.
    Speaks,
    /// It listens, or speaks where another one listens already.
    Either,
}

/// Radio over UDP.
#[derive(Debug)]
pub struct UdpAir {
    socket: UdpSocket,
    /// Who is at the other end, once that is known.
    other: Option<SocketAddr>,
    listens: bool,
    /// Whether anything was ever heard: only then is there a field to switch off.
    has_heard: bool,
    place: String,
}

impl UdpAir {
    /// Opens one end at `HOST:PORT`.
    ///
    /// # Errors
    /// The address is none, or the port cannot be used.
    pub fn open(address: &str, end: UdpEnd) -> Result<Self, LinkError> {
        let place = format!("udp:{address}");
        let failed = |doing: &str, cause: &dyn std::fmt::Display| io(format!("{doing} {place}"), cause);
        let mut found = address.to_socket_addrs().map_err(|cause| failed("finding", &cause))?;
        let at =
            found.find(SocketAddr::is_ipv4).ok_or_else(|| failed("finding", &"no address (IPv4) there"))?;
        let bound = match end {
            UdpEnd::Speaks => None,
            UdpEnd::Listens => Some(UdpSocket::bind(at).map_err(|cause| failed("listening at", &cause))?),
            UdpEnd::Either => match UdpSocket::bind(at) {
                Ok(socket) => Some(socket),
                Err(error) if error.kind() == ErrorKind::AddrInUse => None,
                Err(error) => return Err(failed("listening at", &error)),
            },
        };
        let listens = bound.is_some();
        let socket = match bound {
            Some(socket) => socket,
            None => {
                let any = if at.ip().is_loopback() { "127.0.0.1:0" } else { "0.0.0.0:0" };
                UdpSocket::bind(any).map_err(|cause| failed("speaking to", &cause))?
            }
        };
        Ok(Self { socket, other: (!listens).then_some(at), listens, has_heard: false, place })
    }

    /// Whether it is the end that listens.
    pub fn listens(&self) -> bool {
        self.listens
    }

    fn say(&self, text: &str) -> Result<(), LinkError> {
        let Some(other) = self.other else { return Ok(()) };
        match self.socket.send_to(text.as_bytes(), other) {
            Ok(_) => Ok(()),
            // Nobody is there yet: as in air, nothing comes back.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(io(format!("sending to {}", self.place), &error)),
        }
    }

    /// Forgets what lies in the socket.
    fn drain(&self) {
        let mut buffer = [0; LONGEST];
        if self.socket.set_nonblocking(true).is_ok() {
            for _ in 0..MOST_NOISE {
                if self.socket.recv_from(&mut buffer).is_err() {
                    break;
                }
            }
        }
        let _ = self.socket.set_nonblocking(false);
    }
}

impl Air for UdpAir {
    fn place(&self) -> &str {
        &self.place
    }

    fn send(&mut self, frame: &RfFrame, _context: &mut Context) -> Result<(), LinkError> {
        self.drain();
        let hex = Hex(&frame.bytes).to_string().to_lowercase();
        self.say(format!("{} {hex}", frame.modulation).trim_end())
    }

    fn receive(&mut self, timeout: Duration, _context: &mut Context) -> Result<Option<Heard>, LinkError> {
        let failed = |cause: &dyn std::fmt::Display| io(format!("listening to {}", self.place), cause);
        // None would wait for ever.
        let timeout = timeout.max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(timeout)).map_err(|cause| failed(&cause))?;
        let mut buffer = [0; LONGEST];
        for _ in 0..MOST_NOISE {
            let (length, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(None),
                    // What was sent before found nobody; he may come yet.
                    ErrorKind::ConnectionRefused => continue,
                    _ => return Err(failed(&error)),
                },
            };
            // What is no frame is noise, and whoever sent it nobody.
            let Some(heard) = std::str::from_utf8(&buffer[..length]).ok().and_then(heard) else { continue };
            if self.listens {
                self.other = Some(from);
            }
            self.has_heard = true;
            return Ok(Some(heard));
        }
        Ok(None)
    }

    fn field_off(&mut self, _context: &mut Context) -> Result<(), LinkError> {
        if self.has_heard { self.say(FIELD_OFF) } else { Ok(()) }
    }
}

fn heard(text: &str) -> Option<Heard> {
    if text == FIELD_OFF {
        return Some(Heard::FieldOff);
    }
    let (modulation, bytes) = text.split_once(' ').unwrap_or((text, ""));
    let modulation: Modulation = modulation.parse().ok()?;
    Some(Heard::Frame(RfFrame { modulation, bytes: parse_hex(bytes).ok()? }))
}

fn io(doing: String, cause: &(impl std::fmt::Display + ?Sized)) -> LinkError {
    LinkError::Io { doing, cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    #[test]
    fn what_one_end_sends_the_other_hears() {
        let mut context = Context::simulated(1, Discard);
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut target = UdpAir::open(&address, UdpEnd::Listens).unwrap();
        assert!(UdpAir::open(&address, UdpEnd::Listens).is_err());
        let mut initiator = UdpAir::open(&address, UdpEnd::Either).unwrap();
        assert_eq!((target.listens(), initiator.listens()), (true, false));
        let frame = RfFrame { modulation: Modulation::A106, bytes: vec![0x26] };
        let wait = Duration::from_secs(5);
        initiator.send(&frame, &mut context).unwrap();
        assert_eq!(target.receive(wait, &mut context).unwrap(), Some(Heard::Frame(frame.clone())));
        target.send(&frame, &mut context).unwrap();
        assert_eq!(initiator.receive(wait, &mut context).unwrap(), Some(Heard::Frame(frame)));
        initiator.field_off(&mut context).unwrap();
        assert_eq!(target.receive(wait, &mut context).unwrap(), Some(Heard::FieldOff));
        assert_eq!(target.receive(Duration::ZERO, &mut context).unwrap(), None);
    }

    #[test]
    fn noise_does_not_end_a_wait_and_makes_nobody_the_other_end() {
        let mut context = Context::simulated(1, Discard);
        let speaker = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut air = UdpAir::open(&format!("127.0.0.1:{port}"), UdpEnd::Listens).unwrap();
        speaker.send_to(b"noise", ("127.0.0.1", port)).unwrap();
        assert_eq!(air.receive(Duration::from_millis(20), &mut context).unwrap(), None);
        assert_eq!(air.other, None);
        speaker.send_to(b"noise", ("127.0.0.1", port)).unwrap();
        speaker.send_to(b"106A 26", ("127.0.0.1", port)).unwrap();
        assert!(air.receive(Duration::from_secs(5), &mut context).unwrap().is_some());
        assert_eq!(air.other, Some(speaker.local_addr().unwrap()));
    }

    #[test]
    fn noise_is_not_heard() {
        assert_eq!(heard("106A 26").map(|_| ()), Some(()));
        for noise in ["", "106X 26", "106A 2", "RFON"] {
            assert_eq!(heard(noise), None, "{noise}");
        }
    }
}
