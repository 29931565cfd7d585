//! `cardwright gate simulate`: good and bad riders at a gate, and what became of each.

use crate::base::env::{Clock, SystemClock};
use crate::devices::gate::Line;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::folder::Passing;
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::threads::{threads, threads_argument};
use crate::observers::report::{gate_json, gate_page, gate_text};
use crate::world::gate::{GateSettings, simulate};
use crate::world::read_text;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "simulate",
    about: "Plays good, denied, expired, torn, cloned and unreadable cards at a gate, and says what became \
            of each; exit code 3 if a bad one passed or a good one was refused",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("taps")
            .long("taps")
            .value_name("N")
            .default_value("2000")
            .value_parser(value_parser!(u64).range(1..))
            .help("How many riders come"),
    )
    .arg(config_argument())
    .arg(
        Arg::new("html")
            .long("html")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Writes the same as one page with plots, without network"),
    )
    .arg(
        Arg::new("denied")
            .long("denied")
            .value_name("N")
            .default_value("100000")
            .value_parser(value_parser!(u32))
            .help("Strangers on the deny list of each gate"),
    )
    .arg(threads_argument(
        1,
        "How many gates there are, each with riders of its own; else one for each processor",
    ))
}

/// `--config FILE`.
pub(super) fn config_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The line's file: fare, rules, upload, debts; else a line for tests")
}

/// The line that was named.
pub(super) fn line_of(call: &Call<'_>) -> Result<Line, Failure> {
    let Some(path) = call.arguments.get_one::<PathBuf>("config") else { return Ok(Line::default()) };
    let text = read_text(path).map_err(|cause| Failure::file("read", path, cause))?;
    Line::parse(&text).map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    // Taps are kept on a disk, as a gate's are: what that costs is told.
    match call.switches.state.clone() {
        Some(folder) => play(call, &folder),
        None => play(call, Passing::new("gate")?.path()),
    }
}

fn play(call: &mut Call<'_>, folder: &Path) -> Result<Exit, Failure> {
    std::fs::create_dir_all(folder).map_err(|cause| Failure::file("make the folder", folder, cause))?;
    let settings = GateSettings {
        taps: call.arguments.get_one::<u64>("taps").copied().unwrap_or(0),
        seed: call.switches.seed.unwrap_or(1),
        gates: threads(call),
        line: line_of(call)?,
        folder: Some(folder.to_owned()),
        denied: call.arguments.get_one::<u32>("denied").map_or(0, |denied| *denied as usize),
    };
    let begun = SystemClock.now();
    let seconds = || (SystemClock.now().micros() - begun.micros()).max(1) as f64 / 1e6;
    let progress = Mutex::new((0, Progress::new("taps")));
    let show = |more: u64| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, line) = &mut *progress;
        *done += more;
        let rate = *done as f64 / seconds();
        let remark =
            format!(", {rate:.0}/s, {:.0} s left", settings.taps.saturating_sub(*done) as f64 / rate);
        line.show(*done as usize, settings.taps as usize, &remark);
    };
    let report = simulate(&settings, &show)?;
    drop(progress);
    let seconds = seconds();
    call.output.say(&gate_text(&report));
    call.output.say(&format!(
        "{} taps at {} gates in {seconds:.1} s, {:.0} a second with the cards' own work\n",
        report.taps,
        settings.gates,
        report.taps as f64 / seconds
    ));
    call.output.tell("simulation", gate_json(&report));
    call.output.tell("seconds", json!(seconds));
    if let Some(path) = call.arguments.get_one::<PathBuf>("html") {
        write_page(path, &gate_page(&report))?;
        call.output.note(format!("written: {}", path.display()));
    }
    match report.is_wrong() {
        false => Ok(Exit::Done),
        true => {
            let (passed, refused) = report.mistakes();
            Err(Failure::Invariant(format!(
                "{passed} bad cards passed, {refused} good ones were refused, {} invariants of the books are \
                 broken",
                report.violations.len()
            )))
        }
    }
}

fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|cause| Failure::file("write", path, cause))
}
