//! `cardwright gate taps`: the rides in a gate's book, and which are charged together.

use super::simulate::{config_argument, line_of};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::journal::{gate_folder, key};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::{gate_book_json, gate_book_text};
use crate::world::gate::open_gate_book;
use crate::world::{HostAddress, WorldError};
use clap::{Arg, value_parser};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "taps",
    about: "Lists the rides that a gate has kept, newest first: how each stands with its issuer, and which \
            are charged together",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(config_argument()).arg(
        Arg::new("most")
            .long("most")
            .value_name("N")
            .default_value("20")
            .value_parser(value_parser!(u32).range(1..))
            .help("At most so many"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let line = line_of(call)?;
    // The gate is the terminal of its key file, where its host is a remote one.
    let terminal = match call.switches.asked_host()? {
        HostAddress::Tcp(_) => key(&call.switches)?.terminal,
        HostAddress::Local => line.terminal,
    };
    let folder = gate_folder(&call.switches, &terminal)?;
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "the gate {terminal} has kept no rides in {}: name its folder with --state DIR, its line with \
             --config FILE",
            folder.display()
        )));
    }
    let mut context = call.switches.context(Recording::default());
    let mut book = open_gate_book(&folder, &mut context)?;
    let most = call.arguments.get_one::<u32>("most").copied().unwrap_or(1);
    let rides = book.rides(most).map_err(WorldError::from)?;
    let sums = book.sums().map_err(WorldError::from)?;
    call.output.say(&gate_book_text(&rides, &sums, call.switches.unmask));
    call.output.tell("book", gate_book_json(&rides, &sums, call.switches.unmask));
    Ok(Exit::Done)
}
