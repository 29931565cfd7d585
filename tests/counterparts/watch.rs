//! `cardwright watch` and `doctor`: readers and cards that come and go, and what is in their way,
//! behind a daemon of the test's own and before our simulated chip.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use super::pn532::WAIT;
use crate::support::chip::SimulatedChip;
use crate::support::lines::Talking;
use crate::support::pcscd::PrivatePcscd;
use crate::support::process::{PATIENCE, run};
use crate::support::require_or_skip;
use crate::support::vpicc::FixedCard;

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
const CONTACT_ATR: &[u8] = &[0x3B, 0x02, 0x41, 0x42];
const RADIO_ATR: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];

pub(crate) fn trials() -> Vec<Trial> {
    let behind = |name: &str, test: fn(PrivatePcscd) -> Result<(), Failed>| {
        Trial::ignorable_test(format!("counterparts::watch::{name}"), move || {
            require_or_skip(PrivatePcscd::start("Virtual PCD"), test)
        })
    };
    vec![
        behind("cards behind pcscd", cards),
        behind("readers behind pcscd", readers),
        behind("a card on radio behind pcscd", radio),
        behind("doctor behind pcscd", doctor),
        behind("shared and exclusive, T=0 and T=1", sharing),
        Trial::test("counterparts::watch::a chip", || chip(tempfile::tempdir()?.path())),
    ]
}

fn watch(daemon: &PrivatePcscd, arguments: &[&str]) -> Result<Talking, String> {
    let mut command = daemon.command(CARDWRIGHT);
    command.args(["watch", "--for", "300"]).args(arguments);
    Talking::start(command)
}

/// Cards are put in and pulled, and one is read.
fn cards(daemon: PrivatePcscd) -> Result<(), Failed> {
    let mut watch = watch(&daemon, &["--count", "2"])?;
    watch.hear(&["Virtual PCD 00 00  reader is there"])?;
    let card = FixedCard::insert(&daemon, CONTACT_ATR)?;
    watch.hear(&["Virtual PCD 00 00  card, ATR 3B 02 41 42"])?;
    // A card by contact is left in peace.
    if card.pull() != 0 {
        return Err("the card was asked something".into());
    }
    watch.hear(&["Virtual PCD 00 00  card has gone"])?;
    let _card = FixedCard::insert(&daemon, CONTACT_ATR)?;
    watch.hear(&["Virtual PCD 00 00  card, ATR 3B 02 41 42"])?;
    match watch.end()? {
        Some(0) => Ok(()),
        code => Err(format!("expected exit code 0 after two cards, found {code:?}").into()),
    }
}

