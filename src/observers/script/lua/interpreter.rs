//! The case's end of the pipe: starts the worker, hears it, and ends it whatever it does.

use super::wire::{Ask, Begin, Heard, LINE_LIMIT, Said, Word};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// The words that make the program interpret Lua.
const WORDS: &[&str] = &["lua"];
/// How much longer than the script's time is waited, before the worker is ended from here.
const GRACE: Duration = Duration::from_secs(2);

/// The program that interprets Lua, and what a script may use.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// The program `cardwright`.
    pub program: PathBuf,
    /// What a script may use.
    pub limits: LuaLimits,
}

/// What the script of one case may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LuaLimits {
    /// How long it may work by itself; what cards, hosts and people take is not counted.
    pub time: Duration,
    /// The memory that it may use, bytes.
    pub memory_bytes: usize,
}

impl Default for LuaLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), memory_bytes: 64 << 20 }
    }
}

/// A worker that interprets a script. It ends when this is dropped.
pub(in crate::observers::script) struct Running {
    worker: Child,
    input: Option<ChildStdin>,
    heard: Receiver<Result<Said, String>>,
    limits: LuaLimits,
}

/// What comes of a worker.
#[derive(Debug, Clone)]
pub(in crate::observers::script) enum Next {
    /// It asks for something.
    Asks(Ask),
    /// The function that it was to run has given this.
    Gave(Word),
}

/// Why a worker asks for nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::observers::script) enum Gone {
    /// The script has come to its end.
    Done,
    /// It has come to an error, or was ended: about where, and why.
    Failed(Option<usize>, String),
}

impl Interpreter {
    /// This program, with the usual limits.
    pub fn of(program: PathBuf) -> Self {
        Self { program, limits: LuaLimits::default() }
    }

    /// Starts to interpret a text.
    pub(in crate::observers::script) fn start(&self, text: &str, seed: i64) -> Result<Running, String> {
        let failed =
            |cause: std::io::Error| format!("{} cannot interpret Lua: {cause}", self.program.display());
        let mut worker = Command::new(&self.program)
            .args(WORDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (sender, heard) = sync_channel(1);
        let input = worker.stdin.take();
        if let Some(output) = worker.stdout.take() {
            std::thread::spawn(move || {
                let mut output = BufReader::new(output);
                while let Some(said) = said(&mut output) {
                    if sender.send(said).is_err() {
                        break;
                    }
                }
            });
        }
        let mut running = Running { worker, input, heard, limits: self.limits };
        let begin = Begin {
            text: text.to_owned(),
            seed,
            time_ms: u64::try_from(self.limits.time.as_millis()).unwrap_or(u64::MAX),
            memory_bytes: self.limits.memory_bytes,
        };
        running.write(&serde_json::json!(begin));
        Ok(running)
    }
}

impl Running {
    /// Has it run its function of this number, while it waits for something else.
    pub(in crate::observers::script) fn run(&mut self, number: usize) {
        self.write(&serde_json::json!(Heard::Run(number)));
    }

    /// What comes next, or why nothing does any more.
    pub(in crate::observers::script) fn next(&mut self) -> Result<Next, Gone> {
        let failed = |line, why: String| Err(Gone::Failed(line, why));
        let seconds = self.limits.time.as_secs_f32();
        match self.heard.recv_timeout(self.limits.time + GRACE) {
            Ok(Ok(Said::Ask(ask))) => Ok(Next::Asks(ask)),
            Ok(Ok(Said::Gave(word))) => Ok(Next::Gave(word)),
            Ok(Ok(Said::Done)) => Err(Gone::Done),
            Ok(Ok(Said::Failed { line, message })) => failed(line, message),
            Ok(Ok(Said::Stopped { line })) => {
                failed(line, format!("stopped: the script has worked for {seconds} s by itself"))
            }
            Ok(Err(why)) => failed(None, why),
            Err(RecvTimeoutError::Timeout) => {
                failed(None, format!("stopped: nothing was heard of the script for {seconds} s"))
            }
            Err(RecvTimeoutError::Disconnected) => failed(None, "the interpreter broke off".into()),
        }
    }

    /// Gives it what it has asked for.
    pub(in crate::observers::script) fn give(&mut self, words: &[Word]) {
        self.write(&serde_json::json!(Heard::Words(words.to_vec())));
    }

    fn write(&mut self, message: &serde_json::Value) {
        if let Some(input) = &mut self.input {
            // A worker that is gone is noticed where it is heard.
            let _ = input.write_all(format!("{message}\n").as_bytes());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is ours, and may be in a loop that nothing else ends.
        let _ = self.worker.kill();
        let _ = self.worker.wait();
    }
}

/// One message of a worker; none at its end.
fn said(output: &mut dyn BufRead) -> Option<Result<Said, String>> {
    let mut line = Vec::new();
    if let Err(cause) = output.take(LINE_LIMIT).read_until(b'\n', &mut line) {
        return Some(Err(cause.to_string()));
    }
    match line.is_empty() {
        true => None,
        false => Some(
            serde_json::from_slice(&line)
                .map_err(|cause| format!("the interpreter said what is no message: {cause}")),
        ),
    }
}
