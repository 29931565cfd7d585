//! Our NFC-DEP, LLCP and SNEP against nfcpy's over UDP: its own test programs ask our
//! services. Its servers are asked in `nfcpy_asked.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cardwright::air::link::pn532::Pn532Peer;
use cardwright::air::link::{Identity, LinkError, NfcDepTarget, Peer, UdpAir, UdpEnd};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::p2p::llcp::{ConnectionState, Handle, Link, LinkParameters, LlcpError, Sap, Terms};
use cardwright::roles::p2p::snep::{Answer, DEFAULT_SERVER, Response, Server, Shelf};
use cardwright::words::ndef::Message;
use libtest_mimic::{Failed, Trial};

use crate::support::chip::SimulatedChip;
use crate::support::ports::free_air;
use crate::support::process::{PATIENCE, run};
use crate::support::{Skip, python, require_or_skip};

/// The test programs, as `.ci/install` unpacks them.
pub(super) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/nfcpy/nfcpy-1.0.4/examples");
pub(super) const VALIDATION: &str = "urn:nfc:xsn:nfc-forum.org:snep-validation";
/// Echo services wait so long (NFC Forum LLCP test specification, by nfcpy's server).
const ECHO_DELAY: Duration = Duration::from_secs(2);
/// How long somebody is waited for at a time.
const LOOK: Duration = Duration::from_millis(500);
/// How many units the echo service for connections holds before it is busy.
const ECHO_HOLDS: usize = 3;
const ECHO_TERMS: Terms = Terms { window: 2, connections: 1 };

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, program: &'static str, tests: &'static [&'static str]| {
        Trial::ignorable_test(format!("counterparts::nfcpy::{name}"), move || {
            require_or_skip(examples(), |python| {
                let air = free_air()?;
                let address = air.trim_start_matches("udp:").to_owned();
                let meets = move |identity: &Identity, context: &mut Context| {
                    let air = UdpAir::open(&address, UdpEnd::Listens)?;
                    let peer = NfcDepTarget::be_found(air, identity, LOOK, context)?;
                    Ok(Box::new(peer) as Box<dyn Peer>)
                };
                asked_by(&python, &air, program, tests, meets)
            })
        })
    };
    vec![
        trial("snep", "snep-test-client.py", &["00", "01", "02", "03", "04", "05", "06", "07"]),
        trial(
            "llcp",
            "llcp-test-client.py",
            &["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14"],
        ),
        Trial::ignorable_test("counterparts::nfcpy::snep by a PN532", || {
            require_or_skip(examples(), |python| snep_by_a_chip(&python))
        }),
    ]
}

pub(super) fn examples() -> Result<PathBuf, Skip> {
    let python = python("nfc")?;
    match Path::new(EXAMPLES).is_dir() {
        true => Ok(python),
        false => Err(Skip("the examples of nfcpy 1.0.4 are not there: run .ci/install".into())),
    }
}

