//! Others emulate what is read through our simulated PN532: cards whose money our terminal moves,
//! tags that nfcpy reads, and nfcpy's own peers on our chips.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use super::libnfc::{begin, begin_on, begin_relay, expect};
use super::pn532::{NFCPY, card_with_books, money_moves, serve, stays};
use super::programs::done;
use crate::support::chip::SimulatedChip;
use crate::support::ports::{free_air, free_port};
use crate::support::process::{OwnChild, PATIENCE, run, wait_until};
use crate::support::{Skip, program, python, require_or_skip};

type Test = fn(&Path, &Path) -> Result<(), Failed>;

/// A test by its name, and what it needs.
const TESTS: &[(&str, &[Needs], Test)] = &[
    ("nfc-relay-picc, our terminal loads", &[Needs::Libnfc], load_by_a_relay),
    ("nfcpy's card on UDP, our terminal loads", &[Needs::Nfcpy], load_by_nfcpy),
    ("nfcpy's card on a chip, our terminal loads", &[Needs::Nfcpy], load_by_nfcpy_on_a_chip),
    ("nfc-emulate-forum-tag4, nfcpy", &[Needs::Libnfc, Needs::Nfcpy], tag4_read_by_nfcpy),
    ("nfc-emulate-forum-tag2, nfcpy", &[Needs::Libnfc, Needs::Nfcpy], tag2_read_by_nfcpy),
    ("nfcpy on a chip puts to nfcpy on UDP", &[Needs::Nfcpy], chip_puts_to_udp),
    ("nfcpy on UDP puts to nfcpy on a chip", &[Needs::Nfcpy], udp_puts_to_chip),
    ("nfcpy on a chip puts to nfcpy on a chip", &[Needs::Nfcpy], chip_puts_to_chip),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Libnfc,
    Nfcpy,
}

impl Needs {
    fn find(self) -> Result<PathBuf, Skip> {
        match self {
            Self::Libnfc => program("nfc-relay-picc", "libnfc-examples"),
            Self::Nfcpy => python("nfc"),
        }
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, needs, test): &(&str, &'static [Needs], Test)| {
        let (needs, test) = (*needs, *test);
        Trial::ignorable_test(format!("counterparts::emulated::{name}"), move || {
            // The last is what the test is handed.
            let found: Result<Vec<PathBuf>, Skip> = needs.iter().map(|needs| needs.find()).collect();
            require_or_skip(found, |found| {
                let folder = tempfile::tempdir()?;
                test(folder.path(), found.last().ok_or("a test needs something")?)
            })
        })
    };
    TESTS.iter().map(trial).collect()
}

/// libnfc emulates the card that another chip has before it.
fn load_by_a_relay(folder: &Path, _: &Path) -> Result<(), Failed> {
    card_with_books(folder)?;
    let original = SimulatedChip::start(folder, "original", "sim:my.card", &[])?;
    let (card, reader) = SimulatedChip::pair(folder)?;
    // It ends with the reader's field.
    money_moves(folder, &reader, || begin_relay(folder, &original, &card))
}

fn load_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    let place = free_air()?;
    card_with_books(folder)?;
    let _card = card_of_nfcpy(folder, python, &place)?;
    let reader = SimulatedChip::start(folder, "reader", &place, &[])?;
    money_moves(folder, &reader, stays)
}

fn load_by_nfcpy_on_a_chip(folder: &Path, python: &Path) -> Result<(), Failed> {
    card_with_books(folder)?;
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _card = card_of_nfcpy(folder, python, &card.path.display().to_string())?;
    money_moves(folder, &reader, stays)
}

/// A card of nfcpy's whose commands ours answers: nfcpy speaks all of the radio protocol.
fn card_of_nfcpy(folder: &Path, python: &Path, place: &str) -> Result<[OwnChild; 2], Failed> {
    let port = free_port()?.to_string();
    let radio = begin_nfcpy(folder, python, &["card", place, &port], "waiting for the card")?;
    let card = serve(folder, "sim:my.card", &format!("vpcd:127.0.0.1:{port}"))?;
    wait_for(folder, "card\n")?;
    Ok([radio, card])
}

fn tag4_read_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    tag_read_by_nfcpy(folder, python, "nfc-emulate-forum-tag4", "Type4ATag")
}

fn tag2_read_by_nfcpy(folder: &Path, python: &Path) -> Result<(), Failed> {
    tag_read_by_nfcpy(folder, python, "nfc-emulate-forum-tag2", "Type2Tag")
}

/// A chip each: libnfc's tag, and nfcpy that reads it.
fn tag_read_by_nfcpy(folder: &Path, python: &Path, tag: &str, kind: &str) -> Result<(), Failed> {
    let (card, reader) = SimulatedChip::pair(folder)?;
    let _tag = begin_on(&card, tag, folder)?;
    expect(&nfcpy(python, &["ndef", &reader.path.display().to_string()])?, &[kind, "http://libnfc.org"])
}

fn chip_puts_to_udp(folder: &Path, python: &Path) -> Result<(), Failed> {
    let place = free_air()?;
    let chip = SimulatedChip::start(folder, "chip", &place, &[])?;
    puts(folder, python, &chip.path.display().to_string(), &place)
}

fn udp_puts_to_chip(folder: &Path, python: &Path) -> Result<(), Failed> {
    let place = free_air()?;
    let chip = SimulatedChip::start(folder, "chip", &place, &[])?;
    puts(folder, python, &place, &chip.path.display().to_string())
}

fn chip_puts_to_chip(folder: &Path, python: &Path) -> Result<(), Failed> {
    let (target, initiator) = SimulatedChip::pair(folder)?;
    puts(folder, python, &initiator.path.display().to_string(), &target.path.display().to_string())
}

/// A record goes from one nfcpy to another, by SNEP.
fn puts(folder: &Path, python: &Path, from: &str, to: &str) -> Result<(), Failed> {
    let _target = begin_nfcpy(folder, python, &["take", to], "target")?;
    expect(&nfcpy(python, &["give", from])?, &["put True"])?;
    // Its type is U, and 04 stands for https://.
    wait_for(folder, "taken 046578616d706c652e6f72672f")
}

/// Starts nfcpy, and waits until it says a word.
fn begin_nfcpy(folder: &Path, python: &Path, arguments: &[&str], word: &str) -> Result<OwnChild, Failed> {
    let child = begin(Command::new(python).arg(NFCPY).args(arguments), folder)?;
    wait_for(folder, word)?;
    Ok(child)
}

/// Waits until what was begun says a word.
fn wait_for(folder: &Path, word: &str) -> Result<(), Failed> {
    let log = || fs::read_to_string(folder.join("tag.log")).unwrap_or_default();
    match wait_until(PATIENCE, || log().contains(word).then_some(())) {
        Some(()) => Ok(()),
        None => Err(format!("expected {word:?} in {}", log()).into()),
    }
}

fn nfcpy(python: &Path, arguments: &[&str]) -> Result<String, Failed> {
    done(run(Command::new(python).arg(NFCPY).args(arguments), "", PATIENCE)?)
}
