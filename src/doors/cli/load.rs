//! `cardwright load`: a circle load, from the linked account or another source.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::purse;
use super::shared::scene::CARD;
use super::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "load",
    about: "Loads the card from its linked account (圈存), or from another source; sets its overdraft limit",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

/// Where the money may come from.
const SOURCES: &[(&str, Flow)] =
    &[("linked", Flow::Load), ("cash", Flow::CashLoad), ("pending", Flow::PendingLoad)];

fn arguments(line: clap::Command) -> clap::Command {
    let amount = transaction::amount_argument()
        .required_unless_present(purse::OVERDRAFT)
        .conflicts_with(purse::OVERDRAFT);
    let line = purse::argument(transaction::currency_argument(line.arg(amount)));
    purse::overdraft_argument(line).arg(
        Arg::new("from").long("from").value_name("SOURCE").default_value("linked").help(
            "linked (its account), cash (taken by the merchant), pending (what waits for the card), \
                 card:ADDRESS (another card's account; its address is as after --reader, and the PIN is its)",
        ),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    if let Some(limit) = call.text(purse::OVERDRAFT).map(str::to_owned) {
        return purse::set_overdraft(call, &limit);
    }
    let from = call.text("from").unwrap_or_default();
    if from.starts_with(CARD) {
        return transaction::run(call, Deal::OtherPays);
    }
    let Some((_, flow)) = SOURCES.iter().find(|(name, _)| *name == from) else {
        let reason = format!("expected linked, cash, pending or card:ADDRESS after --from, found {from:?}");
        return Err(Failure::Usage(reason));
    };
    transaction::run(call, Deal::Amount(*flow))
}
