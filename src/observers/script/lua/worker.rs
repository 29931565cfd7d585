//! The worker's end of the pipe: it interprets one case and asks for all that it needs.

use super::CHUNK;
use super::environment::furnish;
use super::watch::{Output, Watch, say};
use super::wire::{Begin, Heard, LINE_LIMIT, Said};
use mlua::chunk::ChunkMode;
use mlua::{Error, HookTriggers, Lua, LuaOptions, StdLib, VmState};
use std::io::{BufRead, Read, Write};
use std::sync::{Arc, Mutex};

/// After so many instructions it is looked at which line the script is.
const INSTRUCTIONS: u32 = 1000;

/// The worker's end.
pub(super) struct Pipe {
    input: Box<dyn BufRead>,
    output: Output,
    pub(super) watch: Arc<Watch>,
}

/// Interprets what comes over a pipe. It ends the process when the script takes too long.
pub fn interpret(mut input: Box<dyn BufRead>, output: Box<dyn Write + Send>) -> Result<(), String> {
    let begin: Begin = heard(&mut *input)?;
    let output: Output = Arc::new(Mutex::new(output));
    let watch = Arc::new(Watch::default());
    watch.keep(begin.time_ms, &output);
    let pipe = Pipe { input, output: Arc::clone(&output), watch: Arc::clone(&watch) };
    watch.work();
    let said = match run(&begin, pipe) {
        Ok(()) => Said::Done,
        Err(error) => failed(&error, watch.line()),
    };
    watch.wait();
    say(&output, &said);
    Ok(())
}

fn run(begin: &Begin, pipe: Pipe) -> mlua::Result<()> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(begin.memory_bytes)?;
    let watch = Arc::clone(&pipe.watch);
    let every = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
    lua.set_global_hook(every, move |_, debug| {
        let is_script = debug.source().short_src.as_deref() == Some(CHUNK);
        if let Some(line) = debug.current_line().filter(|_| is_script) {
            watch.at(line);
        }
        Ok(VmState::Continue)
    })?;
    furnish(&lua, begin.seed, pipe)?;
    lua.load(begin.text.as_str()).set_name(format!("={CHUNK}")).set_mode(ChunkMode::Text).exec()
}

impl Pipe {
    /// Says something, and waits for what comes.
    pub(super) fn say(&mut self, said: &Said) -> Result<Heard, String> {
        self.watch.wait();
        if !say(&self.output, said) {
            return Err("nobody hears what is asked".into());
        }
        let heard = heard(&mut *self.input);
        self.watch.work();
        heard
    }
}

/// The next message over the pipe.
fn heard<T: serde::de::DeserializeOwned>(input: &mut dyn BufRead) -> Result<T, String> {
    let mut line = Vec::new();
    // A script of a mebibyte is longer as JSON.
    let read = input.take(8 * LINE_LIMIT).read_until(b'\n', &mut line);
    read.map_err(|cause| cause.to_string())?;
    serde_json::from_slice(&line)
        .map_err(|cause| format!("expected a message of `cardwright test` on standard input: {cause}"))
}

/// What Lua says, and the line that it names; it names none for want of memory.
pub(super) fn failed(error: &Error, about: Option<usize>) -> Said {
    let told = match error {
        Error::CallbackError { cause, .. } => cause.to_string(),
        Error::MemoryError(_) => return Said::Failed { line: about, message: "not enough memory".into() },
        other => other.to_string(),
    };
    let told = told.strip_prefix("runtime error: ").unwrap_or(&told);
    let first = told.split("\nstack traceback:").next().unwrap_or_default().trim();
    let (line, message) = placed(first);
    // An error that is no text has an address, which differs from run to run.
    let message = message
        .split_once(": 0x")
        .map_or(message.to_owned(), |(kind, _)| format!("an error that is a {kind}"));
    Said::Failed { line, message }
}

/// The line that a message of Lua begins with, and the rest.
pub(super) fn placed(message: &str) -> (Option<usize>, &str) {
    let place = message.strip_prefix(CHUNK).and_then(|rest| rest.strip_prefix(':'));
    let parts = place.and_then(|rest| rest.split_once(':'));
    match parts.and_then(|(line, rest)| Some((line.parse().ok()?, rest.trim_start()))) {
        Some((line, rest)) => (Some(line), rest),
        None => (None, message),
    }
}
