//! `cardwright card credit`: money that waits for a card (待补登), such as wages.

use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::must_exist;
use crate::doors::cli::shared::transaction::{self, parse_currency};
use crate::roles::card::CardFile;
use crate::roles::issuer::AccountId;
use crate::words::dictionary::tag;
use crate::words::iso4217::{Amount, Currency};
use crate::world::seal_key;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "credit",
    about: "Credits the pending account of a card: `load --from pending` puts it on the card",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line =
        line.arg(Arg::new("FILE").required(true).value_parser(value_parser!(PathBuf)).help("FILE.card"));
    transaction::arguments(line).arg(
        Arg::new("from")
            .long("from")
            .value_name("ACCOUNT")
            .help("The account that pays; else the money comes from outside the books"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    must_exist(&path)?;
    let currency = call.text("currency").map(parse_currency).transpose()?.unwrap_or(Currency::CNY);
    let amount = Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency)?;
    let from = call.text("from").map(|id| AccountId(id.to_owned()));
    let store = books::address(call, Need::Uses)?;
    let mut context = call.switches.context(Recording::default());
    let seal = seal_key(call.switches.seal_key.as_deref(), Some(&path), &mut context)?;
    let (_file, memory) = CardFile::open(&path, seal)?;
    let Some(pan) = memory.pan() else {
        return Err(Failure::Usage(format!("{}: the card has no PAN", path.display())));
    };
    let psn = memory.value(tag::PAN_SEQUENCE_NUMBER).and_then(|psn| psn.first().copied()).unwrap_or(0);
    let mut issuer = books::open(call, &store, &mut context)?;
    issuer.credit_pending(&pan, psn, amount, from.as_ref(), &mut context)?;
    let waits = issuer.pending_of(&pan, psn, currency, &mut context)?;
    call.output
        .say(&format!("{amount} credited; {waits} waits for the card: cardwright load --from pending\n"));
    call.output.tell("pending_minor", json!(waits.minor));
    Ok(Exit::Done)
}
