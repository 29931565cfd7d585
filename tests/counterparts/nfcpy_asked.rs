//! Our SNEP and LLCP clients against nfcpy's test servers over UDP: the same tests as its
//! own test clients play, SNEP 00 to 07 and LLCP 01 to 14, driven by us.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cardwright::air::link::{Identity, Initiator, Peer, Polling, UdpAir, UdpEnd};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::p2p::llcp::{
    ConnectionState, Destination, DisconnectReason, Handle, Link, LinkParameters, Pdu, PduType, Sap,
};
use cardwright::roles::p2p::snep::{Client, DEFAULT_SERVER, Response, SnepError};
use cardwright::words::iso18092::BitRate;
use cardwright::words::ndef::{Message, Record, TypeNameFormat};
use libtest_mimic::{Failed, Trial};

use super::nfcpy::{EXAMPLES, VALIDATION, examples};
use crate::support::ports::free_air;
use crate::support::process::OwnChild;
use crate::support::require_or_skip;

const CL_ECHO: &str = "urn:nfc:sn:cl-echo";
const CO_ECHO: &str = "urn:nfc:sn:co-echo";
/// Longer than an echo service waits, or takes on a busy machine to be there again.
const ECHO: Duration = Duration::from_secs(30);
/// Data of the usual length (128 bytes is the least MIU).
const MIU: usize = 128;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, play: fn(&Path) -> Result<(), Failed>| {
        Trial::ignorable_test(format!("counterparts::nfcpy::asked::{name}"), move || {
            require_or_skip(examples(), |python| play(&python))
        })
    };
    vec![trial("snep", snep), trial("llcp", llcp), trial("llcp frames", llcp_frames)]
}

/// Our end of a link with one of nfcpy's servers.
struct Near {
    link: Link,
    peer: Box<dyn Peer>,
    context: Context,
    /// Every unit that was heard, but for symmetry.
    heard: Vec<Pdu>,
    /// What is said instead of what the link would say.
    instead: Option<Pdu>,
    _server: OwnChild,
}

impl Near {
    fn meet(python: &Path, program: &str) -> Result<Self, Failed> {
        let place = free_air()?;
        let mut server = Command::new(python);
        server.arg(Path::new(EXAMPLES).join(program));
        server.args(["--mode", "t", "--device", &place, "--listen-time", "5000"]);
        server.args(["--rwt", "12", "--lto", "2000", "-q"]);
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = OwnChild(server.map_err(|error| format!("{program}: {error}"))?);
        let mut context = Context::system(Discard);
        let mut link = Link::new(LinkParameters::default());
        let air = UdpAir::open(place.trim_start_matches("udp:"), UdpEnd::Speaks)?;
        let identity = Identity { general: link.general_bytes(), timeout: 12 };
        let polling = Polling { timeout: Duration::from_secs(30), rate: BitRate::Kbps424 };
        let peer = Box::new(Initiator::find(air, &identity, polling, &mut context)?);
        link.meet(&peer.activation().general)?;
        Ok(Self { link, peer, context, heard: Vec::new(), instead: None, _server: server })
    }

    /// One unit there, one back.
    fn turn(&mut self) -> Result<(), Failed> {
        let said = match self.instead.take() {
            Some(unit) => unit.to_bytes(),
            None => self.link.say_next(),
        };
        let heard = self.peer.exchange(Some(&said), Duration::from_secs(3), &mut self.context)?;
        let unit = Pdu::parse(&heard)?;
        if unit.kind == PduType::AGF {
            self.heard.extend(unit.parts());
        } else if unit.kind != PduType::SYMM {
            self.heard.push(unit);
        }
        Ok(self.link.take(&heard)?)
    }

