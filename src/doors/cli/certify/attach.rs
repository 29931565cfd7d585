//! `cardwright certify attach`: a photo, a receipt or a host's log goes into a session.

use super::shared::session;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::campaign::certify::Session;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "attach",
    about: "Puts a copy of a file into a session: a photo of a display, a receipt, a host's log",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("FILE")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("The file; it is copied as it is, nothing in it is masked"),
    )
    .arg(session::argument())
    .arg(Arg::new("case").long("case").value_name("ID").help("The case that it belongs to"))
    .arg(Arg::new("note").long("note").value_name("TEXT").default_value("").help("What it shows"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let folder = session::folder(call);
    let file = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    let now = Context::system(Discard).now();
    let mut session = Session::open(&folder, None, now).map_err(Failure::suite)?;
    let note = call.text("note").unwrap_or_default().to_owned();
    let path = session.attach(&file, call.text("case"), &note, now).map_err(Failure::suite)?;
    call.output.say(&format!("{} is kept as {path}\nlast hash  {}\n", file.display(), session.head()));
    call.output.tell("attached", json!({ "path": path, "head": session.head() }));
    Ok(Exit::Done)
}
