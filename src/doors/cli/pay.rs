//! `cardwright pay`: a payment, offline where the card can.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pay",
    about: "Pays with the card",
    effect: Some(Effect::Changes),
    arguments: transaction::arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    transaction::run(call, Deal::Amount(Flow::Pay))
}