    /// Turns until something is there.
    fn until<T>(
        &mut self,
        limit: Duration,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<T, Failed> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            self.turn()?;
        }
        Err(format!("no {what} within {limit:?}").into())
    }

    fn idle(&mut self, time: Duration) -> Result<(), Failed> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.turn()?;
        }
        Ok(())
    }

    fn request(&mut self, mut client: Client) -> Result<Result<Vec<u8>, SnepError>, Failed> {
        self.until(ECHO, "SNEP response", |near| client.poll(&mut near.link))
    }

    fn put(&mut self, server: &str, message: &[u8]) -> Result<(), Failed> {
        let client = Client::put_to(&mut self.link, server, message)?;
        self.request(client)?.map(|_| ()).map_err(|error| error.to_string().into())
    }

    fn get(&mut self, server: &str, message: &[u8], most: u32) -> Result<Result<Vec<u8>, SnepError>, Failed> {
        let client = Client::get_from(&mut self.link, server, message, most)?;
        self.request(client)
    }

    fn look_up(&mut self, name: &str) -> Result<Option<Sap>, Failed> {
        self.until(ECHO, "answer to a look-up", |near| near.link.look_up(name))
    }

    fn connect(&mut self, to: Destination<'_>) -> Result<Result<Handle, DisconnectReason>, Failed> {
        let handle = self.link.connect(to)?;
        self.until(ECHO, "answer to CONNECT", |near| match near.link.state(handle) {
            ConnectionState::Established => Some(Ok(handle)),
            ConnectionState::Closed(reason) => Some(Err(reason)),
            _ => None,
        })
    }

    /// A connection to the echo service, which takes its time to be done with the one before.
    fn connected(&mut self) -> Result<Handle, Failed> {
        let begun = Instant::now();
        loop {
            match self.connect(Destination::Name(CO_ECHO))? {
                Ok(handle) => return Ok(handle),
                Err(reason) if begun.elapsed() > ECHO => {
                    return Err(format!("no connection: {reason}").into());
                }
                Err(_) => self.idle(Duration::from_millis(200))?,
            }
        }
    }

    fn receive(&mut self, handle: Handle) -> Result<Vec<u8>, Failed> {
        self.until(ECHO, "echo", |near| near.link.receive(handle))
    }

    fn disconnect(&mut self, handle: Handle) -> Result<(), Failed> {
        self.link.disconnect(handle);
        self.until(ECHO, "answer to DISC", |near| {
            matches!(near.link.state(handle), ConnectionState::Closed(_)).then_some(())
        })
    }

    /// The end of the link: the other side says it too, or nothing any more.
    fn close(mut self) -> Result<(), Failed> {
        self.link.close();
        let said = self.link.say_next();
        let heard = self.peer.exchange(Some(&said), Duration::from_secs(3), &mut self.context);
        self.peer.release(&mut self.context);
        match heard {
            Err(_) => Ok(()),
            Ok(heard) => {
                let ends = [PduType::DISC, PduType::SYMM].contains(&Pdu::parse(&heard)?.kind);
                same("the end of the link", &ends, &true)
            }
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failed> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected:?}, found {found:?}").into()),
    }
}

fn message(id: &str, length: usize) -> Result<Vec<u8>, Failed> {
    let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
    let record =
        Record { id: id.into(), ..Record::new(TypeNameFormat::MEDIA, *b"application/octet-stream", payload) };
    Ok(Message::new([record]).to_bytes()?)
}

fn snep(python: &Path) -> Result<(), Failed> {
    let mut near = Near::meet(python, "snep-test-server.py")?;
    // 00: something is put to the default server; 01: connected twice.
    near.put(DEFAULT_SERVER, &message("00", 10)?)?;
    for _ in 0..2 {
        let handle = near.connect(Destination::Name(VALIDATION))?.map_err(|reason| reason.to_string())?;
        near.disconnect(handle)?;
    }
    // 02, 03: one unit and many.
    for length in [122 - 29, 2171 - 29] {
        let whole = message("1", length)?;
        near.put(VALIDATION, &whole)?;
        let got = near.get(VALIDATION, &message("1", 0)?, 10_000)?.map_err(|error| error.to_string())?;
        same("02 and 03: what was put", &got, &whole)?;
    }
    // 04: two messages.
    for id in ["1", "2"] {
        near.put(VALIDATION, &message(id, 50)?)?;
    }
    for id in ["1", "2"] {
        let got = near.get(VALIDATION, &message(id, 0)?, 10_000)?.map_err(|error| error.to_string())?;
        same("04: which was put", &got, &message(id, 50)?)?;
    }
    // 05: longer than acceptable; 06: never put; 07: the default server has nothing to get.
    let most = message("1", 50)?.len() as u32 - 1;
    let refused = |response| Err(SnepError::Refused { response });
    same("05", &near.get(VALIDATION, &message("1", 0)?, most)?, &refused(Response::EXCESS_DATA))?;
    same("06", &near.get(VALIDATION, &message("na", 0)?, 1024)?, &refused(Response::NOT_FOUND))?;
    near.put(DEFAULT_SERVER, &message("1", 1024 - 32)?)?;
    same("07", &near.get(DEFAULT_SERVER, &message("1", 0)?, 1024)?, &refused(Response::NOT_IMPLEMENTED))?;
    near.close()
}

/// Datagrams that come back.
fn echo(near: &mut Near, from: Sap, to: Sap, sent: &[Vec<u8>], back: usize) -> Result<(), Failed> {
    for data in sent {
        near.link.send_to(from, to, data)?;
        near.idle(Duration::from_millis(100))?;
    }
    for data in &sent[..back] {
        let got = near.until(ECHO, "datagram", |near| near.link.receive_from(from))?;
        same("datagram", &got, &(to, data.clone()))?;
    }
    near.idle(Duration::from_millis(300))?;
    same("a datagram too many", &near.link.has_datagram(from), &false)
}

