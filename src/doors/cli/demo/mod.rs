//! `cardwright demo`: stories that play everyone, a file each.

mod card;
/// What the stories share.
mod shared {
    pub(super) mod ledger;
    pub(super) mod teller;
}
mod tell;
mod transfer;
mod wallet;

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "demo",
    about: "Tells a story, all simulated: a card (load and pay), a phone (wallet), or two that touch",
    effect: Some(Effect::Changes),
    arguments: tell::arguments,
    run: Run::Alone(tell::run),
};

/// A story and who tells it.
type Story = (&'static str, fn(&mut Call<'_>) -> Result<Exit, Failure>);

/// Every story; the first is told where none is named.
const STORIES: &[Story] = &[("card", card::run), ("wallet", wallet::run), ("transfer", transfer::run)];
