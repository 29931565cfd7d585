//! `cardwright wallet unlock`: the device CVM.

use super::shared::phone;
use crate::base::bytes::Secret;
use crate::devices::wallet::DEFAULT_PASSCODE;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::switches::pin_of;
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "unlock",
    about: "Unlocks the phone: its cards answer, and say that the holder was verified",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    phone::wallet_argument(line)
        .arg(
            Arg::new("biometric")
                .long("biometric")
                .action(ArgAction::SetTrue)
                .help("By a biometric match, which is simulated; else by the passcode of --pin-file"),
        )
        .arg(
            Arg::new("new-passcode")
                .long("new-passcode")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("biometric")
                .help("A file with the passcode from now on"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    if call.flag("biometric") {
        wallet.unlock_by_biometric(&mut context)?;
    } else {
        let passcode = call.switches.pin()?;
        if passcode.is_none() {
            call.output.note(format!("No --pin-file is named: the passcode {DEFAULT_PASSCODE} is tried."));
        }
        let passcode = passcode.unwrap_or_else(|| Secret::new(DEFAULT_PASSCODE.into()));
        match call.arguments.get_one::<PathBuf>("new-passcode") {
            Some(file) => wallet.set_passcode(&passcode, &pin_of(file)?, &mut context)?,
            None => wallet.unlock(&passcode, &mut context)?,
        }
    }
    let phone = wallet.phone()?;
    call.output.say(&format!("the phone is {}\n", phone.unlocked));
    call.output.tell("lock", json!(phone.unlocked.word()));
    Ok(Exit::Done)
}
