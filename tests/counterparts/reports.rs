//! What we write for others, opened by them: pages in Chromium, JUnit by a schema, captures
//! by Wireshark.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cardwright::world::gate::RIDERS;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::programs::done;
use crate::support::process::{PATIENCE, run};
use crate::support::{Skip, program, require_or_skip};

/// A browser starts slowly on a busy machine.
const BROWSER: Duration = Duration::from_secs(120);
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterpart/browser.py");
const DISSECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wireshark/emv.lua");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/junit.xsd");

/// One case that passes, and one whose balance is another.
const SUITE: &str = "\
case a card that is there
SELECT A000000333010106
expect 9000

case another balance
SELECT A000000333010106
GET DATA 9F79
expect 9000
expect 9F79 = 000000000001
";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::ignorable_test("counterparts::chromium::suite_report", || {
            require_or_skip(Browser::here(), |browser| suite_report(&browser))
        }),
        Trial::ignorable_test("counterparts::chromium::trace_page", || {
            require_or_skip(Browser::here(), |browser| trace_page(&browser))
        }),
        Trial::ignorable_test("counterparts::chromium::gate_page", || {
            require_or_skip(Browser::here(), |browser| gate_page(&browser))
        }),
        Trial::ignorable_test("counterparts::xmllint::drawings", || {
            require_or_skip(program("xmllint", "libxml2-utils"), |xmllint| drawings(&xmllint))
        }),
        Trial::ignorable_test("counterparts::xmllint::junit", || {
            require_or_skip(program("xmllint", "libxml2-utils"), |xmllint| junit(&xmllint))
        }),
        Trial::ignorable_test("counterparts::tshark::emv_data_objects", || {
            require_or_skip(program("tshark", "tshark"), |tshark| data_objects(&tshark))
        }),
    ]
}

/// Programs that open a page.
struct Browser {
    python: PathBuf,
    driver: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    fn here() -> Result<Self, Skip> {
        Ok(Self {
            python: program("python3", "python3")?,
            driver: program("chromedriver", "chromium-driver")?,
            chromium: program("chromium", "chromium")?,
        })
    }

    /// Does the steps of a plan, and gives what was read.
    fn does(&self, plan: &Value) -> Result<Vec<Value>, Failed> {
        let mut command = Command::new(&self.python);
        command.arg(SCRIPT).arg(&self.driver).arg(&self.chromium);
        let said = done(run(&mut command, &plan.to_string(), BROWSER)?)?;
        Ok(serde_json::from_str(&said)?)
    }
}

/// Runs our program in a folder, and wants this exit code.
fn ours(folder: &Path, arguments: &[&str], code: i32) -> Result<String, Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardwright"));
    command.args(arguments).current_dir(folder).env_remove("CARDWRIGHT_READER");
    command.env("HOME", folder).env("XDG_STATE_HOME", folder);
    let answer = run(&mut command, "", PATIENCE)?;
    if answer.code == Some(code) {
        return Ok(answer.stdout);
    }
    Err(format!("{arguments:?}: expected exit code {code}: {answer:#?}").into())
}

/// Plays the suite, and writes a report of it.
fn report(folder: &Path, format: &str) -> Result<PathBuf, Failed> {
    std::fs::write(folder.join("suite.apdu"), SUITE)?;
    let file = format!("report.{format}");
    ours(folder, &["test", "suite.apdu", "--report", &format!("{format}={file}")], 1)?;
    Ok(folder.join(file))
}

/// A recorded payment, a contactless one of 1.00 where nothing else is asked for.
fn recording(folder: &Path, amount: &str, code: i32) -> Result<PathBuf, Failed> {
    let file = format!("{amount}.cwt");
    ours(folder, &["pay", amount, "--seed", "5", "--store", "memory", "--save", &file], code)?;
    Ok(folder.join(file))
}

/// A failing step is clicked; then its reason, what was expected and what came can be read.
fn suite_report(browser: &Browser) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let page = report(folder.path(), "html")?;
    let read = browser.does(&json!([
        { "open": page },
        { "text": ".failing .reason" },
        { "click": ".failing > summary" },
        { "text": ".failing .reason" },
        { "text": ".failing .expected" },
        { "text": ".failing .received" },
        { "click": "button.failed" },
        { "script": "return document.querySelector('.case.failed').hidden" },
        { "script": "return performance.getEntriesByType('resource').length" },
    ]))?;
    let [before, reason, expected, received, hidden, loaded] = &read[..] else {
        return Err(format!("expected six answers, found {read:?}").into());
    };
    is(before, &json!(""))?;
    has(reason, "9F79")?;
    has(expected, "000000000001")?;
    has(received, "000000010000")?;
    is(hidden, &json!(true))?;
    is(loaded, &json!(0))
}

