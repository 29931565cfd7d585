//! `cardwright shell`, its lines from a pipe, and from a person at a terminal.

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
fn a_name_needs_no_quotes() {
    let said = shell(&Desk::new(), &["--reader", "sim:ecash"], "select 2PAY.SYS.DDF01\n");
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("> 00A404000E325041592E5359532E444446303100"), "{}", said.stdout);
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

#[cfg(all(target_os = "linux", feature = "serial"))]
mod at_a_terminal {
    use super::Desk;
    use crate::support::process::{OwnChild, PATIENCE, wait_until};
    use cardwright::air::link::pn532::{Line, Terminal};
    use std::fs::File;
    use std::time::Duration;

    const TAB: &str = "\t";
    const ENTER: &str = "\r";
    const UP: &str = "\x1b[A";
    const CTRL_C: &str = "\x03";
    const CTRL_D: &str = "\x04";
    /// What a terminal is told once a line is no longer typed: to paste as it likes.
    const LINE_ENDS: &str = "\x1b[?2004l";

    /// The shell at a pseudo-terminal, and what it has written there and nobody has looked at yet.
    struct Screen {
        keys: Terminal,
        shell: OwnChild,
        written: String,
    }

    impl Screen {
        fn open(desk: &Desk) -> Self {
            let path = desk.path("terminal");
            let keys = Terminal::make(&path).unwrap();
            let end = || File::options().read(true).write(true).open(&path).unwrap();
            let mut command = desk.command(&["shell", "--reader", "sim:ecash"]);
            command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm");
            let shell = OwnChild(command.spawn().unwrap());
            let mut screen = Self { keys, shell, written: String::new() };
            screen.shows("the tab key completes");
            screen.shows("card> ");
            screen
        }

        fn types(&mut self, keys: &str) {
            self.keys.write(keys.as_bytes()).unwrap();
        }

        /// Waits until this is written; what came before it has been looked at, too.
        fn shows(&mut self, part: &str) -> String {
            let found = wait_until(PATIENCE, || {
                let mut buffer = [0; 4096];
                let count = self.keys.read(&mut buffer, Duration::from_millis(50)).unwrap();
                self.written.push_str(&String::from_utf8_lossy(&buffer[..count]));
                self.written.find(part).map(|at| at + part.len())
            });
            let end = found.unwrap_or_else(|| panic!("expected {part:?} in {:?}", self.written));
            self.written.drain(..end).collect()
        }

        /// Its exit code, once it has ended.
        fn ends(mut self) -> Option<i32> {
            wait_until(PATIENCE, || self.shell.0.try_wait().unwrap()).expect("it goes on").code()
        }
    }

    #[test]
    fn a_person_completes_takes_back_and_finds_lines_again() {
        let desk = Desk::new();
        let mut screen = Screen::open(&desk);
        screen.types(&["select 2pay", TAB, ENTER].concat());
        screen.shows("> 00A404000E325041592E5359532E444446303100");
        screen.shows("Dedicated File (DF) Name");
        screen.shows("card> ");
        screen.types(&["select A000000333010106", ENTER].concat());
        screen.shows("status word: 9000");
        screen.shows("card> ");
        // A command that only one is, the names of several elements, and the number of one.
        screen.types(&["get d", TAB, "9F7", TAB].concat());
        screen.shows("9F79  Electronic Cash Balance");
        screen.types(&["9", TAB, ENTER].concat());
        screen.shows("> 80CA9F7900");
        screen.shows("9F79 Electronic Cash Balance: 000000010000");
        screen.shows("card> ");
        // Ctrl-C takes back what was typed, and does not end it.
        screen.types(&["rubbish", CTRL_C].concat());
        screen.shows(LINE_ENDS);
        screen.shows("card> ");
        screen.types(&["get data 9F36", ENTER].concat());
        let meanwhile = screen.shows("> 80CA9F3600");
        assert!(!meanwhile.contains("expected"), "{meanwhile}");
        screen.shows("card> ");
        screen.types(&[UP, UP, ENTER].concat());
        screen.shows("> 80CA9F7900");
        screen.shows("card> ");
        screen.types(CTRL_D);
        assert_eq!(screen.ends(), Some(0));
        // The next conversation knows the lines of this one.
        let mut screen = Screen::open(&desk);
        screen.types(&[UP, UP, ENTER].concat());
        screen.shows("> 80CA9F3600");
        screen.types(&["exit", ENTER].concat());
        assert_eq!(screen.ends(), Some(0));
    }
}
