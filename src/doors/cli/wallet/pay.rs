//! `cardwright wallet pay`: a tap with a card of the phone.

use super::shared::phone;
use crate::devices::wallet::{CardKind, DirectWire, life};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::person::Hand;
use crate::doors::cli::shared::tokens;
use crate::doors::cli::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Effect;
use crate::world::HostAddress;
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pay",
    about: "Pays with a card of the phone, by tap",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line = line.arg(
        Arg::new("biometric")
            .long("biometric")
            .action(ArgAction::SetTrue)
            .help("Where the reader says to see the phone: a simulated biometric match, then a second tap"),
    );
    phone::wallet_argument(transaction::arguments(line)).arg(
        Arg::new("card")
            .long("card")
            .value_name("NAME")
            .help("The card's name in the phone; else the default card"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let card = call.text("card").map(str::to_owned);
    prepare(call, card.as_deref())?;
    phone::put_in_reader(call, card.as_deref())?;
    let hand = if call.flag("biometric") { Some(confirming(call)?) } else { None };
    transaction::run_with(call, Deal::Amount(Flow::Pay), hand)
}

/// Unlocks the phone where the reader says to see it, and holds it there again.
fn confirming(call: &Call<'_>) -> Result<Hand, Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    Ok(Box::new(move |_| wallet.unlock_by_biometric(&mut context).is_ok()))
}

/// A token with limited-use keys gets another one before it runs out, and remembers what
/// this one has signed.
fn prepare(call: &mut Call<'_>, card: Option<&str>) -> Result<(), Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    if wallet.card(card)?.kind != CardKind::Token || wallet.token(card)?.key.is_none() {
        return Ok(());
    }
    let amount = Amount::parse(call.text("AMOUNT").unwrap_or_default(), Currency::CNY)?.minor;
    match call.switches.host()? {
        HostAddress::Local => {
            let (mut service, mut context) = tokens::open(call)?;
            let wire = &mut DirectWire;
            let due = life::replenish(&mut wallet, &mut service, card, amount, false, wire, &mut context)?;
            if let Some(reason) = due {
                call.output.note(format!("Another limited-use key was fetched: {reason}."));
            }
        }
        // No message of a terminal's line brings a key.
        HostAddress::Tcp(_) => {
            if let Some(reason) = life::key_is_due(&mut wallet, card, amount, &mut context)? {
                call.output.note(format!(
                    "Another limited-use key is due ({reason}), and this line brings none: \
                     `cardwright wallet replenish` where the token service's books are."
                ));
            }
        }
    }
    Ok(life::note_payment(&mut wallet, card, amount, &mut context)?)
}
