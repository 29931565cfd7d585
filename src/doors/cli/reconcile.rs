//! `cardwright reconcile`: the issuer's books against another's statement.

use super::shared::books;
use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use crate::observers::report::{
    RECONCILIATION_HEADER, reconciled_csv, reconciled_json, reconciled_line, totals_json, totals_text,
};
use crate::roles::issuer::reconciliation::{
    BadLine, Listener, Outcome, Progress, ReconciledRow, ReconciliationError, StatementFormat, Terms,
};
use clap::{Arg, ArgAction};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// A description of a format is a page, not a book.
const FORMAT_BYTES: u64 = 1 << 20;
/// 23:00, from when on a transaction may stand on the next day's statement.
const CUT_OFF: &str = "23:00";
/// Rows, and unreadable lines, that are listed at most.
const LISTED: usize = 10_000;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "reconcile",
    about: "Compares the issuer's books with a statement, by date, trace and channel",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    line.arg(text("statement", "FILE", "The statement").required(true))
        .arg(
            text("format", "NAME", "csv, network, or a FILE.toml that describes the columns")
                .default_value("csv"),
        )
        .arg(text("csv", "FILE", "Writes every row as comma-separated values"))
        .arg(
            text("cut-off", "HH:MM", "From when on the next statement may have it, UTC; 24:00: never")
                .default_value(CUT_OFF),
        )
        .arg(flag("correct", "Books what the statement corrects: account and name"))
        .arg(flag("all", "Lists what matched too; of all rows the first 10,000 are listed"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = PathBuf::from(call.text("statement").unwrap_or_default());
    let format = format(call.text("format").unwrap_or("csv"))?;
    let cut_off_second = cut_off(call.text("cut-off").unwrap_or(CUT_OFF))?;
    let statement = File::open(&path).map_err(|cause| Failure::file("read", &path, cause))?;
    let table = call.text("csv").map(PathBuf::from);
    let mut table = table.map(|path| Table::create(&path)).transpose()?;
    let terms =
        Terms { period: None, cut_off_second, correct: call.flag("correct"), scratch: std::env::temp_dir() };
    let (mut issuer, mut context) = books::to_ask(call)?;
    let all = call.flag("all");
    let mut shown: Vec<ReconciledRow> = Vec::new();
    let mut unreadable: Vec<BadLine> = Vec::new();
    let (mut rows_left_off, mut lines_left_off) = (0_u64, 0_u64);
    let is_watched = std::io::stderr().is_terminal();
    let totals = issuer
        .reconcile(
            BufReader::new(statement),
            &format,
            &terms,
            &mut Listener {
                row: &mut |row| {
                    if let Some(table) = &mut table {
                        table.line(&reconciled_csv(&row));
                    }
                    if all || row.outcome != Outcome::Matched {
                        list(&mut shown, row, &mut rows_left_off);
                    }
                },
                bad: &mut |bad| list(&mut unreadable, bad, &mut lines_left_off),
                progress: &mut |progress: Progress| {
                    if is_watched {
                        eprint!("\r{}: {} rows ", progress.stage, progress.rows);
                    }
                },
            },
            &mut context,
        )
        .map_err(|error| failure(&path, error))?;
    if is_watched {
        eprintln!();
    }
    if let Some(table) = table {
        table.finish()?;
    }
    for row in &shown {
        call.output.say(&format!("{}\n", reconciled_line(row)));
    }
    for bad in &unreadable {
        call.output.say(&format!("{bad}\n"));
    }
    if rows_left_off + lines_left_off > 0 {
        call.output.say(&format!(
            "{rows_left_off} more rows and {lines_left_off} more unreadable lines are not listed here; \
             --csv FILE takes every row\n"
        ));
    }
    call.output.say(&format!("{}\n", totals_text(&totals)));
    call.output.tell("rows", shown.iter().map(reconciled_json).collect());
    let lines: Vec<_> =
        unreadable.iter().map(|bad| json!({ "line": bad.line, "why": bad.to_string() })).collect();
    call.output.tell("unreadable", json!(lines));
    call.output.tell("rows_left_off", json!(rows_left_off));
    call.output.tell("unreadable_left_off", json!(lines_left_off));
    call.output.tell("totals", totals_json(&totals));
    let differs = totals.amount_differs
        + totals.party_differs
        + totals.ours_only
        + totals.theirs_only
        + totals.bad_lines;
    Ok(if differs == 0 { Exit::Done } else { Exit::Declined })
}

/// Lists what there is place for: a statement of another bank would fill the memory.
fn list<T>(listed: &mut Vec<T>, one: T, left_off: &mut u64) {
    match listed.len() < LISTED {
        true => listed.push(one),
        false => *left_off += 1,
    }
}

/// A built-in format, or one that a file describes.
fn format(name: &str) -> Result<StatementFormat, Failure> {
    let unusable = |error: ReconciliationError| Failure::Usage(error.to_string());
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return StatementFormat::by_name(name).map_err(unusable);
    }
    let file = File::open(path).map_err(|cause| Failure::file("read", path, cause))?;
    let text = std::io::read_to_string(std::io::Read::take(file, FORMAT_BYTES));
    let text = text.map_err(|cause| Failure::file("read", path, cause))?;
    StatementFormat::parse(name, &text).map_err(unusable)
}

/// Seconds of the day; 24:00 is after all of them.
fn cut_off(text: &str) -> Result<u32, Failure> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
        (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 3600 + minute * 60)
    };
    read().ok_or_else(|| Failure::Usage(format!("--cut-off: expected a time such as 23:00, found {text:?}")))
}

fn failure(statement: &Path, error: ReconciliationError) -> Failure {
    match error {
        ReconciliationError::Books(error) => error.into(),
        ReconciliationError::File { doing, cause } => {
            Failure::Usage(format!("{}: could not {doing}: {cause}", statement.display()))
        }
        error => Failure::Usage(format!("{}: {error}", statement.display())),
    }
}

/// The file of every row. A write that failed is told at the end.
struct Table {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<std::io::Error>,
}

impl Table {
    fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create_new(path).map_err(|cause| Failure::file("make", path, cause))?;
        let mut table = Self { path: path.into(), file: BufWriter::new(file), failed: None };
        table.line(RECONCILIATION_HEADER);
        Ok(table)
    }

    fn line(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = writeln!(self.file, "{text}").err();
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.file.flush();
        match self.failed.map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(cause) => Err(Failure::file("write", &self.path, cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_is_a_time_of_day() {
        assert_eq!(cut_off("23:00").ok(), Some(82_800));
        assert_eq!(cut_off("24:00").ok(), Some(86_400));
        for text in ["24:01", "25:00", "23", "23:60", "a:b", ""] {
            assert!(cut_off(text).is_err(), "{text}");
        }
    }
}
