//! The life of the phone's tokens from the command line: `wallet suspend`, `resume`,
//! `remove`, `lost-device`, `renew`, `replenish`, `replace-card`.

use super::shared::phone;
use crate::air::host::{Party, TokenVerb};
use crate::devices::wallet::{DirectWire, Wallet, life};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::{pan, tokens};
use clap::Arg;

/// The rows of these commands.
pub(super) const SUSPEND: Command =
    row("suspend", "Suspends a token: it pays no more until resumed", suspend);
pub(super) const RESUME: Command = row("resume", "Resumes a token", resume);
pub(super) const REMOVE: Command = row("remove", "Removes a token, and tells the issuer", remove);
pub(super) const RENEW: Command =
    row("renew", "Gives a token a later expiry, and the phone its new data", renew);
pub(super) const REPLENISH: Command = row("replenish", "Fetches a token's next limited-use key", replenish);
pub(super) const LOST_DEVICE: Command = Command {
    arguments: by_argument,
    ..row("lost-device", "Holds every token of the phone: it is lost", lost_device)
};
pub(super) const REPLACE_CARD: Command = Command {
    arguments: replace_arguments,
    ..row("replace-card", "Follows what became of a physical card: replaced, or cancelled", replace_card)
};

const fn row(
    name: &'static str,
    about: &'static str,
    run: fn(&mut Call<'_>) -> Result<Exit, Failure>,
) -> Command {
    Command { name, about, effect: None, arguments: card_arguments, run: Run::Alone(run) }
}

fn card_arguments(line: clap::Command) -> clap::Command {
    by_argument(line).arg(phone::card_argument())
}

fn by_argument(line: clap::Command) -> clap::Command {
    phone::wallet_argument(line).arg(
        Arg::new("by")
            .long("by")
            .value_name("WHO")
            .value_parser(["wallet", "issuer"])
            .default_value("wallet")
            .help("On whose word: what the issuer holds, only the issuer resumes"),
    )
}

fn replace_arguments(line: clap::Command) -> clap::Command {
    pan::arguments(by_argument(line))
}

fn by(call: &Call<'_>) -> Party {
    match call.text("by") {
        Some("issuer") => Party::Issuer,
        _ => Party::Wallet(Wallet::requestor()),
    }
}

fn suspend(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Suspend)
}

fn resume(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Resume)
}

fn remove(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Remove)
}

fn change(call: &mut Call<'_>, verb: TokenVerb) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_in(call, &mut context)?;
    let view = life::change(&mut wallet, &mut service, call.text("CARD"), verb, &by(call), &mut context)?;
    tokens::tell(call, view.as_slice());
    if view.is_none() {
        call.output.say("it was not active yet: rolled back\n");
    }
    Ok(Exit::Done)
}

fn lost_device(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_in(call, &mut context)?;
    let views = life::lost_device(&mut wallet, &mut service, &by(call), &mut context)?;
    tokens::tell(call, &views);
    Ok(Exit::Done)
}

fn renew(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_in(call, &mut context)?;
    let token =
        life::renew(&mut wallet, &mut service, call.text("CARD"), &by(call), &mut DirectWire, &mut context)?;
    call.output.say(&format!("{} pays until {}\n", token.name, token.expiry));
    call.output.tell("card", phone::token_json(&token));
    Ok(Exit::Done)
}

fn replenish(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_in(call, &mut context)?;
    let card = call.text("CARD");
    let why = life::replenish(&mut wallet, &mut service, card, 0, true, &mut DirectWire, &mut context)?;
    let token = wallet.token(card)?;
    call.output.say(&match token.key {
        Some(number) => format!("{} has limited-use key {number}\n", token.name),
        None => format!("{} has its key in the secure element: nothing is replenished\n", token.name),
    });
    call.output.tell("card", phone::token_json(&token));
    Ok(if why.is_some() { Exit::Done } else { Exit::Declined })
}

fn replace_card(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let pan = pan::pan(call)?;
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_in(call, &mut context)?;
    let views =
        life::card_changed(&mut wallet, &mut service, &pan, &by(call), &mut DirectWire, &mut context)?;
    tokens::tell(call, &views);
    Ok(Exit::Done)
}
