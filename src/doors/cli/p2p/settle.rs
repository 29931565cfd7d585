//! `cardwright p2p settle`: tells the host what this phone agreed to and kept.

use super::shared::{phone, told};
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::Columns;
use crate::roles::p2p::transfer::settle;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "settle",
    about: "Tells the host of every transfer that has not ended; either phone may, and as often as it likes",
    effect: None,
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut context = call.switches.context(Recording::default());
    let (own, _lock) = phone::open(call, &mut context)?;
    let (mut own, mut host) = phone::with_host(call, own, &mut context)?;
    let settled = settle(&mut own, host.as_mut(), &mut context)?;
    let unmask = call.switches.unmask;
    let mut columns = Columns::indented(0);
    let mut values = Vec::new();
    for row in &settled {
        told::row(&mut columns, &row.transfer, unmask);
        let mut value = told::json(&row.transfer, unmask);
        value["trouble"] = json!(row.trouble);
        values.push(value);
    }
    call.output.say(&columns.to_string());
    if settled.is_empty() {
        call.output.say("There is nothing to settle.\n");
    }
    for trouble in settled.iter().filter_map(|row| row.trouble.as_ref()) {
        call.output.note(trouble.clone());
    }
    call.output.tell("transfers", json!(values));
    let is_due = settled.iter().any(|row| row.trouble.is_some());
    Ok(if is_due { Exit::RecoveryDue } else { Exit::Done })
}
