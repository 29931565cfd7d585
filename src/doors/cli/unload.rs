//! `cardwright unload`: electronic cash goes back to the linked account (圈提).

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::purse;
use super::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "unload",
    about: "Takes money off the card, back to its linked account (圈提)",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("All that the card holds");
    let amount = transaction::amount_argument().required_unless_present("all").conflicts_with("all");
    purse::argument(transaction::currency_argument(line.arg(amount).arg(all)))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let deal = if call.flag("all") { Deal::All(Flow::Unload) } else { Deal::Amount(Flow::Unload) };
    transaction::run(call, deal)
}
