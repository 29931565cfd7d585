//! Who holds a card or account, as switches or a file say it.

use super::command::Call;
use super::failure::Failure;
use crate::air::host::Holder;
use crate::base::bytes::Secret;
use crate::world::read_text;
use clap::Arg;
use serde::Deserialize;
use std::path::Path;

/// `--identity-number` and `--phone`; the name is `--holder`, which each command words.
pub(in crate::doors::cli) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("identity-number")
            .long("identity-number")
            .value_name("NUMBER")
            .requires("phone")
            .requires("holder")
            .help("The holder's identity number, for adding cards to phones; kept sealed"),
    )
    .arg(
        Arg::new("phone")
            .long("phone")
            .value_name("DIGITS")
            .requires("identity-number")
            .help("The holder's phone, 5 to 15 digits, where one-time codes go; kept sealed"),
    )
}

/// The holder, where identity number and phone are given.
pub(in crate::doors::cli) fn holder(call: &Call<'_>) -> Result<Option<Holder>, Failure> {
    let (Some(number), Some(phone)) = (call.text("identity-number"), call.text("phone")) else {
        return Ok(None);
    };
    if !(5..=15).contains(&phone.len()) || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Usage("expected a phone number of 5 to 15 digits after --phone".into()));
    }
    if !(1..=40).contains(&number.chars().count()) {
        return Err(Failure::Usage("expected 1 to 40 characters after --identity-number".into()));
    }
    Ok(Some(Holder {
        name: Secret::new(call.text("holder").unwrap_or_default().to_owned()),
        identity_number: Secret::new(number.to_owned()),
        phone: Secret::new(phone.to_owned()),
    }))
}

/// A holder as a file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderFile {
    name: String,
    identity_number: String,
    phone: String,
}

/// Reads a holder's file: `name`, `identity_number` and `phone`.
pub(in crate::doors::cli) fn of_file(path: &Path) -> Result<Holder, Failure> {
    let text = Secret::new(read_text(path).map_err(|cause| Failure::file("read", path, cause))?);
    let file: HolderFile = toml::from_str(text.expose()).map_err(|_| {
        // What the reader of TOML says repeats the text, and the text is who someone is.
        Failure::Usage(format!(
            "{}: expected name, identity_number and phone as three lines of TOML, and nothing else",
            path.display()
        ))
    })?;
    Ok(Holder {
        name: Secret::new(file.name),
        identity_number: Secret::new(file.identity_number),
        phone: Secret::new(file.phone),
    })
}
