//! The person at this terminal, and programs, as scripts ask for them: one question at a
//! time, each with its time, and programs only by leave.

use super::lua::interpreter;
use crate::observers::script::lua::Interpreter;
use crate::observers::script::{Attendant, Ran};
use std::io::{BufRead, IsTerminal, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often a person may say what is no choice.
const ATTEMPTS: usize = 10;
/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(20);
/// The most of a program's output that is kept, bytes.
const OUTPUT_BYTES: u64 = 1 << 16;

/// Who carries errands out here.
pub(in crate::doors::cli) struct Bystander {
    /// The lines that are typed; none where nobody can be asked.
    lines: Option<Mutex<Receiver<String>>>,
    attended: bool,
    runs: bool,
    lua: Option<Interpreter>,
}

impl Bystander {
    /// Somebody who can be asked where a terminal is there and `attended`, and who runs
    /// programs where that is allowed.
    pub(in crate::doors::cli) fn new(attended: bool, runs: bool) -> Self {
        let lines = (attended && std::io::stdin().is_terminal()).then(|| Mutex::new(typed()));
        Self { lines, attended, runs, lua: interpreter() }
    }
}

impl Attendant for Bystander {
    fn ask(&self, question: &str, choices: &[String], within: Duration) -> Result<usize, String> {
        let lines = self.lines.as_ref().ok_or("nobody is there who could be asked")?;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        // What was typed before the question is no answer to it.
        while lines.try_recv().is_ok() {}
        eprintln!("\n{question}");
        for (number, choice) in choices.iter().enumerate() {
            eprintln!("{:3}  {choice}", number + 1);
        }
        for _ in 0..ATTEMPTS {
            eprint!("1 to {}: ", choices.len());
            let unanswered = |_| format!("nobody answered within {} s: {question}", within.as_secs());
            let line = lines.recv_timeout(within).map_err(unanswered)?;
            if let Some(place) = chosen(line.trim(), choices) {
                return Ok(place);
            }
        }
        Err(format!("no answer was one of the choices: {question}"))
    }

    fn run(&self, command: &str, within: Duration) -> Result<Ran, String> {
        if !self.runs {
            return Err("programs are run with --allow-run alone".into());
        }
        let mut words = command.split_whitespace();
        let program = words.next().ok_or("expected a program, found nothing")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|cause| format!("{program} cannot be run: {cause}"))?;
        let output = output(&mut child);
        let code = ended(&mut child, within).ok_or_else(|| {
            // It is ours, and nothing else ends it.
            let _ = child.kill();
            let _ = child.wait();
            format!("{program} did not end within {} s", within.as_secs())
        })?;
        // What it has started may hold its output open for longer.
        let output = output.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        Ok(Ran { code, output })
    }

    fn interpreter(&self) -> Result<&Interpreter, String> {
        self.lua.as_ref().ok_or_else(|| "the system does not say where this program is".into())
    }

    fn tell(&self, what: &str) {
        if self.attended {
            eprintln!("{what}");
        }
    }
}

/// The choice that is meant: by its number or its words.
fn chosen(typed: &str, choices: &[String]) -> Option<usize> {
    let number = typed.parse().ok().filter(|number| (1..=choices.len()).contains(number));
    let named = || choices.iter().position(|choice| choice.eq_ignore_ascii_case(typed));
    number.map(|number: usize| number - 1).or_else(named)
}

fn typed() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn output(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stdout) = stdout {
            let _ = stdout.by_ref().take(OUTPUT_BYTES).read_to_end(&mut bytes);
            // A program that writes more is not held up.
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The exit code; `None` where the program has not ended in time.
fn ended(child: &mut Child, within: Duration) -> Option<Option<i32>> {
    let mut left = within;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.code()),
            Ok(None) if !left.is_zero() => {
                let pause = LOOK.min(left);
                std::thread::sleep(pause);
                left -= pause;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_choice_is_a_number_or_its_words() {
        let choices = ["APPROVED", "DECLINED"].map(str::to_owned);
        assert_eq!(chosen("2", &choices), Some(1));
        assert_eq!(chosen("approved", &choices), Some(0));
        assert_eq!((chosen("3", &choices), chosen("", &choices)), (None, None));
    }

    #[test]
    fn programs_run_by_leave_and_end_in_time() {
        let ran = Bystander::new(false, true).run("echo 1 2", SECOND).unwrap();
        assert_eq!((ran.code, ran.output.as_str()), (Some(0), "1 2\n"));
        assert_eq!(Bystander::new(false, true).run("false", SECOND).unwrap().code, Some(1));
        let endless = Bystander::new(false, true).run("sleep 600", Duration::from_millis(50));
        assert!(endless.unwrap_err().contains("did not end"));
        assert!(Bystander::new(false, false).run("true", SECOND).unwrap_err().contains("--allow-run"));
        assert!(Bystander::new(false, true).ask("?", &[], SECOND).is_err());
    }
}
