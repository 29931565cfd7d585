//! `trace timing` on recordings of read, load, pay and a gate's passage, through every driver: a card
//! in this process, one behind PC/SC, one before a PN532, and a recording that is played back.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::pn532::card_with_books;
use super::programs::done;
use crate::support::chip::SimulatedChip;
use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{Answer, OwnChild, PATIENCE, run};
use crate::support::{program, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");

/// What is recorded: its name, its arguments, and the card that it wants.
const FLOWS: [(&str, &[&str], &str); 4] = [
    ("read", &["read"], "my.card"),
    ("load", &["load", "20.00"], "my.card"),
    ("pay", &["pay", "5.00"], "my.card"),
    ("gate", &["gate", "run"], "transit.card"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let test = |name: &str, test: fn(&Path) -> Result<(), Failed>| {
        Trial::test(format!("counterparts::timing::{name}"), move || {
            let folder = tempfile::tempdir()?;
            cards(folder.path())?;
            test(folder.path())
        })
    };
    vec![
        test("in process, and played back", in_process),
        test("pn532", pn532),
        Trial::ignorable_test("counterparts::timing::pcsc", || {
            require_or_skip(program("opensc-tool", "opensc"), |opensc_tool| {
                let folder = tempfile::tempdir()?;
                cards(folder.path())?;
                pcsc(folder.path(), &opensc_tool)
            })
        }),
    ]
}

/// A card for money and one for gates, with the books of both.
fn cards(folder: &Path) -> Result<(), Failed> {
    card_with_books(folder)?;
    let new = ["card", "new", "unionpay-transit", "transit.card", "--account", "A1"];
    done(run(Command::new(CARDWRIGHT).args(new).current_dir(folder), "", PATIENCE)?)?;
    Ok(())
}

fn in_process(folder: &Path) -> Result<(), Failed> {
    let here = || Command::new(CARDWRIGHT);
    for (flow, arguments, card) in FLOWS {
        let original = recorded(folder, here(), flow, arguments, &format!("sim:{card}"))?;
        succeeded(&original)?;
        on_air(folder, flow)?;
        // Played back, a card makes no new cryptogram, so that it may be declined.
        let again = format!("{flow}-again");
        recorded(folder, here(), &again, arguments, &format!("replay:{flow}.cwt"))?;
        on_air(folder, &again)?;
    }
    Ok(())
}

fn pn532(folder: &Path) -> Result<(), Failed> {
    for (flow, arguments, card) in FLOWS {
        let chip = SimulatedChip::start(folder, "chip", &format!("sim:{card}"), &[])?;
        succeeded(&recorded(folder, Command::new(CARDWRIGHT), flow, arguments, &chip.address())?)?;
        on_air(folder, flow)?;
    }
    Ok(())
}

fn pcsc(folder: &Path, opensc_tool: &Path) -> Result<(), Failed> {
    for (flow, arguments, card) in FLOWS {
        let daemon = PrivatePcscd::start("Virtual PCD").map_err(|skip| skip.0)?;
        let mut serve = daemon.command(CARDWRIGHT);
        serve.args(["card", "serve", &format!("sim:{}", folder.join(card).display())]);
        serve.args(["--on", &format!("vpcd:127.0.0.1:{PORT}"), "--interface", "contactless"]);
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(folder.join("served"))?);
        let _card = OwnChild(serve.spawn()?);
        daemon.wait_for_card(opensc_tool)?;
        succeeded(&recorded(folder, daemon.command(CARDWRIGHT), flow, arguments, "pcsc")?)?;
        on_air(folder, flow)?;
    }
    Ok(())
}

/// Has a flow recorded.
fn recorded(
    folder: &Path,
    mut command: Command,
    name: &str,
    arguments: &[&str],
    reader: &str,
) -> Result<Answer, Failed> {
    let at = |name: &str| folder.join(name).display().to_string();
    let reader = match reader.split_once(':') {
        Some((scheme @ ("sim" | "replay"), file)) => format!("{scheme}:{}", at(file)),
        _ => reader.to_owned(),
    };
    command.args(arguments).args(["--reader", &reader, "--save", &at(&format!("{name}.cwt"))]);
    command.args(["--state", &at("state"), "--pin-file", &at("pin")]);
    // A recording that is played back is of nobody's books.
    if !reader.starts_with("replay:") {
        command.args(["--store", &format!("sqlite:{}", at("cardwright.db"))]);
    }
    Ok(run(&mut command, "", PATIENCE)?)
}

fn succeeded(answer: &Answer) -> Result<(), Failed> {
    match answer.success() {
        true => Ok(()),
        false => Err(format!("expected exit code 0, found {answer:#?}").into()),
    }
}

/// The estimate of a recording: every exchange has its time on the air, and no tap is faster.
fn on_air(folder: &Path, name: &str) -> Result<(), Failed> {
    let file = folder.join(format!("{name}.cwt")).display().to_string();
    let timing = ["trace", "timing", &file, "--budget", "60000"];
    let text = done(run(Command::new(CARDWRIGHT).args(timing), "", PATIENCE)?)?;
    let json = done(run(Command::new(CARDWRIGHT).args(timing).arg("--json"), "", PATIENCE)?)?;
    let value: Value = serde_json::from_str(&json)?;
    let timing = &value["timing"];
    let number = |name: &str| timing[name].as_u64().unwrap_or(0);
    let exchanges = timing["exchanges"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all_cost =
        exchanges.iter().all(|exchange| exchange["on_air_us"].as_u64().is_some_and(|cost| cost > 0));
    let is_sound = exchanges.len() > 3
        && all_cost
        && number("on_air_us") > 0
        && number("tap_us") >= number("activation_us") + number("on_air_us");
    match is_sound && text.contains("on air") {
        true => Ok(()),
        false => Err(format!("{name}: {text}\n{json}").into()),
    }
}
