//! Debian's tools of libnfc on our simulated PN532: they find our card and nfcpy's, emulate cards of
//! their own, and relay between two chips.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use super::pn532::NFCPY;
use super::programs::done;
use crate::support::chip::SimulatedChip;
use crate::support::pcscd::may_unshare;
use crate::support::ports::{free_air, wait_for_listener};
use crate::support::process::{OwnChild, PATIENCE, run};
use crate::support::{Skip, program, python, require_or_skip};

/// Selects PPSE, by raw commands of the chip.
pub(super) const PPSE: &str =
    "4A 01 00\n40 01 00 A4 04 00 0E 32 50 41 59 2E 53 59 53 2E 44 44 46 30 31 00\n44 00\nq\n";
/// What our card answers to it, as the shell prints it: two spaces between bytes.
pub(super) const PPSE_ANSWER: &str = "84  0e  32  50  41  59  2e  53  59  53  2e  44  44  46  30  31";
/// Selects the NDEF application and reads the capability container.
const NDEF: &str = "4A 01 00\n40 01 00 A4 04 00 07 D2 76 00 00 85 01 01 00\n40 01 00 A4 00 0C 02 E1 03\n\
                    40 01 00 B0 00 00 0F\n44 00\nq\n";

type Test = fn(&Path) -> Result<(), Failed>;
type TestWithNfcpy = fn(&Path, &Path) -> Result<(), Failed>;

/// A test by its name, and the program that it needs.
const TESTS: &[(&str, &str, Test)] = &[
    ("nfc-list", "nfc-list", list),
    ("nfc-list type B", "nfc-list", list_type_b),
    ("nfc-list -t", "nfc-list", list_by_type),
    ("nfc-poll", "nfc-poll", poll),
    ("nfc-poll type B", "nfc-poll", poll_type_b),
    ("nfc-scan-device", "nfc-scan-device", scan),
    ("pn53x-sam", "pn53x-sam", sam),
    ("pn53x-tamashell", "pn53x-tamashell", tamashell),
    ("pn53x-diagnose", "pn53x-diagnose", diagnose),
    ("nfc-anticol", "nfc-anticol", anticol),
    ("nfc-emulate-forum-tag4", "nfc-emulate-forum-tag4", emulate_tag4),
    ("nfc-emulate-uid", "nfc-emulate-uid", emulate_uid),
    ("nfc-relay-picc", "nfc-relay-picc", relay),
];

/// The same, with nfcpy at the other end of the air.
const TESTS_WITH_NFCPY: &[(&str, &str, TestWithNfcpy)] = &[
    ("nfc-list, nfcpy's FeliCa", "nfc-list", list_felica),
    ("nfc-read-forum-tag3, nfcpy's FeliCa", "nfc-read-forum-tag3", read_tag3),
    ("nfc-mfultralight, nfcpy's Ultralight", "nfc-mfultralight", read_ultralight),
    ("pn53x-tamashell, nfcpy's card", "pn53x-tamashell", tamashell_of_nfcpy),
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, needs, test): &(&str, &'static str, Test)| {
        let (needs, test) = (*needs, *test);
        Trial::ignorable_test(format!("counterparts::libnfc::{name}"), move || {
            require_or_skip(tool(needs), |_| {
                let folder = tempfile::tempdir()?;
                test(folder.path())
            })
        })
    };
    let with_nfcpy = |(name, needs, test): &(&str, &'static str, TestWithNfcpy)| {
        let (needs, test) = (*needs, *test);
        Trial::ignorable_test(format!("counterparts::libnfc::{name}"), move || {
            require_or_skip(tool(needs).and_then(|_| python("nfc")), |python| {
                let folder = tempfile::tempdir()?;
                test(folder.path(), &python)
            })
        })
    };
    let intrusive = Trial::ignorable_test("counterparts::libnfc::nfc-scan-device -i", || {
        let found = tool("nfc-scan-device").and_then(|_| devices_of_its_own());
        require_or_skip(found, |unshare| {
            let folder = tempfile::tempdir()?;
            scan_intrusively(folder.path(), &unshare)
        })
    });
    let trials = TESTS.iter().map(trial).chain(TESTS_WITH_NFCPY.iter().map(with_nfcpy));
    trials.chain([intrusive]).collect()
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

