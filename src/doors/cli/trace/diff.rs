//! `cardwright trace diff`: what two recordings say differently.

use super::shared::file;
use crate::air::trace::Compared;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{trace_difference_json, trace_difference_text};
use clap::{Arg, ArgAction};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "diff",
    about: "Tells what two recordings say differently; exit code 1 when they do",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let other = Arg::new("OTHER").required(true).value_parser(clap::value_parser!(PathBuf));
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue);
    file::argument(line).arg(other.help("The recording to compare it with")).arg(
        all.help(
            "Compares counters, random numbers and cryptograms too, which differ in any two transactions",
        ),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (trace, other) = (file::open(call)?, file::open_at(call, "OTHER")?);
    let compared = if call.flag("all") { Compared::Everything } else { Compared::Meaning };
    let differences = trace
        .differences(&other, compared)
        .map_err(|cause| Failure::Trace { path: file::path(call, "OTHER"), cause })?;
    call.output.say(&trace_difference_text(&differences));
    call.output.tell("differences", trace_difference_json(&differences));
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Declined })
}
