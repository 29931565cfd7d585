//! `cardwright shell`, its lines from a pipe.

use super::{Desk, Said};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

/// What the shell says to these lines.
fn shell(desk: &Desk, arguments: &[&str], lines: &str) -> Said {
    let mut command = desk.command(&[&["shell"], arguments].concat());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_conversation_remembers_what_was_said() {
    let desk = Desk::new();
    let lines = "select A000000333010106\nget data 9F79\n80 CA 9F 36 00\nexpect 9F36 = 0000\n\
                 let b = 100.00\nGET DATA 9F79\nexpect 9F79 = $b\nread record 1 1\nreset\nhelp gpo\nexit\nget data 9F79\n";
    let said = shell(&desk, &["--reader", "sim:ecash"], lines);
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "sim:ecash, contactless, ATR 3B 87 80 01",
        "GET DATA: 80CA9F79 = 9F79 Electronic Cash Balance",
        "9F79 Electronic Cash Balance: 000000010000 = 10000 in minor units",
        "the card is reset",
        "GET PROCESSING OPTIONS (",
    ] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
    assert_eq!(said.stdout.matches("> 80CA9F7900").count(), 2, "nothing is sent after `exit`");
    assert!(said.stdout.contains("(a pseudonym)"), "a record's number is masked: {}", said.stdout);
}

#[test]
fn a_line_that_cannot_be_read_or_met_does_not_end_it() {
    let desk = Desk::new();
    let ecash = ["--reader", "sim:ecash"];
    let said = shell(&desk, &ecash, "selekt ppse\nset 9F02 = 1.00\nGET CHALLENGE\n");
    assert!(said.code == 2 && said.stdout.contains("> 0084"), "{said:?}");
    let said = shell(&desk, &ecash, "select A000000333010106\nget data 9F79\nexpect 9F79 = 99.00\n");
    assert!(said.code == 1 && said.stdout.contains("expected"), "{said:?}");
    // An answer that is not 9000 is an answer.
    let said = shell(&desk, &ecash, "select A0000000041010\n");
    assert!(said.code == 0 && said.stdout.contains("6A82"), "{said:?}");
}

#[test]
fn json_is_an_object_a_line() {
    let said = shell(&Desk::new(), &["--reader", "sim:ecash", "--json"], "80CA9F3600\nfoo\n");
    let objects: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [exchange, trouble, end] = objects.as_slice() else { panic!("{said:?}") };
    assert_eq!((&exchange["command"], &exchange["schema"]), (&"shell".into(), &1.into()));
    assert_eq!(exchange["exchanges"][0]["command"], "80CA9F3600");
    assert!(trouble["error"].as_str().is_some_and(|error| error.contains("foo")), "{trouble}");
    assert_eq!(end["exit"], 2);
}

#[test]
fn what_a_person_types_that_is_no_text_is_no_panic() {
    let long = format!("{}\n\u{0}\n\u{fffd}\n\n  \nexpect\nlet\n", "00".repeat(140_000));
    let said = shell(&Desk::new(), &["--reader", "sim:ecash"], &long);
    assert_eq!(said.code, 2, "{}", said.stderr);
}
