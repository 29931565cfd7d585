//! `cardwright p2p list`: the transfers that a phone keeps.

use super::shared::{phone, told};
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::Columns;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "list",
    about: "Lists the transfers of this phone and how each stands",
    effect: None,
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut context = call.switches.context(Recording::default());
    let (mut own, _lock) = phone::open(call, &mut context)?;
    let (transfers, unmask) = (own.transfers()?, call.switches.unmask);
    let mut columns = Columns::indented(0);
    transfers.iter().for_each(|transfer| told::row(&mut columns, transfer, unmask));
    call.output.say(&columns.to_string());
    if transfers.is_empty() {
        call.output.say("No transfer yet: cardwright p2p pay 20.00 --peer udp:127.0.0.1:54321\n");
    }
    let values: Vec<_> = transfers.iter().map(|transfer| told::json(transfer, unmask)).collect();
    call.output.tell("transfers", json!(values));
    Ok(Exit::Done)
}
