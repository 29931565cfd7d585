//! `cardwright certify verify`: whether a session is as it was written.

use super::shared::session;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::campaign::CampaignError;
use crate::observers::campaign::certify::{Verified, verify};
use crate::observers::report::suite::CaseVerdict;
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "verify",
    about: "Checks a session by itself: every entry, every file, every hash",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(session::argument()).arg(
        Arg::new("head")
            .long("head")
            .value_name("HASH")
            .help("The last hash that somebody wrote down: shows whether the end was cut off since"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let found = verify(&session::folder(call), call.text("head")).map_err(Failure::suite)?;
    for kept in &found.results {
        let reason = if kept.reason.is_empty() { String::new() } else { format!("  {}", kept.reason) };
        call.output.say(&format!("{:<7}  {}{reason}\n", kept.verdict, kept.id));
    }
    call.output.say(&format!("\n{}", sums(&found)));
    call.output.tell("session", session_json(&found));
    match found.wrong.is_empty() {
        true => Ok(Exit::Done),
        false => Err(Failure::suite(CampaignError::Changed { wrong: found.wrong })),
    }
}

fn sums(found: &Verified) -> String {
    let count =
        |verdict: &CaseVerdict| found.results.iter().filter(|kept| kept.verdict == verdict.word()).count();
    let counts = CaseVerdict::ALL.iter().map(|verdict| (count(verdict), verdict.word()));
    let counts: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!(
        "{} cases: {}; {} earlier results are kept\n\
         {} entries and {} files, last hash {}\n\
         This says what ran and what came of it, and nothing beyond: it is no certificate.\n",
        found.results.len(),
        counts.join(", "),
        found.superseded,
        found.entries,
        found.files,
        found.head,
    )
}

fn session_json(found: &Verified) -> serde_json::Value {
    let results = found.results.iter().map(
        |kept| json!({ "id": kept.id, "verdict": kept.verdict, "reason": kept.reason, "entry": kept.number }),
    );
    json!({
        "about": found.about,
        "entries": found.entries,
        "files": found.files,
        "head": found.head,
        "wrong": found.wrong,
        "superseded": found.superseded,
        "mandatory_not_passed": found.against,
        "results": results.collect::<Vec<_>>(),
    })
}
