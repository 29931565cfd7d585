//! `cardwright readers`: what is there, what is missing, and the remedy.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use crate::air::link::{LinkError, READERS, ReaderStatus};
use crate::base::bytes::Hex;
use serde_json::{Value, json};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "readers",
    about: "Lists the readers that are there, and what is missing to use one",
    effect: None,
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut readers = Vec::new();
    let mut missing = Vec::new();
    for driver in READERS {
        match (driver.list)() {
            Ok(found) if found.is_empty() => {
                call.output.say(&format!("{}: {}\n", driver.scheme, driver.nothing_there));
            }
            Ok(found) => {
                for status in found {
                    call.output.say(&line(driver.scheme, &status));
                    readers.push(value(driver.scheme, &status));
                }
            }
            Err(error) => missing.push((driver.scheme, error)),
        }
    }
    if READERS.is_empty() {
        call.output.note("This program was built without readers (features `pcsc` and `serial`).");
    }
    missing.extend(in_the_way().map(|error| ("pcsc", error)));
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
    call.output.say("Simulated cards need no reader: sim:ecash, sim:ecash-dual, sim:debit, sim:FILE.card\n");
    call.output.tell("readers", json!(readers));
    call.output.tell("missing", json!(told));
    Ok(Exit::Done)
}

fn line(scheme: &str, status: &ReaderStatus) -> String {
    let card = match &status.card {
        Some(atr) => format!("holds a card, ATR {:#}", Hex(atr)),
        None => "empty".into(),
    };
    format!("{scheme}:{}  {card}\n", status.name)
}

fn value(scheme: &str, status: &ReaderStatus) -> Value {
    let atr = status.card.as_ref().map(|atr| Hex(atr).to_string());
    json!({ "address": format!("{scheme}:{}", status.name), "name": status.name, "atr": atr })
}

#[cfg(feature = "pcsc")]
fn in_the_way() -> Option<LinkError> {
    crate::air::link::pcsc::kernel_driver_in_the_way()
}

#[cfg(not(feature = "pcsc"))]
fn in_the_way() -> Option<LinkError> {
    None
}