fn llcp(python: &Path) -> Result<(), Failed> {
    let mut near = Near::meet(python, "llcp-test-server.py")?;
    // 01: symmetry; the end of the link comes last.
    near.idle(Duration::from_secs(1))?;
    // 09: names are looked up.
    same("09: discovery", &near.look_up("urn:nfc:sn:sdp")?, &Some(Sap::DISCOVERY))?;
    let service = near.look_up(CL_ECHO)?.ok_or("09: no connection-less echo service")?;
    same("09: unknown name", &near.look_up("urn:nfc:sn:sdp-test")?, &None)?;
    // 02: one, two and three datagrams, of which two wait; none and the most bytes. 08: two
    // that may come back in one unit.
    let own = near.link.bind(None, 4)?;
    let data = |length: usize, count: u8| (1..=count).map(|byte| vec![byte; length]).collect::<Vec<_>>();
    let most = near.link.remote_miu().min(usize::from(LinkParameters::default().miu));
    for (length, count, back) in [(MIU, 1, 1), (MIU, 2, 2), (MIU, 3, 2), (0, 1, 1), (most, 1, 1), (50, 2, 2)]
    {
        echo(&mut near, own, service, &data(length, count), back)?;
    }
    // 03: a connection; what was sent is acknowledged before it comes back.
    let point = near.look_up(CO_ECHO)?.ok_or("03: no connection-mode echo service")?;
    let handle = near.connect(Destination::Point(point))?.map_err(|reason| reason.to_string())?;
    let begun = Instant::now();
    near.link.send(handle, vec![0xFF; MIU])?;
    near.until(ECHO, "acknowledgement", |near| (near.link.unacknowledged(handle) == 0).then_some(()))?;
    same("03: acknowledged at once", &(begun.elapsed() < Duration::from_millis(1_900)), &true)?;
    same("03: echo", &near.receive(handle)?, &vec![0xFF; MIU])?;
    same("03: not before its time", &(begun.elapsed() > Duration::from_millis(1_900)), &true)?;
    near.disconnect(handle)?;
    // 04: more units than there are numbers, in order. 05: four at once make the service busy.
    let handle = near.connected()?;
    near.heard.clear();
    let sent = data(MIU, 18);
    for unit in &sent {
        near.link.send(handle, unit.clone())?;
    }
    for unit in &sent {
        same("04: echo", &near.receive(handle)?, unit)?;
    }
    let was_busy = near.heard.iter().any(|unit| unit.kind == PduType::RNR);
    same("05: the service was busy", &was_busy, &true)?;
    // 06: a second connection is refused, and the first one stays.
    let second = near.connect(Destination::Point(point))?;
    same("06: a second connection", &second.is_err(), &true)?;
    near.link.send(handle, b"still there".to_vec())?;
    same("06: echo", &near.receive(handle)?, &b"still there".to_vec())?;
    near.disconnect(handle)?;
    // 07: by name. 12: the most bytes. 13: again after its end. 14: a name that nobody has.
    for _ in 0..2 {
        let handle = near.connected()?;
        let whole = vec![0xA5; near.link.connection_miu(handle)];
        near.link.send(handle, whole.clone())?;
        same("07, 12, 13: echo", &near.receive(handle)?, &whole)?;
        near.disconnect(handle)?;
    }
    let unknown = near.connect(Destination::Name("urn:nfc:sn:co-echo-unknown"))?;
    same("14", &unknown.err(), &Some(DisconnectReason::NO_SERVICE))?;
    near.close()
}

/// 10 and 11: units that are not as they must be are rejected with their reason.
fn llcp_frames(python: &Path) -> Result<(), Failed> {
    let mut near = Near::meet(python, "llcp-test-server.py")?;
    for (name, flag) in [("10: too long", 0x4), ("11: wrong number", 0x1)] {
        let handle = near.connected()?;
        let agreed = near.heard.iter().rev().find(|unit| unit.kind == PduType::CC).cloned();
        let agreed = agreed.ok_or("no CC")?;
        let length = if flag == 0x4 { near.link.connection_miu(handle) + 1 } else { 5 };
        let mut wrong = Pdu::new(agreed.ssap, PduType::I, agreed.dsap, vec![0; length]);
        if flag == 0x1 {
            wrong.sequence = (13, 0);
        }
        near.instead = Some(wrong);
        let rejected = near.until(ECHO, "frame reject", |near| {
            near.heard.iter().find(|unit| unit.kind == PduType::FRMR).cloned()
        })?;
        let first = rejected.information.first().copied().unwrap_or_default();
        same(name, &(first >> 4 & flag, first & 0x0F), &(flag, PduType::I.0))?;
        near.heard.clear();
        near.idle(Duration::from_millis(300))?;
    }
    near.close()
}
