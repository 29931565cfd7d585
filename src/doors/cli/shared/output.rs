//! Where a command speaks: text as it comes, or one JSON object at the end, or, of commands that
//! go on, one a line. A reader that goes away, as `head` does, is no error and stops nothing.

use super::failure::{Exit, Failure};
use crate::observers::report::JSON_SCHEMA;
use serde_json::{Map, Value, json};
use std::io::{ErrorKind, Write};

/// Standard output of one command.
pub(in crate::doors::cli) struct Output {
    /// The object, where JSON is wanted.
    json: Option<Map<String, Value>>,
    /// The beginning of each object of a command that goes on; the last one stands on a line, too.
    head: Option<Map<String, Value>>,
    notes: Vec<String>,
    failure: Option<std::io::Error>,
    /// Whether the reader has gone away.
    is_deaf: bool,
}

impl Output {
    /// Output of the command of this name.
    pub(in crate::doors::cli) fn new(command: &str, json: bool) -> Self {
        let head = || {
            let mut head = Map::new();
            head.insert("schema".into(), json!(JSON_SCHEMA));
            head.insert("command".into(), json!(command));
            head
        };
        Self { json: json.then(head), head: None, notes: Vec::new(), failure: None, is_deaf: false }
    }

    /// Something people should know besides the answer: a line of its own, or an
    /// element of `notes`.
    pub(in crate::doors::cli) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.json.is_none() {
            self.write(&format!("{text}\n"));
        }
        self.notes.push(text);
    }

    /// Text for people; nothing where JSON is wanted.
    pub(in crate::doors::cli) fn say(&mut self, text: &str) {
        if self.json.is_none() {
            self.write(text);
        }
    }

    /// A member of the JSON object; nothing where text is wanted.
    pub(in crate::doors::cli) fn tell(&mut self, name: &str, value: Value) {
        if let Some(object) = &mut self.json {
            object.insert(name.into(), value);
        }
    }

    /// From now on each JSON object stands on one line.
    pub(in crate::doors::cli) fn in_lines(&mut self) {
        self.head = self.json.clone();
    }

    /// One JSON object on a line of its own while the command goes on; nothing where text is
    /// wanted.
    pub(in crate::doors::cli) fn line(&mut self, members: Value) {
        let (Some(head), Value::Object(members)) = (&self.head, members) else { return };
        let mut object = head.clone();
        object.extend(members);
        self.write(&format!("{}\n", Value::Object(object)));
    }

    /// Whether somebody still listens.
    pub(in crate::doors::cli) fn is_heard(&self) -> bool {
        !self.is_deaf
    }

    /// Prints the JSON object and the error, and gives the exit code.
    pub(in crate::doors::cli) fn finish(mut self, result: Result<Exit, Failure>) -> Exit {
        let mut exit = match &result {
            Ok(exit) => *exit,
            Err(failure) => failure.exit(),
        };
        if let Some(mut object) = self.json.take() {
            object.insert("notes".into(), json!(self.notes));
            object.insert("exit".into(), json!(exit as u8));
            if let Err(failure) = &result {
                object.insert("error".into(), json!(failure.to_string()));
            }
            let object = Value::Object(object);
            self.write(&if self.head.is_some() { format!("{object}\n") } else { format!("{object:#}\n") });
        }
        if let Err(failure) = result {
            complain(&failure);
        }
        if let Some(cause) = self.failure.take() {
            let failure = Failure::Output(cause);
            complain(&failure);
            exit = exit.max(failure.exit());
        }
        exit
    }

    fn write(&mut self, text: &str) {
        if self.failure.is_some() {
            return;
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(cause) if cause.kind() == ErrorKind::BrokenPipe => self.is_deaf = true,
            Err(cause) => self.failure = Some(cause),
        }
    }
}

/// An error on standard error.
fn complain(failure: &Failure) {
    // Nobody may be listening there either.
    let _ = writeln!(std::io::stderr(), "cardwright: {failure}");
}