/// A search for one kind asks for that kind alone.
fn list_by_type(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let kinds = [
        ("1", "1 ISO14443A passive target(s) found"),
        ("2", "0 Felica (212 kbps) passive target(s) found"),
        ("4", "0 Felica (424 kbps) passive target(s) found"),
        ("8", "0 ISO14443B passive target(s) found"),
        ("16", "0 ISO14443B' passive target(s) found"),
        ("32", "0 ISO14443B-2 ST SRx passive target(s) found"),
        ("64", "0 ISO14443B-2 ASK CTx passive target(s) found"),
        ("128", "0 ISO14443B iClass passive target(s) found"),
        ("256", "0 ISO14443A-3 Jewel passive target(s) found"),
        ("512", "0 ISO14443A-2 NFC Barcode passive target(s) found"),
    ];
    for (kind, expected) in kinds {
        let said = said(chip.libnfc("nfc-list").args(["-v", "-t", kind]), "")?;
        expect(&said, &[expected])?;
        if kind != "1" && said.contains("ISO14443A passive") {
            return Err(format!("-t {kind} searched for type A: {said}").into());
        }
    }
    Ok(())
}

fn poll(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--stay", "300"])?;
    let said = said(chip.libnfc("nfc-poll").arg("-v"), "")?;
    expect(&said, &["SAK (SEL_RES): 20", "Waiting for card removing...done."])
}

fn poll_type_b(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--stay", "300", "--type-b"])?;
    let said = said(chip.libnfc("nfc-poll").arg("-v"), "")?;
    expect(&said, &["ISO/IEC 14443-4B", "PUPI:", "Waiting for card removing...done."])
}

fn scan(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let said = said(chip.libnfc("nfc-scan-device").arg("-v"), "")?;
    expect(&said, &["1 NFC device(s) found", "chip: PN532 v1.6"])
}

fn tool(name: &str) -> Result<PathBuf, Skip> {
    program(name, "libnfc-bin libnfc-examples libnfc-pn53x-examples")
}

/// Whether a program can be given serial ports of its own: the chip's alone, so that a search that
/// writes to each never reaches a real one.
fn devices_of_its_own() -> Result<PathBuf, Skip> {
    let unshare = program("unshare", "util-linux")?;
    may_unshare(&unshare)?;
    Ok(unshare)
}

/// The search knocks at every serial port, in the ways of other readers too.
fn scan_intrusively(folder: &Path, unshare: &Path) -> Result<(), Failed> {
    const DEVICES: &str = r#"set -e
port=$(readlink "$1")
mkdir "$2"
mount -t tmpfs none "$2"
mkdir "$2/pts"
mount --bind /dev/pts "$2/pts"
touch "$2/null"
mount --bind /dev/null "$2/null"
ln -s "$port" "$2/ttyUSB9"
mount --rbind "$2" /dev
exec nfc-scan-device -i -v
"#;
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let mut command = Command::new(unshare);
    command.args(["--mount", "sh", "-c", DEVICES, "sh"]).args([&chip.path, &folder.join("devices")]);
    let said = said(command.env("LIBNFC_LOG_LEVEL", "0"), "")?;
    expect(&said, &["1 NFC device(s) found", "pn532_uart:/dev/ttyUSB9", "chip: PN532 v1.6"])?;
    // What other readers were asked there is noise to the chip.
    expect(&self::said(&mut chip.libnfc("nfc-list"), "")?, &["UID (NFCID3): 08"])
}

