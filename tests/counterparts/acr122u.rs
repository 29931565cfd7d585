//! The PN532 inside an ACR122U, reached through PC/SC: our driver speaks to a daemon whose reader is
//! called so, and whose card is our simulated chip behind the reader's own commands.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cardwright::air::link::pn532::{Deframer, Found, Frame, Line, Port, SPEED};
use libtest_mimic::{Failed, Trial};

use super::libnfc::expect;
use super::pn532::WAIT;
use super::programs::done;
use crate::support::chip::SimulatedChip;
use crate::support::pcscd::PrivatePcscd;
use crate::support::process::{OwnChild, PATIENCE, run, wait_until};
use crate::support::require_or_skip;
use crate::support::vpicc::FixedCard;

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
const NAME: &str = "ACS ACR122U PICC Interface";
const ADDRESS: &str = "pn532:pcsc:ACR122U";
const ATR: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];
const PIECE: Duration = Duration::from_millis(100);

type Test = fn(PrivatePcscd, &Path) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: Test| {
        Trial::ignorable_test(format!("counterparts::acr122u::{name}"), move || {
            require_or_skip(PrivatePcscd::start(NAME), |daemon| {
                let folder = tempfile::tempdir()?;
                test(daemon, folder.path())
            })
        })
    };
    vec![
        trial("a card is read", read),
        trial("a card is emulated", emulate),
        trial("a phone pays", |daemon, folder| touch(daemon, folder, true)),
        trial("a phone is paid", |daemon, folder| touch(daemon, folder, false)),
    ]
}

/// The reader, with a chip inside.
struct Reader {
    // Dropped in this order: the daemon goes before what is in its reader.
    daemon: PrivatePcscd,
    _inside: FixedCard,
}

impl Reader {
    /// Puts a chip into the reader of a daemon.
    fn with(daemon: PrivatePcscd, chip: &SimulatedChip) -> Result<Self, Failed> {
        let mut inside = Inside { line: Box::new(Port::open(&chip.path.display().to_string(), SPEED)?) };
        let card = FixedCard::insert_answering(&daemon, ATR, move |command| inside.answer(command))?;
        let reader = Self { daemon, _inside: card };
        // Of its two slots the daemon knows by then which one is meant.
        reader.ours(&["watch", "--count", "1", "--for", "60", "--reader", "pcsc"])?;
        Ok(reader)
    }

    fn ours(&self, arguments: &[&str]) -> Result<String, Failed> {
        done(run(self.daemon.command(CARDWRIGHT).args(arguments), "", PATIENCE)?)
    }
}

/// What is inside the reader: it passes commands on to the chip.
struct Inside {
    line: Box<dyn Line>,
}

impl Inside {
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        match command {
            [0xFF, 0x00, 0x48, ..] => b"ACR122U210".to_vec(),
            [0xFF, 0x00, 0x50, ..] => vec![0x90, 0xFF],
            [0xFF, 0x00, 0x51, parameter, _] => vec![0x90, *parameter],
            [0xFF, 0x00, 0x00, 0x00, _, 0xD4, told @ ..] => self.told(told).unwrap_or(vec![0x63, 0x00]),
            _ => vec![0x6D, 0x00],
        }
    }

    fn told(&mut self, told: &[u8]) -> Option<Vec<u8>> {
        self.line.write(&Frame::Command(told.to_vec()).to_bytes()).ok()?;
        let mut deframer = Deframer::default();
        wait_until(PATIENCE, || {
            let mut buffer = [0; 512];
            let count = self.line.read(&mut buffer, PIECE).ok()?;
            deframer.push(&buffer[..count]);
            while let Some(found) = deframer.next_frame() {
                if let Found::Frame(Frame::Answer(said)) = found {
                    return Some([&[0xD5], said.as_slice(), &[0x90, 0x00]].concat());
                }
            }
            None
        })
    }
}

/// A card before the chip is read, watched, and told from a card behind PC/SC.
fn read(daemon: PrivatePcscd, folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let reader = Reader::with(daemon, &chip)?;
    let said = reader.ours(&["read", "--reader", ADDRESS])?;
    expect(&said, &["pn532:pcsc:ACR122U, contactless", "UID   08******", "balance             100.00 CNY"])?;
    let said = reader.ours(&["watch", "--count", "1", "--for", "60", "--reader", ADDRESS])?;
    expect(&said, &["pn532:pcsc:ACR122U  card, ATR 3B 87 80 01", "ATS 0C"])?;
    // The reader itself is a PC/SC reader still.
    expect(&reader.ours(&["readers"])?, &[NAME, "holds a card, ATR 3B 80 80 01 01"])
}

/// Our card is served by the chip inside, and read by another one.
fn emulate(daemon: PrivatePcscd, folder: &Path) -> Result<(), Failed> {
    let (chip, other) = SimulatedChip::pair(folder)?;
    let reader = Reader::with(daemon, &chip)?;
    let log = folder.join("served.log");
    let out = fs::File::create(&log)?;
    let mut serve = reader.daemon.command(CARDWRIGHT);
    serve.args(["card", "serve", "sim:ecash", "--on", ADDRESS]).arg("--state").arg(folder.join("state"));
    let _served = OwnChild(serve.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?);
    chip.listens().map_err(|error| format!("{error}: {}", fs::read_to_string(&log).unwrap_or_default()))?;
    let mut ours = Command::new(CARDWRIGHT);
    ours.args(["read", WAIT, "--reader", &other.address()]).current_dir(folder);
    expect(&done(run(&mut ours, "", PATIENCE)?)?, &["balance             100.00 CNY"])
}

/// Two phones touch, one of them by the chip inside: the money moves once.
fn touch(daemon: PrivatePcscd, folder: &Path, pays_inside: bool) -> Result<(), Failed> {
    let (chip, other) = SimulatedChip::pair(folder)?;
    let reader = Reader::with(daemon, &chip)?;
    let other = other.address();
    let peers = if pays_inside { [ADDRESS, &other] } else { [&other, ADDRESS] };
    let books = format!("sqlite:{}", folder.join("cardwright.db").display());
    let command = |arguments: &[&str], state: &str| {
        let mut command = reader.daemon.command(CARDWRIGHT);
        command.args(arguments).args(["--store", &books]).arg("--state").arg(folder.join(state));
        command
    };
    let ours = |arguments: &[&str], state: &str| done(run(&mut command(arguments, state), "", PATIENCE)?);
    for (account, state) in [("A1", "alice"), ("B1", "bob")] {
        ours(&["account", "open", "--balance", "100.00", "--id", account], state)?;
        ours(&["p2p", "open", "--account", account], state)?;
    }
    let receive = ["p2p", "receive", "20.00", "--offline", WAIT, "--peer", peers[1]];
    let mut bob = command(&receive, "bob");
    let log = folder.join("bob.log");
    let out = fs::File::create(&log)?;
    let mut bob = OwnChild(bob.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?);
    let paid = ours(&["p2p", "pay", "20.00", "--yes", WAIT, "--peer", peers[0]], "alice")?;
    expect(&paid, &["pays 20.00 CNY", "booked"])?;
    wait_until(PATIENCE, || bob.0.try_wait().ok().flatten()).ok_or("the payee's phone goes on")?;
    expect(&fs::read_to_string(&log)?, &["gets 20.00 CNY"])?;
    for (state, account, balance) in [("alice", "A1", "80.00"), ("bob", "B1", "120.00")] {
        ours(&["p2p", "settle"], state)?;
        expect(&ours(&["account", "show", account], state)?, &[balance])?;
    }
    Ok(())
}
