//! `cardwright world transfer`: random worlds of phones that touch, each from a seed.

use super::seeds::{Failed, Pace, arguments as seed_arguments, conclude, counts, settings};
use super::without::{without, without_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::world::transfer::seeds::{Flaws, Plant, Rule, seeds};
use serde_json::json;

/// The row of this command.
pub(in crate::doors::cli) const COMMAND: Command = Command {
    name: "transfer",
    about: "Plays random worlds of phones that touch, as `world run` does those of cards",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    seed_arguments(line, Plant::ALL.iter().map(|plant| plant.word()))
        .arg(without_argument(Rule::all().map(Rule::word)))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let plant = call.text("plant").and_then(Plant::from_word);
    let settings = settings(call, Flaws { without: without(call, Rule::from_word)?, plant });
    let mut pace = Pace::new();
    let report = seeds(&settings, &mut |done, all, failed| pace.show(done, all, failed))?;
    pace.end(call, &report.to_string(), report.seeds, &format!("{} at once", settings.jobs));
    call.output.tell("seeds", json!(report.seeds));
    call.output.tell("touches", json!(report.touches));
    call.output.tell("booked", json!(report.booked));
    call.output.tell("refused", json!(report.refused));
    call.output.tell("faults", counts(report.faults()));
    call.output.tell("digest", json!(format!("{:016x}", report.digest)));
    let failed: Vec<_> = report.failed.iter().map(|failed| Failed::of(failed, failed.command())).collect();
    conclude(call, &settings, &failed, &report.gaps())
}