/// The daemon ends with its readers and the card in one; another begins.
fn readers(mut daemon: PrivatePcscd) -> Result<(), Failed> {
    let mut watch = watch(&daemon, &["--json", "--read"])?;
    watch.hear(&[r#""reader":"Virtual PCD 00 00""#, r#""seen":"reader""#, r#""schema":1"#])?;
    let _card = FixedCard::insert_answering(&daemon, CONTACT_ATR, |_| vec![0x6A, 0x82])?;
    watch.hear(&[r#""seen":"card""#, r#""atr":"3B024142""#, "no application found"])?;
    daemon.restart(watch.id(), || {
        watch.hear(&[r#""reader":"Virtual PCD 00 00""#, r#""seen":"reader gone""#])?;
        watch.hear(&[r#""reader":"Virtual PCD 00 01""#, r#""seen":"reader gone""#])?;
        Ok(())
    })?;
    watch.hear(&[r#""reader":"Virtual PCD 00 00""#, r#""seen":"reader""#])?;
    let _card = FixedCard::insert(&daemon, CONTACT_ATR)?;
    watch.hear(&[r#""seen":"card""#, r#""atr":"3B024142""#])?;
    Ok(())
}

/// A reader of cards on radio tells UID and ATS: `watch`, `read` and `readers` show them, masked.
fn radio(daemon: PrivatePcscd) -> Result<(), Failed> {
    let mut watch = watch(&daemon, &[])?;
    let _card = FixedCard::insert_answering(&daemon, RADIO_ATR, |command| match command {
        [0xFF, 0xCA, 0x00, 0x00, 0x00] => vec![0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00],
        [0xFF, 0xCA, 0x01, 0x00, 0x00] => vec![0x06, 0x75, 0x77, 0x81, 0x02, 0x80, 0x90, 0x00],
        _ => vec![0x6A, 0x82],
    })?;
    watch.hear(&["card, ATR 3B 80 80 01 01, UID 04************, ATS 06 75 77 81 02 80"])?;
    for (arguments, expected) in [
        (&["read", "--reader", "pcsc"][..], "UID   04************\nATS   06 75 77 81 02 80\n"),
        (&["read", "--reader", "pcsc", "--unmask"], "UID   04A1B2C3D4E5F6\n"),
        (&["readers"], "UID 04************, ATS 06 75 77 81 02 80"),
    ] {
        let said = run(daemon.command(CARDWRIGHT).args(arguments), "", PATIENCE)?;
        if !said.success() || !said.stdout.contains(expected) {
            return Err(format!("expected {expected:?} of {arguments:?} in {said:#?}").into());
        }
    }
    Ok(())
}

/// Two programs that share a card take turns; one that wants it alone is refused, and so is a
/// protocol that the card does not have.
fn sharing(daemon: PrivatePcscd) -> Result<(), Failed> {
    let _card = FixedCard::insert_answering(&daemon, CONTACT_ATR, |_| vec![0x6A, 0x82])?;
    let ours = |arguments: &[&str]| {
        let mut command = daemon.command(CARDWRIGHT);
        command.args(arguments).args(["--reader", "pcsc", WAIT]);
        command
    };
    let send = ["send", "00B0000000"];
    let said = |more: &[&str]| run(&mut ours(&[&send[..], more].concat()), "", PATIENCE);
    let refused = |more: &[&str], why: &str| -> Result<(), Failed> {
        let said = said(more)?;
        match said.code == Some(4) && said.stderr.contains(why) {
            true => Ok(()),
            false => Err(format!("expected exit code 4 and {why:?} of {more:?}, found {said:#?}").into()),
        }
    };
    // Its ATR names no protocol, which is T=0.
    let t0 = said(&["--protocol", "t0"])?;
    if !t0.success() {
        return Err(format!("expected an answer by T=0, found {t0:#?}").into());
    }
    refused(&["--protocol", "t1"], "does not speak T=1")?;
    let mut alone = Talking::start(ours(&["shell"]))?;
    alone.hear(&["contact, ATR 3B 02 41 42"])?;
    refused(&[], "another program holds the card")?;
    refused(&["--shared"], "another program holds the card")?;
    alone.say("exit")?;
    alone.end()?;
    let mut first = Talking::start(ours(&["shell", "--shared"]))?;
    first.hear(&["contact, ATR 3B 02 41 42"])?;
    let mut second = Talking::start(ours(&[&send[..], &["--shared"]].concat()))?;
    first.say("READ BINARY 1")?;
    first.hear(&["< 6A82"])?;
    first.say("exit")?;
    second.hear(&["> 00B0000000"])?;
    second.hear(&["< 6A82"])?;
    Ok(())
}

/// The daemon, its readers, and a chip that is named are found.
fn doctor(daemon: PrivatePcscd) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let chip = SimulatedChip::start(folder.path(), "chip", "sim:ecash", &[])?;
    let mut doctor = daemon.command(CARDWRIGHT);
    let said = run(doctor.args(["doctor", "--reader", &chip.address()]), "", PATIENCE)?;
    let answers = format!("a PN532 answers at {}, 115200 Bd", chip.path.display());
    for part in ["the PC/SC daemon answers and sees 2 readers", "Virtual PCD 00 00 is empty", &answers] {
        if !said.stdout.contains(part) {
            return Err(format!("expected {part:?} in {said:#?}").into());
        }
    }
    Ok(())
}

/// A card before a chip comes and goes; the chip goes and comes.
fn chip(folder: &Path) -> Result<(), Failed> {
    let chip = SimulatedChip::start(folder, "chip", "sim:ecash", &[])?;
    let mut command = Command::new(CARDWRIGHT);
    command
        .args(["watch", "--read", "--json", "--for", "300", "--reader", &chip.address()])
        .current_dir(folder);
    let mut watch = Talking::start(command)?;
    watch.hear(&[r#""seen":"reader""#, "chip"])?;
    watch.hear(&[r#""seen":"card""#, r#""uid":"08******""#, r#""ats":"0C"#, r#""minor":10000"#])?;
    drop(chip);
    watch.hear(&[r#""seen":"reader gone""#])?;
    // Whether it can be read before it goes is this machine's affair.
    let _chip = SimulatedChip::start(folder, "chip", "sim:ecash", &["--stay", "300"])?;
    watch.hear(&[r#""seen":"reader""#])?;
    watch.hear(&[r#""seen":"card""#])?;
    watch.hear(&[r#""seen":"card gone""#])?;
    Ok(())
}
