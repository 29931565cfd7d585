//! `cardwright host`: the issuer as a server of many terminals, and its books from outside.

mod check;
mod journal;
mod log;
mod serve;
mod status;
mod terminal;

use super::shared::books::{self, Need};
use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::Failure;
use super::shared::recording::Recording;
use crate::base::context::Context;
use crate::roles::issuer::Issuer;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "host",
    about: "Serves terminals over TCP; shows and checks the issuer's books",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[serve::COMMAND, status::COMMAND, check::COMMAND, journal::COMMAND, terminal::COMMAND]),
};

/// The books that a question is about; a question never makes them.
fn books_to_ask(call: &mut Call<'_>) -> Result<(Issuer, Context), Failure> {
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let issuer = books::open(call, &store, &mut context)?;
    Ok((issuer, context))
}