/// The link to what went wrong opens it; an exchange is decoded to the bit; search finds.
fn trace_page(browser: &Browser) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let refused = recording(folder.path(), "500.00", 1)?;
    let paid = recording(folder.path(), "1.00", 0)?;
    for file in [&refused, &paid] {
        ours(folder.path(), &["trace", "html", &file.display().to_string()], 0)?;
    }
    let read = browser.does(&json!([
        { "open": refused.with_extension("html") },
        { "click": "#outcome a" },
        { "text": ".item.failing .reason" },
        { "open": paid.with_extension("html") },
        { "script": "return document.querySelectorAll('#outcome, .failing').length" },
        { "keys": ["body", "/"] },
        { "keys": ["#search", "READ RECORD: SFI 2"] },
        { "text": "#found" },
        { "click": ".item:not([hidden]) > summary" },
        { "text": ".item[open]" },
        { "script": "const before = getComputedStyle(document.documentElement).colorScheme; \
                     document.querySelector('#theme').click(); \
                     return before !== getComputedStyle(document.documentElement).colorScheme" },
        { "script": "return document.querySelectorAll('#timeline a').length" },
        { "script": "const one = document.querySelector('button.whole'); one.click(); \
                     return document.querySelector('.store table + table, .store table ~ table') !== null" },
        { "script": "return performance.getEntriesByType('resource').length" },
    ]))?;
    let [reason, failures, found, opened, themed, bars, store, loaded] = &read[..] else {
        return Err(format!("expected eight answers, found {read:?}").into());
    };
    has(reason, "above the card's limit for one payment")?;
    is(failures, &json!(0))?;
    has(found, "1 of ")?;
    has(opened, "9F74 Electronic Cash Issuer Authorisation Code")?;
    is(themed, &json!(true))?;
    is(store, &json!(true))?;
    is(loaded, &json!(0))?;
    match bars.as_u64() {
        Some(count) if count > 10 => Ok(()),
        _ => Err(format!("expected a bar for each exchange, found {bars}").into()),
    }
}

/// Every rider is in the table, every plot is drawn, and nothing is asked of a network.
fn gate_page(browser: &Browser) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    ours(
        folder.path(),
        &["gate", "simulate", "--taps", "60", "--denied", "100", "--html", "gate.html", "-j", "1"],
        0,
    )?;
    let read = browser.does(&json!([
        { "open": folder.path().join("gate.html") },
        { "text": "#verdict.right" },
        { "script": "return document.querySelectorAll('#riders tr').length" },
        { "script": "return [...document.querySelectorAll('svg')].filter(plot => plot.querySelector('rect, polyline') \
                     && plot.getBoundingClientRect().height > 20).length" },
        { "text": "#throughput" },
        { "script": "const box = document.querySelector('.histogram .bar').getBBox(); \
                     return box.width > 0 && box.height > 0" },
        { "script": "return JSON.parse(document.querySelector('#data').textContent).bad_passed" },
        { "script": "return performance.getEntriesByType('resource').length" },
    ]))?;
    let [verdict, rows, plots, throughput, drawn, passed, loaded] = &read[..] else {
        return Err(format!("expected seven answers, found {read:?}").into());
    };
    has(verdict, "60 taps: 0 bad cards passed, 0 good cards were refused")?;
    // A row for each kind of rider, below the head.
    is(rows, &json!(RIDERS.len() + 1))?;
    is(plots, &json!(6))?;
    has(throughput, "taps a second")?;
    is(drawn, &json!(true))?;
    is(passed, &json!(0))?;
    is(loaded, &json!(0))
}

/// Wireshark opens our capture, and our dissector finds the balance in it.
fn data_objects(tshark: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let recorded = recording(folder.path(), "1.00", 0)?;
    ours(folder.path(), &["trace", "pcap", &recorded.display().to_string(), "-o", "pay.pcapng"], 0)?;
    let shows = |arguments: &[&str]| {
        let mut command = Command::new(tshark);
        command.args(["-X", &format!("lua_script:{DISSECTOR}"), "-r", "pay.pcapng"]).args(arguments);
        command.current_dir(folder.path()).env("HOME", folder.path());
        done(run(&mut command, "", BROWSER)?)
    };
    let value = shows(&["-Y", "emv.tag == 0x9f79", "-T", "fields", "-e", "emv.value"])?;
    is(&json!(value.trim()), &json!("000000010000"))?;
    let tree = shows(&["-Y", "emv.tag == 0x9f79", "-V"])?;
    has(&json!(tree), "9F79 Electronic Cash Balance: 000000010000")?;
    // Wireshark's own dissector pairs it with its command.
    has(&json!(tree), "[Response to frame 11")
}

/// The drawings of `hardware/` are well-formed.
fn drawings(xmllint: &Path) -> Result<(), Failed> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/drawings");
    let files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    if files.is_empty() {
        return Err(format!("there is nothing in {folder}").into());
    }
    done(run(Command::new(xmllint).args(["--noout", "--nonet"]).args(files), "", PATIENCE)?)?;
    Ok(())
}

/// The schema takes our report, and would not take one without its sums.
fn junit(xmllint: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = report(folder.path(), "junit")?;
    let check = |file: &Path| {
        run(Command::new(xmllint).args(["--noout", "--nonet", "--schema", SCHEMA]).arg(file), "", PATIENCE)
    };
    done(check(&file)?)?;
    let text = std::fs::read_to_string(&file)?;
    if !text.contains("<failure ") {
        return Err(format!("expected a failure in the report: {text}").into());
    }
    for (right, wrong) in
        [(" failures=\"1\"", ""), ("<testcase name=", "<testcase title="), ("</failure>", "</failure><why/>")]
    {
        std::fs::write(&file, text.replacen(right, wrong, 1))?;
        if check(&file)?.success() {
            return Err(format!("the schema takes a report with {wrong:?} for {right:?}").into());
        }
    }
    Ok(())
}

fn has(found: &Value, part: &str) -> Result<(), Failed> {
    match found.as_str() {
        Some(text) if text.contains(part) => Ok(()),
        _ => Err(format!("expected {part:?}, found {found}").into()),
    }
}

fn is(found: &Value, expected: &Value) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("expected {expected}, found {found}").into()) }
}
