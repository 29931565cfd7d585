//! A program of ours that goes on and says a line whenever something happens.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::process::{OwnChild, PATIENCE, wait_until};

/// A running program.
pub(crate) struct Talking {
    child: OwnChild,
    lines: Receiver<String>,
    stdin: Option<ChildStdin>,
    heard: Vec<String>,
}

impl Talking {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = OwnChild(command.spawn().map_err(|error| format!("{command:?}: {error}"))?);
        let (said, lines) = channel();
        let stdout = child.0.stdout.take().ok_or("no pipe")?;
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.0.stdin.take();
        Ok(Self { child, lines, stdin, heard: Vec::new() })
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) fn end(mut self) -> Result<Option<i32>, String> {
        self.stdin = None;
        let ended = wait_until(PATIENCE, || self.child.0.try_wait().ok().flatten());
        Ok(ended.ok_or_else(|| format!("it goes on after {:#?}", self.heard))?.code())
    }

    /// Waits for a line that holds all of these.
    pub(crate) fn hear(&mut self, parts: &[&str]) -> Result<String, String> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.map_err(|_| format!("expected {parts:?} in a line after {:#?}", self.heard))?;
            self.heard.push(line.clone());
            if parts.iter().all(|part| line.contains(part)) {
                return Ok(line);
            }
        }
    }

    /// Types a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("its input is closed")?;
        writeln!(stdin, "{line}").map_err(|error| error.to_string())
    }
}