/// The secure element is whatever card the chip finds in wired mode.
fn sam(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let said = said(&mut chip.libnfc("pn53x-sam"), "2\n")?;
    expect(&said, &["The following ISO14443A tag (SAM) was found:", "SAK (SEL_RES): 20"])
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
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _tag = begin_on(&card, "nfc-emulate-forum-tag4", folder)?;
    let said = said(&mut reader.libnfc("pn53x-tamashell"), NDEF)?;
    // The capability container begins with its length and the version.
    expect(&said, &["Rx: 00  90  00", "Rx: 00  00  0f  20  00"])
}

fn emulate_uid(folder: &Path) -> Result<(), Failed> {
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _tag = begin(card.libnfc("nfc-emulate-uid").arg("DEADBEEF"), folder)?;
    card.listens()?;
    expect(&said(&mut reader.libnfc("nfc-list"), "")?, &["UID (NFCID3): 08  ad  be  ef"])
}

fn relay(folder: &Path) -> Result<(), Failed> {
    let original = SimulatedChip::start(folder, "original", "sim:ecash", &[])?;
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _relay = begin_relay(folder, &original, &card)?;
    expect(&said(&mut reader.libnfc("pn53x-tamashell"), PPSE)?, &[PPSE_ANSWER, "90  00"])
}

fn list_felica(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (_card, reader) = card_of_nfcpy(folder, python, "felica")?;
    for kind in ["2", "1023"] {
        let said = said(reader.libnfc("nfc-list").args(["-v", "-t", kind]), "")?;
        expect(
            &said,
            &["1 Felica (212 kbps) passive target(s) found", "ID (NFCID2): 02  fe  01  02  03  04  05  06"],
        )?;
    }
    Ok(())
}

fn read_tag3(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (_card, reader) = card_of_nfcpy(folder, python, "felica")?;
    let file = folder.join("read.ndef");
    said(reader.libnfc("nfc-read-forum-tag3").arg("-o").arg(&file), "")?;
    expect(&String::from_utf8_lossy(&fs::read(file)?), &["example.org/"])
}

fn read_ultralight(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (_card, reader) = card_of_nfcpy(folder, python, "ultralight")?;
    let file = folder.join("read.mfd");
    let said = said(reader.libnfc("nfc-mfultralight").arg("r").arg(&file), "")?;
    expect(&said, &["16 of 16 pages read (0 pages failed)"])?;
    expect(&String::from_utf8_lossy(&fs::read(file)?), &["example.org/"])
}

/// A card of nfcpy's of a kind on UDP, and a chip on that air.
fn card_of_nfcpy(folder: &Path, python: &Path, kind: &str) -> Result<(OwnChild, SimulatedChip), Failed> {
    let place = free_air()?;
    let card = begin(Command::new(python).args([NFCPY, kind, &place]), folder)?;
    wait_for_listener(&place)?;
    Ok((card, SimulatedChip::start(folder, "reader", &place, &[])?))
}

/// The card answers any command with its instruction byte.
fn tamashell_of_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (_card, reader) = card_of_nfcpy(folder, python, "card")?;
    expect(&said(&mut reader.libnfc("pn53x-tamashell"), PPSE)?, &["Rx: 00  a4  90  00"])
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
    card.listens()?;
    Ok(halves)
}

/// Starts a program that waits for a reader; what it says is in `tag.log`.
pub(super) fn begin(command: &mut Command, folder: &Path) -> Result<OwnChild, Failed> {
    let log = fs::File::create(folder.join("tag.log"))?;
    Ok(OwnChild(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?))
}

/// Starts a program of libnfc that lets a chip on UDP be found, and waits until it does.
pub(super) fn begin_on(chip: &SimulatedChip, program: &str, folder: &Path) -> Result<OwnChild, Failed> {
    let child = begin(&mut chip.libnfc(program), folder)?;
    chip.listens()?;
    Ok(child)
}

/// What a program says that ends well.
pub(super) fn said(command: &mut Command, input: &str) -> Result<String, Failed> {
    done(run(command, input, PATIENCE)?)
}

pub(super) fn expect(said: &str, parts: &[&str]) -> Result<(), Failed> {
    match parts.iter().find(|part| !said.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(format!("expected {part:?} in {said}").into()),
    }
}
