//! `cardwright host check`: recomputes every invariant of the issuer's books.

use crate::doors::cli::shared::books;
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "check",
    about: "Recomputes every invariant of the books; exit code 3 when one is broken",
    effect: None,
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut issuer, mut context) = books::to_ask(call)?;
    let violations = issuer.check(&mut context)?;
    let listed: Vec<_> =
        violations.iter().map(|broken| json!({ "rule": broken.rule, "found": broken.found })).collect();
    call.output.tell("violations", json!(listed));
    if violations.is_empty() {
        call.output.say("Every invariant of the books holds.\n");
        return Ok(Exit::Done);
    }
    for violation in &violations {
        call.output.say(&format!("broken: {violation}\n"));
    }
    Err(Failure::Invariant(format!("{} of the books' invariants are broken", violations.len())))
}
