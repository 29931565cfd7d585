//! Chooses the story.

use super::STORIES;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::Arg;
use clap::builder::PossibleValuesParser;

/// Which story.
pub(super) fn arguments(line: clap::Command) -> clap::Command {
    let names = PossibleValuesParser::new(STORIES.iter().map(|(name, _)| *name));
    line.arg(Arg::new("STORY").value_parser(names).default_value(STORIES[0].0).help(
        "card: a load and a payment; wallet: a phone with a token and an e-cash account; \
                 transfer: two phones that touch",
    ))
}

/// Tells it.
pub(super) fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let wanted = call.text("STORY").unwrap_or_default();
    let story = STORIES.iter().find(|(name, _)| *name == wanted).unwrap_or(&STORIES[0]);
    (story.1)(call)
}
