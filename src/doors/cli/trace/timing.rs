//! `cardwright trace timing`: the time budget of a tap.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{TraceTiming, trace_timing_json, trace_timing_text};
use crate::words::iso14443::{BitRate, FRAME_SIZES, OnAir};
use clap::builder::PossibleValuesParser;
use clap::{Arg, value_parser};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "timing",
    about: "Tells what each exchange costs on the air, what the card took, and whether a tap is in its budget",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

/// What people are told to keep a tap under, milliseconds.
const BUDGET_MS: &str = "500";

fn arguments(line: clap::Command) -> clap::Command {
    let rates = BitRate::ALL.iter().map(|rate| rate.kbit().to_string());
    let sizes = || PossibleValuesParser::new(FRAME_SIZES.iter().map(u16::to_string));
    let switch = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    file::argument(line)
        .arg(
            switch("rate", "KBIT", "Bit rate on the air after activation")
                .value_parser(PossibleValuesParser::new(rates))
                .default_value("106"),
        )
        .arg(
            switch("fsc", "BYTES", "Largest frame that the card takes")
                .value_parser(sizes())
                .default_value("256"),
        )
        .arg(
            switch("fsd", "BYTES", "Largest frame that the reader takes")
                .value_parser(sizes())
                .default_value("256"),
        )
        .arg(
            switch("budget", "MS", "What a tap may take; exit code 1 when it takes more")
                .value_parser(value_parser!(u64))
                .default_value(BUDGET_MS),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    let number = |name: &str| call.text(name).and_then(|text| text.parse::<u16>().ok());
    let model = OnAir::default();
    let model = OnAir {
        bit_rate: number("rate").and_then(BitRate::of_kbit).unwrap_or_default(),
        to_card_bytes: number("fsc").unwrap_or(model.to_card_bytes),
        to_reader_bytes: number("fsd").unwrap_or(model.to_reader_bytes),
        ..model
    };
    let budget_ms = call.arguments.get_one::<u64>("budget").copied().unwrap_or(u64::MAX);
    let timing = TraceTiming::of(&trace, model, budget_ms);
    call.output.say(&trace_timing_text(&timing));
    call.output.tell("timing", trace_timing_json(&timing));
    Ok(if timing.is_within_budget() { Exit::Done } else { Exit::Declined })
}
