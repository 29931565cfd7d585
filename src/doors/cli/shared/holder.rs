//! Who holds a card or account, as switches say it.

use super::command::Call;
use super::failure::Failure;
use crate::air::host::Holder;
use crate::base::bytes::Secret;
use clap::Arg;

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
