//! Our driver of the PN532, our simulated chip, and software that no one here wrote, on both
//! sides of the air: cards are read, loaded and emulated, and devices speak NFC-DEP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cardwright::air::link::pn532::Pn532Peer;
use cardwright::air::link::{Identity, LinkError, Peer, Polling};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::words::iso18092::BitRate;
use libtest_mimic::{Failed, Trial};

use super::libnfc::{PPSE, PPSE_ANSWER, begin, begin_on, expect, said};
use super::programs::done;
use crate::support::chip::SimulatedChip;
use crate::support::ports::free_air;
use crate::support::process::{OwnChild, PATIENCE, run, wait_until};
use crate::support::{Skip, program, python, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
pub(super) const NFCPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterpart/nfcpy_card.py");
/// Selects the electronic cash and asks for its balance, by raw commands of the chip.
const BALANCE: &str =
    "4A 01 00\n40 01 00 A4 04 00 08 A0 00 00 03 33 01 01 06 00\n40 01 80 CA 9F 79 00\n44 00\nq\n";
/// What our card answers to SELECT PPSE.
const PPSE_HEX: &str = "840e325041592e5359532e4444463031";
const LONG: Duration = Duration::from_secs(30);
/// How long a card is waited for that has just been told to let itself be found.
pub(super) const WAIT: &str = "--wait=60";

type Test = fn(&Path, &Path) -> Result<(), Failed>;

/// A test by its name, and what it needs.
const TESTS: &[(&str, Needs, Test)] = &[
    ("our terminal", Needs::Nothing, our_terminal),
    ("our terminal, type B", Needs::Nothing, our_terminal_type_b),
    ("a card and a chip that go", Needs::Nothing, what_goes_and_comes),
    ("our emulation, our terminal", Needs::Nothing, our_emulation),
    ("our emulation, libnfc", Needs::Libnfc, our_emulation_read_by_libnfc),
    ("our emulation, nfcpy", Needs::Nfcpy, our_emulation_read_by_nfcpy),
    ("our card, nfcpy", Needs::Nfcpy, our_card_read_by_nfcpy),
    ("our card on UDP, nfcpy", Needs::Nfcpy, our_card_on_udp_read_by_nfcpy),
    ("nfc-emulate-forum-tag4, our driver", Needs::Libnfc, a_tag_of_libnfc),
    ("nfcpy's card, our driver", Needs::Nfcpy, a_card_of_nfcpy),
    ("nfc-dep-initiator, nfc-dep-target", Needs::Libnfc, dep_of_libnfc),
    ("nfc-dep-initiator, our peer", Needs::Libnfc, dep_initiator_of_libnfc),
    ("our peer, nfc-dep-target", Needs::Libnfc, dep_target_of_libnfc),
    ("our peer, our peer", Needs::Nothing, peers),
];

#[derive(Debug, Clone, Copy)]
enum Needs {
    Nothing,
    Libnfc,
    Nfcpy,
}

impl Needs {
    /// The program that is needed.
    fn find(self) -> Result<PathBuf, Skip> {
        match self {
            Self::Nothing => Ok(CARDWRIGHT.into()),
            Self::Libnfc => program("nfc-dep-target", "libnfc-examples libnfc-pn53x-examples libnfc-bin"),
            Self::Nfcpy => python("nfc"),
        }
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, needs, test): &(&str, Needs, Test)| {
        let (needs, test) = (*needs, *test);
        Trial::ignorable_test(format!("counterparts::pn532::{name}"), move || {
            require_or_skip(needs.find(), |program| {
                let folder = tempfile::tempdir()?;
                test(folder.path(), &program)
            })
        })
    };
    TESTS.iter().map(trial).collect()
}

/// Reads, loads and pays by radio; the sums are the same in the books.
fn our_terminal(folder: &Path, _: &Path) -> Result<(), Failed> {
    card_with_books(folder)?;
    let chip = SimulatedChip::start(folder, "chip", "sim:my.card", &[])?;
    money_moves(folder, &chip, stays)?;
    let recording = folder.join("read.cwt").display().to_string();
    ours(folder, &["read", "--reader", &chip.address(), "--save", &recording])?;
    // How fast this machine is today is no matter of the test.
    let timing = ["trace", "timing", &recording, "--budget", "60000"];
    expect(&ours(folder, &timing)?, &["on air", "within the budget"])
}

fn our_terminal_type_b(folder: &Path, _: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--type-b"])?;
    expect(
        &ours(folder, &["read", "--reader", &chip.address()])?,
        &["contactless", "balance             100.00 CNY"],
    )
}

/// A card that is taken away, a chip that ends, and another at the same place.
fn what_goes_and_comes(folder: &Path, _: &Path) -> Result<(), Failed> {
    let read = |chip: &str| -> Result<_, Failed> {
        let mut command = Command::new(CARDWRIGHT);
        command.args(["read", "--reader", chip]).current_dir(folder);
        Ok(run(&mut command, "", PATIENCE)?)
    };
    let fails = |chip: &str, because: &str| {
        let answer = read(chip)?;
        match answer.code == Some(4) && answer.stderr.contains(because) {
            true => Ok(()),
            false => Err(Failed::from(format!("expected exit code 4 and {because:?}, found {answer:#?}"))),
        }
    };
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--stay", "0"])?;
    let address = chip.address();
    fails(&address, "the card was removed during 00A40400")?;
    fails(&address, "no card in pn532:")?;
    drop(chip);
    fails(&address, "no PN532 at")?;
    let _chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    expect(&done(read(&address)?)?, &["balance             100.00 CNY"])
}

/// Our card is emulated by one chip, and our terminal has the other.
fn our_emulation(folder: &Path, _: &Path) -> Result<(), Failed> {
    card_with_books(folder)?;
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _served = serve_on(&card, folder, "sim:my.card")?;
    money_moves(folder, &reader, stays)
}

fn our_emulation_read_by_libnfc(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _served = serve_on(&card, folder, "sim:ecash")?;
    for _ in 0..2 {
        expect(&said(&mut reader.libnfc("pn53x-tamashell"), PPSE)?, &[PPSE_ANSWER, "90  00"])?;
    }
    expect(&said(&mut reader.libnfc("nfc-list"), "")?, &["UID (NFCID3): 08", "SAK (SEL_RES): 20"])?;
    expect(&said(&mut reader.libnfc("pn53x-tamashell"), BALANCE)?, &["9f  79  06  00  00  00  01  00  00"])
}

fn our_emulation_read_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _served = serve_on(&card, folder, "sim:ecash")?;
    read_by_nfcpy(python, reader.air())?;
    read_by_nfcpy(python, &reader.path.display().to_string())
}

