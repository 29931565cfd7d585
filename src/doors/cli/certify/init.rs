//! `cardwright certify init`: a questionnaire to fill in.

use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::campaign::certify::{Product, questionnaire_text};
use clap::{Arg, value_parser};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "init",
    about: "Writes a questionnaire with comments: what the product under test supports, what is at the bench",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("PRODUCT").required(true).value_parser(["card", "terminal"]).help("What is under test"))
        .arg(
            Arg::new("FILE")
                .default_value("ics.toml")
                .value_parser(value_parser!(PathBuf))
                .help("The questionnaire's file; one that is there is not touched"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let product = if call.text("PRODUCT") == Some("card") { Product::Card } else { Product::Terminal };
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = made.and_then(|mut file| file.write_all(questionnaire_text(product).as_bytes()));
    written.map_err(|cause| Failure::file("make", &path, cause))?;
    let shown = path.display().to_string();
    call.output.say(&format!("{shown} is a questionnaire for a {}: fill it in\n", product.word()));
    call.output.note(format!("Then: cardwright certify run --ics {shown} --session evidence"));
    call.output.tell("questionnaire", json!(shown));
    Ok(Exit::Done)
}
