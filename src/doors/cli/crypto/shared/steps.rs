//! A calculation as it is shown: each intermediate value by name, then the result.

use crate::base::bytes::Hex;
use crate::doors::cli::shared::command::Call;
use crate::observers::report::Columns;
use clap::{Arg, ArgAction};
use serde_json::{Value, json};
use std::fmt::Display;

/// Names and values in the order of the calculation.
#[derive(Debug, Default)]
pub(in crate::doors::cli::crypto) struct Steps(Vec<(String, String)>);

/// What stands below the help of every command here.
const FOR_TEST_KEYS: &str = "This is a calculator for test keys: what is derived from a key is printed. Live keys \
                             belong in a hardware security module.";

/// For the group itself, which has no arguments.
pub(in crate::doors::cli::crypto) fn group(line: clap::Command) -> clap::Command {
    line.after_help(FOR_TEST_KEYS)
}

/// `--result-only`, for pipes.
pub(in crate::doors::cli::crypto) fn argument() -> Arg {
    Arg::new("result-only")
        .long("result-only")
        .action(ArgAction::SetTrue)
        .help("Prints the result alone, without the values on the way to it")
}

impl Steps {
    /// Adds bytes.
    pub(in crate::doors::cli::crypto) fn hex(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.text(name, Hex(bytes));
    }

    /// Adds text.
    pub(in crate::doors::cli::crypto) fn text(&mut self, name: impl Into<String>, text: impl Display) {
        self.0.push((name.into(), text.to_string()));
    }

    /// All of them in two columns.
    pub(in crate::doors::cli::crypto) fn columns(&self, indent: usize) -> Columns {
        let mut columns = Columns::indented(indent);
        for (name, value) in &self.0 {
            columns.row(name.as_str(), value);
        }
        columns
    }

    /// All of them as data.
    pub(in crate::doors::cli::crypto) fn json(&self) -> Value {
        self.0.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    }

    /// Prints the steps and the result.
    pub(in crate::doors::cli::crypto) fn end(mut self, call: &mut Call<'_>, name: &str, result: &str) {
        call.output.tell("steps", self.json());
        call.output.tell("result", json!(result));
        match call.flag("result-only") {
            true => call.output.say(&format!("{result}\n")),
            false => {
                self.text(name, result);
                call.output.say(&self.columns(0).to_string());
            }
        }
    }

    /// As [`Self::end`], of bytes.
    pub(in crate::doors::cli::crypto) fn end_hex(self, call: &mut Call<'_>, name: &str, result: &[u8]) {
        self.end(call, name, &Hex(result).to_string());
    }
}
