//! `cardwright preauth`: holds an amount on the account behind the card, takes it, or
//! lets it go (预授权).

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::transaction::{self, Deal, parse_trace};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "preauth",
    about: "Holds an amount on the account, takes it, or lets it go (预授权)",
    effect: Some(Effect::Changes),
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command {
            name: "hold",
            about: "Holds an amount: the account cannot spend it",
            effect: Some(Effect::Changes),
            arguments: transaction::arguments,
            run: Run::Alone(hold),
        },
        Command {
            name: "complete",
            about: "Takes what is held, or less; the rest is released",
            effect: Some(Effect::Changes),
            arguments: complete_arguments,
            run: Run::Alone(complete),
        },
        Command {
            name: "cancel",
            about: "Releases what is held",
            effect: Some(Effect::Changes),
            arguments: cancel_arguments,
            run: Run::Alone(cancel),
        },
    ]),
};

fn complete_arguments(line: clap::Command) -> clap::Command {
    cancel_arguments(transaction::arguments(line))
}

fn cancel_arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("TRACE").required(true).help("The hold's trace, such as 000001/000007"))
}

fn hold(call: &mut Call<'_>) -> Result<Exit, Failure> {
    transaction::run(call, Deal::Amount(Flow::PreAuthorise))
}

fn complete(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let hold = parse_trace(call.text("TRACE").unwrap_or_default())?;
    transaction::run(call, Deal::EndHold { hold, take: true })
}

fn cancel(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let hold = parse_trace(call.text("TRACE").unwrap_or_default())?;
    transaction::run(call, Deal::EndHold { hold, take: false })
}
