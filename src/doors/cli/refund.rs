//! `cardwright refund`: gives an offline payment back, or a part of it (电子现金脱机退货).

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::scene::{Scene, Want, is_fresh};
use super::shared::settling::Office;
use super::shared::transaction::{self, currency, exit, parse_trace, tell};
use crate::air::link::Interface;
use crate::roles::terminal::{Outcome, Recovered};
use crate::words::iso4217::Amount;
use crate::words::iso7816::Effect;
use crate::world::refund_sale;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "refund",
    about: "Gives an offline payment back, or a part of it: to the account behind the card (电子现金脱机退货)",
    effect: Some(Effect::Reads),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    transaction::arguments(line)
        .arg(Arg::new("TRACE").required(true).help("The payment's trace, such as 000001/000007"))
        .after_help(
            "The card itself is not raised. Without a linked account the money waits for the card: load it \
             with `cardwright load AMOUNT --from pending`. With --reader the card must be the one that paid.",
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let currency = currency(call, call.switches.config()?.currency)?;
    let amount = Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency)?;
    let sale = parse_trace(call.text("TRACE").unwrap_or_default())?;
    let (recovered, outcome): (Recovered, Outcome) = match call.switches.reader()? {
        Some(reader) if !is_fresh(&reader) => {
            let want =
                Want { command: "refund", interface: Interface::Contact, effect: call.effect, money: true };
            let mut scene = Scene::open(call, want)?;
            let done = scene.stage.refund(sale, amount, &mut scene.context)?;
            scene.recording.check()?;
            scene.stage.check(&mut scene.context)?;
            done
        }
        // A fresh card has paid nothing.
        _ => {
            let mut office = Office::open(call)?;
            let recovered = office.settle()?;
            let Office { host, journal, config, context, recording } = &mut office;
            let outcome = refund_sale(sale, amount, None, journal, host.as_mut(), config, context)?;
            recording.check()?;
            (recovered, outcome)
        }
    };
    tell(call, &recovered, &outcome, false);
    Ok(exit(&outcome))
}