fn our_card_read_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    read_by_nfcpy(python, &chip.path.display().to_string())
}

fn our_card_on_udp_read_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let place = free_air()?;
    let _served = serve(folder, "sim:ecash", &place)?;
    read_by_nfcpy(python, &place)
}

fn a_tag_of_libnfc(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _tag = begin_on(&card, "nfc-emulate-forum-tag4", folder)?;
    let select = "00A4040007D276000085010100";
    let apdus = [select, "00A4000C02E103", "00B000000F"];
    let leave = ["--reader", &reader.address(), "--allow", "destroys", "--unmask"];
    let said = ours(folder, &[&["send"][..], &apdus, &leave].concat())?;
    // The capability container begins with its length and the version.
    expect(&said.replace(' ', ""), &["000F20"])
}

fn a_card_of_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let place = free_air()?;
    let mut card = Command::new(python);
    let _card = begin(card.args([NFCPY, "card", &place]), folder)?;
    let reader = SimulatedChip::start(folder, "reader", &place, &[])?;
    let select = "00A4040007D276000085010100";
    let said = ours(folder, &["send", select, "--reader", &reader.address(), WAIT, "--unmask"])?;
    expect(&said, &["A4"])
}

fn dep_of_libnfc(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (target, initiator) = SimulatedChip::pair(folder)?;
    let _target = begin_on(&target, "nfc-dep-target", folder)?;
    expect(&initiated(&initiator)?, &["Received: Hello Mars!"])?;
    expect(&fs::read_to_string(folder.join("tag.log"))?, &["Hello World!"])
}

