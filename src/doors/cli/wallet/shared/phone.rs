//! The phone that a command works on.

use crate::base::context::Context;
use crate::devices::wallet::{DEFAULT_PASSCODE, TokenCard, Wallet};
use crate::doors::cli::shared::books::token_key_argument;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::journal::wallet_folder;
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::kept_file;
use crate::world::wallet::{make_wallet_folder, new_wallet, open_wallet, wallet_file};
use crate::world::{CardName, seal_key};
use clap::{Arg, value_parser};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The argument that names the phone.
pub(in crate::doors::cli) fn wallet_argument(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("wallet")
            .long("wallet")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("The phone's folder; else `wallet` in the state folder"),
    )
    .arg(token_key_argument())
}

/// The argument that names a card of the phone.
pub(in crate::doors::cli) fn card_argument() -> Arg {
    Arg::new("CARD").help("The card's name in the phone; else the default card")
}

/// The phone's folder.
pub(in crate::doors::cli) fn folder(call: &Call<'_>) -> Result<PathBuf, Failure> {
    match call.arguments.get_one::<PathBuf>("wallet") {
        Some(named) => Ok(named.clone()),
        None => wallet_folder(&call.switches),
    }
}

/// Opens the phone.
pub(in crate::doors::cli) fn open(call: &Call<'_>) -> Result<(Wallet, Context), Failure> {
    let mut context = call.switches.context(Recording::default());
    let wallet = open_in(call, &mut context)?;
    Ok((wallet, context))
}

/// Opens the phone within a context.
pub(in crate::doors::cli) fn open_in(call: &Call<'_>, context: &mut Context) -> Result<Wallet, Failure> {
    let folder = folder(call)?;
    let file = kept_file(&CardName::Wallet(folder.clone(), None))?;
    let seal = seal_key(call.switches.seal_key.as_deref(), file.as_deref(), context)?;
    Ok(open_wallet(&folder, seal, context)?)
}

/// Opens the phone, or makes one that is new.
pub(in crate::doors::cli) fn open_or_make(
    call: &mut Call<'_>,
    context: &mut Context,
) -> Result<Wallet, Failure> {
    let folder = folder(call)?;
    let file = wallet_file(&folder);
    let new = !file.exists();
    make_wallet_folder(&folder)?;
    let seal = seal_key(call.switches.seal_key.as_deref(), Some(&file), context)?;
    let wallet = new_wallet(&folder, seal, context)?;
    if new {
        call.output.note(format!(
            "A phone is made in {}: unlocked, its passcode is {}.",
            folder.display(),
            DEFAULT_PASSCODE
        ));
    }
    Ok(wallet)
}

/// Puts a card of the phone in the reader of the command.
pub(in crate::doors::cli) fn put_in_reader(call: &mut Call<'_>, card: Option<&str>) -> Result<(), Failure> {
    let folder = folder(call)?.display().to_string();
    call.switches.reader = Some(match card {
        Some(name) => format!("wallet:{folder}#{name}"),
        None => format!("wallet:{folder}"),
    });
    Ok(())
}

/// A token of the phone as data.
pub(in crate::doors::cli) fn token_json(token: &TokenCard) -> Value {
    json!({
        "name": token.name,
        "state": token.state.word(),
        "token_last_four": token.token_last_four,
        "last_four": token.last_four,
        "expiry": token.expiry,
        "limited_use_key": token.key,
    })
}
