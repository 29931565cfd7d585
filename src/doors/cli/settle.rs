//! `cardwright settle`: the end of a terminal's day.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::settling;
use crate::observers::report::{recovery_json, recovery_text, settlement_json, settlement_text};
use crate::roles::terminal::journal::BatchState;
use crate::roles::terminal::{RecoveryRules, end_day};
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "settle",
    about: "Ends the day: settles what is open, compares the batch with the host, begins the next one",
    effect: Some(Effect::Reads),
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let day = settling::meet(call, "settle", |seat| {
        let card = seat.card.as_deref_mut();
        end_day(seat.journal, card, seat.host, seat.config, RecoveryRules::ALL, seat.context)
    })?;
    call.output.say(&recovery_text(&day.recovered));
    call.output.say(&settlement_text(&day.batches));
    if day.batches.is_empty() {
        call.output.say(match day.is_held() {
            true => "No batch is settled while the host does not answer to what is due.\n",
            false => "There is nothing to settle.\n",
        });
    }
    call.output.tell("recovery", recovery_json(&day.recovered));
    call.output.tell("batches", settlement_json(&day.batches));
    Ok(match day.is_due() {
        true => Exit::RecoveryDue,
        false if day.batches.iter().any(|row| row.batch.state == BatchState::Ended) => Exit::Declined,
        false => Exit::Done,
    })
}
