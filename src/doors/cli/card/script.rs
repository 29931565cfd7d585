//! `cardwright card script`: what the issuer wants done to a card, by its next online
//! transaction.

use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::must_exist;
use crate::roles::card::CardFile;
use crate::roles::issuer::{CardScript, OrderedScript, ScriptOrder, ScriptState};
use crate::world::{WorldError, seal_key};
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "script",
    about: "Orders an issuer script for a card's next online transaction, or lists what was ordered",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("FILE").required(true).value_parser(value_parser!(PathBuf)).help("FILE.card"))
        .arg(Arg::new("ORDER").num_args(0..).help(
            "unblock-pin, change-pin (the new PIN is read from --pin-file), block-application, \
             unblock-application, block-card, or put TAG VALUE such as put 9F58 05; without one, lists",
        ))
        .arg(
            Arg::new("critical")
                .long("critical")
                .action(ArgAction::SetTrue)
                .help("Before the second GENERATE AC (template 71) instead of after it (72)"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    must_exist(&path)?;
    let mut words: Vec<String> = call.texts("ORDER").cloned().collect();
    if words == ["change-pin"] {
        let pin = call.switches.pin()?.ok_or_else(|| {
            Failure::Usage("change-pin wants the new PIN in a file: --pin-file FILE".into())
        })?;
        words.push(pin.expose().clone());
    }
    let order = match words.is_empty() {
        true => None,
        false => {
            Some(CardScript::parse(&words.join(" ")).map_err(|error| Failure::Usage(error.to_string()))?)
        }
    };
    let store = books::address(call, Need::Uses)?;
    let mut context = call.switches.context(Recording::default());
    let seal = seal_key(call.switches.seal_key.as_deref(), Some(&path), &mut context)?;
    let (_file, memory) = CardFile::open(&path, seal)?;
    let unknown = || Failure::Usage(format!("{}: these books have no such card", path.display()));
    let pan = memory.pan().ok_or_else(unknown)?;
    let mut issuer = books::open(call, &store, &mut context)?;
    if let Some(script) = order {
        let order = ScriptOrder { script, before_second_ac: call.flag("critical") };
        if !issuer.order_script(&pan, memory.psn(), &order, &mut context).map_err(WorldError::from)? {
            return Err(unknown());
        }
        call.output.note("It goes out with the answer to the card's next online transaction by contact.");
    }
    let scripts = issuer.scripts(&pan, memory.psn(), &mut context).map_err(WorldError::from)?;
    let scripts = scripts.ok_or_else(unknown)?;
    for script in &scripts {
        call.output.say(&format!("{:4}  {:8}  {}\n", script.number, word(script), script.what));
    }
    let rows: Vec<_> = scripts
        .iter()
        .map(|script| json!({ "number": script.number, "state": word(script), "what": script.what }))
        .collect();
    call.output.tell("scripts", json!(rows));
    Ok(Exit::Done)
}

fn word(script: &OrderedScript) -> &'static str {
    match script.state {
        ScriptState::Waiting => "waiting",
        ScriptState::Done => "done",
        ScriptState::Refused => "refused",
    }
}
