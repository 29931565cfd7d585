//! Debian's tools of libnfc on our simulated PN532: they find our card, emulate one of their
//! own, and relay between two chips.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;

use libtest_mimic::{Failed, Trial};

use super::programs::done;
use crate::support::chip::{BEGUN, SimulatedChip};
use crate::support::process::{OwnChild, SECONDS_20, run};
use crate::support::{program, require_or_skip};

/// Selects PPSE, by raw commands of the chip.
pub(super) const PPSE: &str =
    "4A 01 00\n40 01 00 A4 04 00 0E 32 50 41 59 2E 53 59 53 2E 44 44 46 30 31 00\n44 00\nq\n";
/// What our card answers to it, as the shell prints it: two spaces between bytes.
pub(super) const PPSE_ANSWER: &str = "84  0e  32  50  41  59  2e  53  59  53  2e  44  44  46  30  31";
/// Selects the NDEF application and reads the capability container.
const NDEF: &str = "4A 01 00\n40 01 00 A4 04 00 07 D2 76 00 00 85 01 01 00\n40 01 00 A4 00 0C 02 E1 03\n\
                    40 01 00 B0 00 00 0F\n44 00\nq\n";

type Test = fn(&Path) -> Result<(), Failed>;

/// A test by its name, and the program that it needs.
const TESTS: &[(&str, &str, Test)] = &[
    ("nfc-list", "nfc-list", list),
    ("nfc-list type B", "nfc-list", list_type_b),
    ("nfc-poll", "nfc-poll", poll),
    ("nfc-scan-device", "nfc-scan-device", scan),
    ("pn53x-tamashell", "pn53x-tamashell", tamashell),
    ("pn53x-diagnose", "pn53x-diagnose", diagnose),
    ("nfc-anticol", "nfc-anticol", anticol),
    ("nfc-emulate-forum-tag4", "nfc-emulate-forum-tag4", emulate_tag4),
    ("nfc-emulate-uid", "nfc-emulate-uid", emulate_uid),
    ("nfc-relay-picc", "nfc-relay-picc", relay),
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, needs, test): &(&str, &'static str, Test)| {
        let (needs, test) = (*needs, *test);
        Trial::ignorable_test(format!("counterparts::libnfc::{name}"), move || {
            let package = "libnfc-bin libnfc-examples libnfc-pn53x-examples";
            require_or_skip(program(needs, package), |_| {
                let folder = tempfile::tempdir()?;
                test(folder.path())
            })
        })
    };
    TESTS.iter().map(trial).collect()
}

fn list(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let said = said(chip.libnfc("nfc-list").arg("-v"), "")?;
    expect(
        &said,
        &["1 ISO14443A passive target(s) found", "SAK (SEL_RES): 20", "Historical bytes Tk: 43  57"],
    )?;
    // A second program finds the chip and the card again.
    expect(&self::said(&mut chip.libnfc("nfc-list"), "")?, &["UID (NFCID3): 08"])
}

fn list_type_b(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--type-b"])?;
    let said = said(chip.libnfc("nfc-list").arg("-v"), "")?;
    expect(&said, &["0 ISO14443A passive target(s) found", "1 ISO14443B passive target(s) found", "PUPI:"])
}

fn poll(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--stay", "300"])?;
    let said = said(chip.libnfc("nfc-poll").arg("-v"), "")?;
    expect(&said, &["SAK (SEL_RES): 20", "Waiting for card removing...done."])
}

fn scan(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let said = said(chip.libnfc("nfc-scan-device").arg("-v"), "")?;
    expect(&said, &["1 NFC device(s) found", "chip: PN532 v1.6"])
}

fn tamashell(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    expect(&said(&mut chip.libnfc("pn53x-tamashell"), PPSE)?, &[PPSE_ANSWER, "90  00"])
}

fn diagnose(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let said = said(&mut chip.libnfc("pn53x-diagnose"), "")?;
    expect(&said, &["Communication line test: OK", "ROM test: OK", "RAM test: OK"])
}

fn anticol(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    // It counts the check sums itself.
    expect(&said(&mut chip.libnfc("nfc-anticol"), "")?, &["UID: 08", "ATQA: 0004", "SAK: 20", "ATS: 0c"])
}

fn emulate_tag4(folder: &Path) -> Result<(), Failed> {
    let (card, reader) = pair(folder, 54_411)?;
    let _tag = begin(&mut card.libnfc("nfc-emulate-forum-tag4"), folder)?;
    let said = said(&mut reader.libnfc("pn53x-tamashell"), NDEF)?;
    // The capability container begins with its length and the version.
    expect(&said, &["Rx: 00  90  00", "Rx: 00  00  0f  20  00"])
}

fn emulate_uid(folder: &Path) -> Result<(), Failed> {
    let (card, reader) = pair(folder, 54_412)?;
    let _tag = begin(card.libnfc("nfc-emulate-uid").arg("DEADBEEF"), folder)?;
    expect(&said(&mut reader.libnfc("nfc-list"), "")?, &["UID (NFCID3): 08  ad  be  ef"])
}

fn relay(folder: &Path) -> Result<(), Failed> {
    let original = SimulatedChip::start(folder, "original", "sim:ecash", &[])?;
    let (card, reader) = pair(folder, 54_413)?;
    let _relay = begin_relay(folder, &original, &card)?;
    expect(&said(&mut reader.libnfc("pn53x-tamashell"), PPSE)?, &[PPSE_ANSWER, "90  00"])
}

/// Starts both halves of `nfc-relay-picc`: the card before one chip is emulated by the other, for
/// one presentment.
pub(super) fn begin_relay(
    folder: &Path,
    original: &SimulatedChip,
    card: &SimulatedChip,
) -> Result<[OwnChild; 2], Failed> {
    let at = |name: &str| folder.join(name).display().to_string();
    if !folder.join("to").exists() && !Command::new("mkfifo").args([at("to"), at("from")]).status()?.success()
    {
        return Err("mkfifo failed".into());
    }
    // Pipes 3 and 4 carry what the two halves say to one another.
    let half = |chip: &SimulatedChip, side: &str, pipes: [&str; 2]| -> Result<OwnChild, Failed> {
        let mut command = chip.libnfc("sh");
        command.arg("-c").arg(r#"exec nfc-relay-picc "$0" 3<>"$1" 4<>"$2""#);
        command.arg(side).args(pipes.map(at));
        Ok(OwnChild(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    };
    let halves = [half(original, "-i", ["to", "from"])?, half(card, "-t", ["from", "to"])?];
    sleep(BEGUN * 2);
    Ok(halves)
}

/// Two chips on one air.
pub(super) fn pair(folder: &Path, port: u16) -> Result<(SimulatedChip, SimulatedChip), Failed> {
    let air = format!("udp:127.0.0.1:{port}");
    let card = SimulatedChip::start(folder, "card", &air, &[])?;
    Ok((card, SimulatedChip::start(folder, "reader", &air, &[])?))
}

/// Starts a program that waits for a reader.
pub(super) fn begin(command: &mut Command, folder: &Path) -> Result<OwnChild, Failed> {
    let log = fs::File::create(folder.join("tag.log"))?;
    let child = OwnChild(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
    sleep(BEGUN);
    Ok(child)
}

/// What a program says that ends well.
pub(super) fn said(command: &mut Command, input: &str) -> Result<String, Failed> {
    done(run(command, input, SECONDS_20)?)
}

pub(super) fn expect(said: &str, parts: &[&str]) -> Result<(), Failed> {
    match parts.iter().find(|part| !said.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(format!("expected {part:?} in {said}").into()),
    }
}
