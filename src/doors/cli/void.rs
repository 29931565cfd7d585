//! `cardwright void`: undoes a load that was paid in cash (现金充值撤销).

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::transaction::{self, Deal, parse_trace};
use crate::words::iso7816::Effect;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "void",
    about: "Voids a load paid in cash; give the cash back once it says that the card gave the money up",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("TRACE").help("The load's trace, such as 000001/000007; else the last cash load"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let load = call.text("TRACE").map(parse_trace).transpose()?;
    transaction::run(call, Deal::Void(load))
}
