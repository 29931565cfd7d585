//! `cardwright readers`: what is there, what is missing, and the remedy.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::recording::Recording;
use crate::air::link::{
    Card, KnownReader, LinkError, Quirk, READERS, RadioIdentity, ReaderDriver, ReaderOptions, ReaderStatus,
};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::observers::report::{radio_json, radio_text};
use crate::words::iso7816::{Atr, Effect};
use serde_json::{Value, json};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "readers",
    about: "Lists the readers that are there, and what is missing to use one",
    effect: Some(Effect::Reads),
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut readers = Vec::new();
    let mut missing = Vec::new();
    let mut context = call.switches.context(Recording::default());
    let unmask = call.switches.unmask;
    for driver in READERS {
        match (driver.list)() {
            Ok(found) if found.is_empty() => {
                call.output.say(&format!("{}: {}\n", driver.scheme, driver.nothing_there));
            }
            Ok(found) => {
                for status in found {
                    let radio = radio(driver, &status, &mut context);
                    call.output.say(&line(driver.scheme, &status, radio.as_ref(), unmask));
                    quirks(&status).for_each(|quirk| {
                        call.output.say(&format!("  note: {} {}\n", quirk.what, quirk.instead));
                    });
                    readers.push(value(driver.scheme, &status, radio.as_ref(), unmask));
                }
            }
            Err(error) => missing.push((driver.scheme, error)),
        }
    }
    if READERS.is_empty() {
        call.output.note("This program was built without readers (features `pcsc` and `serial`).");
    }
    let mut told = Vec::new();
    for (scheme, error) in &missing {
        call.output.say(&format!("{scheme}: {error}\n"));
        told.push(match error {
            LinkError::Unavailable { missing, remedy } => {
                json!({ "scheme": scheme, "missing": missing, "remedy": remedy })
            }
            error => json!({ "scheme": scheme, "missing": error.to_string() }),
        });
    }
    if readers.is_empty() {
        call.output.say("`cardwright doctor` looks for what stands in the way of a reader\n");
    }
    call.output.say("Simulated cards need no reader: sim:ecash, sim:ecash-dual, sim:debit, sim:FILE.card\n");
    call.output.tell("readers", json!(readers));
    call.output.tell("missing", json!(told));
    Ok(Exit::Done)
}

/// What is to be known of a reader.
fn quirks(status: &ReaderStatus) -> impl Iterator<Item = Quirk> {
    let known = KnownReader::all().into_iter().filter(|known| known.is_named(&status.name));
    known.flat_map(|known| known.quirks)
}

/// What a reader tells of a card on radio; nothing where it is none, or another program's.
fn radio(driver: &ReaderDriver, status: &ReaderStatus, context: &mut Context) -> Option<RadioIdentity> {
    let atr = status.card.as_ref()?;
    if !Atr::parse(atr).is_ok_and(|atr| atr.is_contactless()) {
        return None;
    }
    let reader = (driver.open)(&status.name, ReaderOptions::default());
    let mut card = reader.and_then(|mut reader| reader.connect(context)).ok()?;
    card.radio_identity(context).ok()?
}

fn line(scheme: &str, status: &ReaderStatus, radio: Option<&RadioIdentity>, unmask: bool) -> String {
    let radio = radio.map(|radio| radio_text(radio, unmask)).unwrap_or_default();
    let card = match &status.card {
        Some(atr) => format!("holds a card, ATR {:#}{radio}", Hex(atr)),
        None => "empty".into(),
    };
    format!("{scheme}:{}  {card}\n", status.name)
}

fn value(scheme: &str, status: &ReaderStatus, radio: Option<&RadioIdentity>, unmask: bool) -> Value {
    let atr = status.card.as_ref().map(|atr| Hex(atr).to_string());
    json!({
        "address": format!("{scheme}:{}", status.name),
        "name": status.name,
        "atr": atr,
        "radio": radio.map(|radio| radio_json(radio, unmask)),
        "quirks": quirks(status).map(|quirk| json!({ "what": quirk.what, "instead": quirk.instead })).collect::<Vec<_>>(),
    })
}