/// What libnfc's initiator says. How it ends is left aside: the last word, which nobody need answer, has
/// 350 ms there, and a busy machine more.
fn initiated(chip: &SimulatedChip) -> Result<String, Failed> {
    Ok(run(&mut chip.libnfc("nfc-dep-initiator"), "", PATIENCE)?.stdout)
}

fn dep_initiator_of_libnfc(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (target, initiator) = SimulatedChip::pair(folder)?;
    let path = target.path.display().to_string();
    let ours = thread::spawn(move || -> Result<Vec<u8>, LinkError> {
        let mut context = Context::system(Discard);
        let mut peer = Pn532Peer::be_found(&path, &identity("target"), LONG, &mut context)?;
        let heard = peer.exchange(None, LONG, &mut context)?;
        // It parts once it has heard.
        let _ = peer.exchange(Some(b"Hello Venus!"), Duration::from_secs(2), &mut context);
        Ok(heard)
    });
    target.listens()?;
    let said = initiated(&initiator);
    let heard = ours.join().map_err(|_| "our peer panicked")?.map_err(|error| error.to_string())?;
    expect(&said?, &["Received: Hello Venus!"])?;
    expect(&String::from_utf8_lossy(&heard), &["Hello World!"])
}

fn dep_target_of_libnfc(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (target, initiator) = SimulatedChip::pair(folder)?;
    let _target = begin_on(&target, "nfc-dep-target", folder)?;
    let mut context = Context::system(Discard);
    let polling = Polling { timeout: LONG, rate: BitRate::Kbps212 };
    let path = initiator.path.display().to_string();
    let failed = |error: LinkError| error.to_string();
    let mut peer = Pn532Peer::find(&path, &identity("initiator"), polling, &mut context).map_err(failed)?;
    let heard = peer.exchange(Some(b"Hello World!"), LONG, &mut context).map_err(failed)?;
    peer.release(&mut context);
    expect(&String::from_utf8_lossy(&heard), &["Hello Mars!"])?;
    expect(&fs::read_to_string(folder.join("tag.log"))?, &["Hello World!"])
}

