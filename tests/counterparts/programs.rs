//! Programs that no one here wrote, asked to read the balance of a card of ours, on
//! whatever reader it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;

use crate::support::process::{Answer, PATIENCE, run};

/// Makes the command that starts a program beside the reader.
pub(crate) type On<'a> = &'a dyn Fn(&Path) -> Command;

/// Beginnings of the ATRs: what reaches the card by contact names T=0 and T=1 itself,
/// what reaches it by radio is made up by the reader.
pub(crate) const INTERFACES: [(&str, &str); 2] = [("contact", "3b"), ("contactless", "3b878001")];

/// The balance that the card begins with, as 9F79 has it.
const BALANCE: &str = "9F7906000000010000";

/// Selects the application and reads its balance.
const PYSCARD: &str = "
from smartcard.System import readers
connection = readers()[0].createConnection()
connection.connect()
select = [0x00, 0xA4, 0x04, 0x00, 0x08, 0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x06, 0x00]
data, sw1, sw2 = connection.transmit(select)
if sw1 == 0x61:
    data, sw1, sw2 = connection.transmit([0x00, 0xC0, 0x00, 0x00, sw2])
assert (sw1, sw2) == (0x90, 0x00), (sw1, sw2)
assert bytes(data[:1]).hex() == '6f'
data, sw1, sw2 = connection.transmit([0x80, 0xCA, 0x9F, 0x79, 0x00])
if sw1 == 0x6C:
    data, sw1, sw2 = connection.transmit([0x80, 0xCA, 0x9F, 0x79, sw2])
print(bytes(connection.getATR()).hex(), bytes(data).hex().upper() + '%02X%02X' % (sw1, sw2))
";

/// Asks for the ATR, selects the application and reads its balance.
pub(crate) fn opensc_tool(on: On<'_>, program: &Path, atr: &str) -> Result<(), Failed> {
    let shown = done(run(on(program).arg("--atr"), "", PATIENCE)?)?;
    let shown = shown.replace(':', "");
    if !shown.trim().starts_with(atr) {
        return Err(format!("expected an ATR that begins with {atr}, found {shown}").into());
    }
    let mut command = on(program);
    command.args(["--send-apdu", "00A4040008A00000033301010600", "--send-apdu", "80CA9F7900"]);
    let sent = done(run(&mut command, "", PATIENCE)?)?;
    let ok = sent.matches("SW1=0x90, SW2=0x00").count();
    // Bytes stand in rows, with their characters beside them.
    let balance = sent.contains("9F 79 06 00 00 00 01 00 00");
    if ok == 2 && balance { Ok(()) } else { Err(format!("expected two 9000 and a balance: {sent}").into()) }
}

/// Plays every file of `apdu-scripts/`, and compares with what it expects.
pub(crate) fn scriptor(on: On<'_>, program: &Path) -> Result<(), Failed> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/apdu-scripts");
    let mut played = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "scriptor") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expects ")).collect();
        let said = done(run(on(program).arg(&path), "", PATIENCE)?)?;
        let answers = answers(&said);
        if expected.is_empty() || answers.len() != expected.len() {
            return Err(format!("{}: expected {expected:?}, found {said}", path.display()).into());
        }
        for (expected, answer) in expected.iter().zip(&answers) {
            if !fits(expected, answer) {
                return Err(format!("{}: expected {expected}, found {answer}", path.display()).into());
            }
        }
        played += 1;
    }
    if played == 0 { Err(format!("no script in {folder}").into()) } else { Ok(()) }
}

/// Selects the application and reads its balance.
pub(crate) fn pyscard(on: On<'_>, program: &Path, atr: &str) -> Result<(), Failed> {
    let said = done(run(on(program).args(["-c", PYSCARD]), "", PATIENCE)?)?;
    let expected = format!("{BALANCE}9000");
    if said.starts_with(atr) && said.trim().ends_with(&expected) {
        return Ok(());
    }
    Err(format!("expected {atr}.. {expected}, found {said}").into())
}

/// What a program said that ended well.
pub(crate) fn done(answer: Answer) -> Result<String, Failed> {
    if answer.success() {
        Ok(answer.stdout)
    } else {
        Err(format!("expected exit code 0: {answer:#?}").into())
    }
}

/// The answers in scriptor's output: `< 90 00 : Normal processing.`, which may go over
/// several lines.
fn answers(said: &str) -> Vec<String> {
    let bytes = |part: &str| {
        let hex = part.split(" : ").next().unwrap_or_default();
        let hex = hex.lines().take_while(|line| !line.starts_with(['>', '#'])).collect::<Vec<_>>().join(" ");
        hex.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    said.split("\n< ").skip(1).map(bytes).collect()
}

/// Whether bytes fit what a script expects; `..` stands for any bytes.
fn fits(expected: &str, answer: &str) -> bool {
    let parts: Vec<&str> = expected.split("..").map(str::trim).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return answer == *first;
    }
    let Some(mut rest) = answer.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}
