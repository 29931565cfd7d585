//! `cardwright crypto hash`: SHA-1, SHA-256 and SM3.

use super::shared::given::{self, hex_argument};
use super::shared::steps;
use crate::base::crypto;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "hash",
    about: "Computes a hash: SHA-1 (EMV's certificates), SHA-256 or SM3 (PBOC 3.0)",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("ALGORITHM").required(true).value_parser(["sha1", "sha256", "sm3"]).help("Which hash"))
        .arg(hex_argument("data", "HEX", "The message").required(true))
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let data = given::bytes(call, "data")?.unwrap_or_default();
    let hash = match call.text("ALGORITHM") {
        Some("sha1") => crypto::sha1(&[&data]).to_vec(),
        Some("sha256") => crypto::sha256(&[&data]).to_vec(),
        _ => crypto::sm3(&[&data]).to_vec(),
    };
    let mut steps = steps::Steps::default();
    steps.text("message", format!("{} bytes", data.len()));
    steps.end_hex(call, "hash", &hash);
    Ok(Exit::Done)
}