/// Tests of a program, one link each, against our services.
fn asked_by(
    python: &Path,
    air: &str,
    program: &str,
    tests: &[&str],
    meets: impl Meets + Send + 'static,
) -> Result<(), Failed> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let serving = thread::spawn(move || serve(meets, &told));
    let mut failed = Vec::new();
    for test in tests {
        let mut client = Command::new(python);
        client.arg(Path::new(EXAMPLES).join(program));
        client.args(["--mode", "i", "--device", air, "-t", test]);
        let passes = format!("{test}: PASS");
        match run(&mut client, "", PATIENCE * 2) {
            Ok(said) if said.stdout.lines().any(|line| line == passes) => {}
            Ok(said) => failed.push(format!("test {test}: {}{}", said.stdout, said.stderr)),
            Err(error) => failed.push(format!("test {test}: {error}")),
        }
        if serving.is_finished() {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let served = serving.join().map_err(|_| "our peer panicked")?;
    failed.extend(served.err().map(|error| format!("our peer: {error}")));
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

/// Our peer is the driver of a PN532, whose chip has the air.
fn snep_by_a_chip(python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let chip = SimulatedChip::start(folder.path(), "chip", &free_air()?, &[])?;
    let path = chip.path.display().to_string();
    let meets = move |identity: &Identity, context: &mut Context| {
        let peer = Pn532Peer::be_found(&path, identity, LOOK * 4, context)?;
        Ok(Box::new(peer) as Box<dyn Peer>)
    };
    asked_by(python, chip.air(), "snep-test-client.py", &["00", "01", "02", "03"], meets)
}

/// Lets itself be found, once.
trait Meets: FnMut(&Identity, &mut Context) -> Result<Box<dyn Peer>, LinkError> {}
impl<M: FnMut(&Identity, &mut Context) -> Result<Box<dyn Peer>, LinkError>> Meets for M {}

/// Is found again and again, until it is told to stop.
fn serve(mut meets: impl Meets, stop: &AtomicBool) -> Result<(), String> {
    let mut context = Context::system(Discard);
    while !stop.load(Ordering::Relaxed) {
        let mut link = Link::new(LinkParameters::default());
        let mut services = Services::open(&mut link).map_err(|error| error.to_string())?;
        let identity = Identity { general: link.general_bytes(), timeout: 12 };
        let mut peer = match meets(&identity, &mut context) {
            Ok(peer) => peer,
            Err(LinkError::Timeout { .. }) => continue,
            Err(error) => return Err(error.to_string()),
        };
        link.meet(&peer.activation().general).map_err(|error| error.to_string())?;
        let mut said: Option<Vec<u8>> = None;
        // Its end is said, too, and not answered.
        while let Ok(heard) = peer.exchange(said.as_deref(), Duration::from_secs(3), &mut context) {
            if !link.is_open() {
                break;
            }
            link.take(&heard).map_err(|error| error.to_string())?;
            services.poll(&mut link).map_err(|error| error.to_string())?;
            said = Some(link.say_next());
        }
    }
    Ok(())
}

/// What the test programs look for.
struct Services {
    default: Server,
    validation: Server,
    datagrams: DatagramEcho,
    connections: ConnectionEcho,
}

impl Services {
    fn open(link: &mut Link) -> Result<Self, LlcpError> {
        Ok(Self {
            default: Server::listen(link, DEFAULT_SERVER, Some(Sap::SNEP), Kept::default())?,
            validation: Server::listen(link, VALIDATION, None, Kept { gives: true, messages: Vec::new() })?,
            datagrams: DatagramEcho { at: link.bind(Some("urn:nfc:sn:cl-echo"), 2)?, held: None },
            connections: ConnectionEcho {
                at: link.listen("urn:nfc:sn:co-echo", None, ECHO_TERMS)?,
                talk: None,
                held: Vec::new(),
                since: None,
            },
        })
    }

    fn poll(&mut self, link: &mut Link) -> Result<(), LlcpError> {
        self.default.poll(link)?;
        self.validation.poll(link)?;
        self.datagrams.poll(link)?;
        self.connections.poll(link)
    }
}

/// Messages by the type and identifier of their first record.
#[derive(Default)]
struct Kept {
    gives: bool,
    messages: Vec<Message>,
}

impl Kept {
    fn find(&self, wanted: &Message) -> Option<&Message> {
        let key = |message: &Message| message.records().first().map(|one| (one.kind.clone(), one.id.clone()));
        self.messages.iter().rev().find(|message| key(message) == key(wanted))
    }
}

impl Shelf for Kept {
    fn put(&mut self, message: Vec<u8>) -> Response {
        match Message::parse(&message) {
            Ok(message) => {
                self.messages.push(message);
                Response::SUCCESS
            }
            Err(_) => Response::BAD_REQUEST,
        }
    }

    fn get(&mut self, message: &[u8]) -> Answer {
        if !self.gives {
            return Response::NOT_IMPLEMENTED.into();
        }
        let found = Message::parse(message).ok().and_then(|wanted| self.find(&wanted)?.to_bytes().ok());
        found.map_or(Response::NOT_FOUND.into(), |message| Answer { response: Response::SUCCESS, message })
    }
}

/// Datagrams come back after a while; more than two are lost.
struct DatagramEcho {
    at: Sap,
    held: Option<Instant>,
}

impl DatagramEcho {
    fn poll(&mut self, link: &mut Link) -> Result<(), LlcpError> {
        let since = match self.held {
            Some(since) => since,
            None if link.has_datagram(self.at) => *self.held.insert(Instant::now()),
            None => return Ok(()),
        };
        if since.elapsed() >= ECHO_DELAY {
            while let Some((from, data)) = link.receive_from(self.at) {
                link.send_to(self.at, from, &data)?;
            }
            self.held = None;
        }
        Ok(())
    }
}

/// What came on a connection comes back after a while; who holds three is busy.
struct ConnectionEcho {
    at: Sap,
    talk: Option<Handle>,
    held: Vec<Vec<u8>>,
    since: Option<Instant>,
}

impl ConnectionEcho {
    fn poll(&mut self, link: &mut Link) -> Result<(), LlcpError> {
        if let Some(new) = link.accept(self.at) {
            self.talk = Some(new);
            self.held.clear();
            self.since = None;
        }
        let Some(talk) = self.talk.filter(|talk| link.state(*talk) == ConnectionState::Established) else {
            return Ok(());
        };
        while self.held.len() < ECHO_HOLDS
            && let Some(data) = link.receive(talk)
        {
            self.held.push(data);
            self.since.get_or_insert_with(Instant::now);
        }
        link.set_busy(talk, self.held.len() == ECHO_HOLDS);
        if self.since.is_some_and(|since| since.elapsed() >= ECHO_DELAY) {
            for data in self.held.drain(..) {
                link.send(talk, data)?;
            }
            self.since = None;
        }
        Ok(())
    }
}
