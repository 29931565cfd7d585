//! `cardwright load`: a circle load from the linked account.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::transaction;
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "load",
    about: "Loads the card from its linked account (圈存)",
    effect: Some(Effect::Changes),
    arguments: transaction::arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    transaction::run(call, Flow::Load)
}
