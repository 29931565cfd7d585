//! `cardwright inquire`: what the account behind the card may spend.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "inquire",
    about: "Asks the host what the account behind the card may spend",
    effect: Some(Effect::Changes),
    arguments: transaction::currency_argument,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    transaction::run(call, Deal::Ask(Flow::Inquire))
}