/// Payloads of many lengths, at every rate, with our driver at both ends.
fn peers(folder: &Path, _: &Path) -> Result<(), Failed> {
    let (target, initiator) = SimulatedChip::pair(folder)?;
    for rate in BitRate::ALL {
        let path = target.path.display().to_string();
        let echo = thread::spawn(move || -> Result<(), LinkError> {
            let mut context = Context::system(Discard);
            let mut peer = Pn532Peer::be_found(&path, &identity("target"), LONG, &mut context)?;
            let mut said: Option<Vec<u8>> = None;
            loop {
                match peer.exchange(said.as_deref(), LONG, &mut context) {
                    Ok(heard) => said = Some(heard),
                    Err(LinkError::Parted { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        });
        let mut context = Context::system(Discard);
        let path = initiator.path.display().to_string();
        let polling = Polling { timeout: LONG, rate };
        let failed = |error: LinkError| format!("{rate:?}: {error}");
        let mut peer =
            Pn532Peer::find(&path, &identity("initiator"), polling, &mut context).map_err(failed)?;
        if peer.activation().general != b"target" {
            return Err(format!("{rate:?}: expected its general bytes, found {:?}", peer.activation()).into());
        }
        for length in [1, 2, 250, 252, 253, 262, 263, 900] {
            let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let heard = peer.exchange(Some(&payload), LONG, &mut context).map_err(failed)?;
            if heard != payload {
                return Err(format!("{rate:?}: {length} bytes came back as {}", heard.len()).into());
            }
        }
        peer.release(&mut context);
        echo.join().map_err(|_| "our target panicked")?.map_err(|error| format!("{rate:?}: {error}"))?;
    }
    Ok(())
}

fn identity(name: &str) -> Identity {
    Identity { general: name.into(), timeout: 12 }
}

/// An account, a card of it with 100.00, and its PIN.
pub(super) fn card_with_books(folder: &Path) -> Result<(), Failed> {
    fs::write(folder.join("pin"), "123456\n")?;
    ours(folder, &["account", "open", "--balance", "500.00", "--id", "A1"])?;
    ours(folder, &["card", "new", "ecash", "my.card", "--account", "A1", "--balance", "100.00"])?;
    Ok(())
}

/// Reads, loads 20.00 and pays 12.50; nothing is lost, nothing made. `present` puts the card before
/// the reader each time.
pub(super) fn money_moves<P>(
    folder: &Path,
    chip: &SimulatedChip,
    mut present: impl FnMut() -> Result<P, Failed>,
) -> Result<(), Failed> {
    let reader = chip.address();
    let mut on_card = |arguments: &[&str]| {
        let _presented = present()?;
        ours(folder, &[arguments, &["--reader", &reader, WAIT]].concat())
    };
    let balance = |said: String, amount: &str| expect(&said, &[&format!("balance             {amount} CNY")]);
    balance(on_card(&["read"])?, "100.00")?;
    on_card(&["load", "20.00", "--pin-file", "pin"])?;
    balance(on_card(&["read"])?, "120.00")?;
    on_card(&["pay", "12.50"])?;
    balance(on_card(&["read"])?, "107.50")?;
    expect(&ours(folder, &["account", "list"])?, &["480.00 CNY"])
}

/// Where the card stays before the reader.
pub(super) fn stays() -> Result<(), Failed> {
    Ok(())
}

/// Our own program in a folder with its books; what it says.
pub(super) fn ours(folder: &Path, arguments: &[&str]) -> Result<String, Failed> {
    let mut command = Command::new(CARDWRIGHT);
    command.args(arguments).arg("--state").arg(folder.join("state")).current_dir(folder);
    done(run(&mut command, "", PATIENCE)?)
}

/// Serves a card at a place.
pub(super) fn serve(folder: &Path, card: &str, place: &str) -> Result<OwnChild, Failed> {
    let mut command = Command::new(CARDWRIGHT);
    command.args(["card", "serve", card, "--on", place]).current_dir(folder);
    command.arg("--state").arg(folder.join("state"));
    let log = folder.join("served.log");
    let out = fs::File::create(&log)?;
    let child = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?;
    let child = OwnChild(child);
    let begun = || fs::read_to_string(&log).ok().filter(|log| log.contains(" is on "));
    let is_there = wait_until(PATIENCE, begun);
    is_there.ok_or_else(|| fs::read_to_string(&log).unwrap_or_default())?;
    Ok(child)
}

/// Serves a card on a chip, and waits until it lets itself be found.
fn serve_on(chip: &SimulatedChip, folder: &Path, card: &str) -> Result<OwnChild, Failed> {
    let child = serve(folder, card, &chip.address())?;
    chip.listens()?;
    Ok(child)
}

fn read_by_nfcpy(python: &Path, place: &str) -> Result<(), Failed> {
    let said = done(run(Command::new(python).args([NFCPY, "read", place]), "", PATIENCE)?)?;
    expect(&said, &["balance 9f7906000000010000"])?;
    match said.matches(PPSE_HEX).count() {
        2 => Ok(()),
        _ => Err(format!("expected {PPSE_HEX} twice in {said}").into()),
    }
}
