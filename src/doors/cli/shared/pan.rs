//! A card's number as a command gets it: from a file or a prompt, so that it need not
//! stand in a shell's history; or from a switch.

use super::command::Call;
use super::failure::Failure;
use crate::base::bytes::Secret;
use crate::words::emv::Pan;
use crate::world::{WorldError, read_text};
use clap::{Arg, value_parser};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// `--pan` and `--pan-file`.
pub(in crate::doors::cli) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("pan")
            .long("pan")
            .value_name("NUMBER")
            .help("The card's number; better --pan-file, or be asked: a shell keeps its history"),
    )
    .arg(
        Arg::new("pan-file")
            .long("pan-file")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("pan")
            .help("A file with the card's number"),
    )
}

/// The number of the card, asked for where nobody named it.
pub(in crate::doors::cli) fn pan(call: &Call<'_>) -> Result<Pan, Failure> {
    let file = call.arguments.get_one::<PathBuf>("pan-file").map(PathBuf::as_path);
    let text = match call.text("pan") {
        Some(pan) => Some(Secret::new(pan.to_owned())),
        None => secret(file, "Card number: ")?,
    };
    let text = text
        .ok_or_else(|| Failure::Usage("no card number: name a file that holds it, --pan-file FILE".into()))?;
    Ok(Pan::checked(text.expose()).map_err(WorldError::from)?)
}

/// Whether a number is named, so that nobody is asked.
pub(in crate::doors::cli) fn is_named(call: &Call<'_>) -> bool {
    call.text("pan").is_some() || call.arguments.get_one::<PathBuf>("pan-file").is_some()
}

/// A secret text: from a file, else asked without echo; `None` where nobody can be asked.
pub(in crate::doors::cli) fn secret(
    file: Option<&Path>,
    question: &str,
) -> Result<Option<Secret<String>>, Failure> {
    if let Some(path) = file {
        let text = Secret::new(read_text(path).map_err(|cause| Failure::file("read", path, cause))?);
        return Ok(Some(Secret::new(text.expose().trim().to_owned())));
    }
    Ok(ask(question))
}

/// Asks without echo; `None` where nobody can be asked, or nothing is typed.
pub(in crate::doors::cli) fn ask(question: &str) -> Option<Secret<String>> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let typed = Secret::new(rpassword::prompt_password(question).ok()?);
    let text = typed.expose().trim();
    (!text.is_empty()).then(|| Secret::new(text.to_owned()))
}
