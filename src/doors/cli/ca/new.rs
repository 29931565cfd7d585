//! `cardwright ca new`: a certification authority in a folder.

use crate::base::bytes::parse_hex;
use crate::base::crypto::RsaExponent;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::{ca_keys_json, ca_keys_text};
use crate::roles::bureau::AuthorityTerms;
use crate::world::make_authority;
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "new",
    about: "Makes a certification authority and an issuer below it, with sealed keys, in a folder",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let bits = |name: &'static str, value: &'static str, help: &'static str| {
        let range = value_parser!(u32).range(704..=1984);
        Arg::new(name).long(name).value_name("BITS").default_value(value).value_parser(range).help(help)
    };
    line.arg(
        Arg::new("FOLDER")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("Its folder; one that holds an authority already is not touched"),
    )
    .arg(
        Arg::new("index")
            .long("index")
            .value_name("HEX")
            .default_value("E1")
            .help("Index (8F) of its RSA key; that of its SM2 key is the next"),
    )
    .arg(
        Arg::new("provider")
            .long("provider")
            .value_name("RID")
            .action(ArgAction::Append)
            .help("Application provider for whose cards it signs; more than once for several [default: A000000333, A000000003, A000000004]"),
    )
    .arg(bits("ca-bits", "1984", "Length of its RSA key"))
    .arg(bits("issuer-bits", "1976", "Length of the issuer's RSA key; above 1976 its certificates for cards would fit no record"))
    .arg(bits("card-bits", "1640", "Length of the cards' RSA keys; above 1640 CDA beside 32 bytes of issuer application data fits no answer"))
    .arg(
        Arg::new("exponent")
            .long("exponent")
            .default_value("3")
            .value_parser(["3", "65537"])
            .help("Exponent of all its RSA keys"),
    )
    .arg(
        Arg::new("expiry")
            .long("expiry")
            .value_name("YYMMDD")
            .default_value("491231")
            .help("When terminals are to drop its keys"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let folder = call.arguments.get_one::<PathBuf>("FOLDER").cloned().unwrap_or_default();
    let bits = |name| call.arguments.get_one::<u32>(name).copied().unwrap_or_default();
    let mut terms = AuthorityTerms {
        index: one_byte(call.text("index").unwrap_or_default())?,
        ca_bits: bits("ca-bits"),
        issuer_bits: bits("issuer-bits"),
        card_bits: bits("card-bits"),
        exponent: if call.text("exponent") == Some("65537") { RsaExponent::F4 } else { RsaExponent::Three },
        expiry: date(call.text("expiry").unwrap_or_default())?,
        ..AuthorityTerms::default()
    };
    let providers: Vec<_> = call.texts("provider").map(|text| provider(text)).collect::<Result<_, _>>()?;
    if !providers.is_empty() {
        terms.providers = providers;
    }
    let mut context = call.switches.context(Recording::default());
    let authority = make_authority(&folder, &terms, call.switches.seal_key.as_deref(), &mut context)?;
    let keys = authority.public_keys();
    let shown = folder.display().to_string();
    call.output.say(&format!("{shown} is a new certification authority\n{}", ca_keys_text(&keys)));
    call.output.note(format!(
        "Its keys are sealed. Sign a card: cardwright card new unionpay-credit my.card --ca {shown}"
    ));
    call.output
        .note(format!("Give its public keys to a terminal: cardwright ca export {shown} --format toml"));
    call.output.tell("folder", json!(shown));
    call.output.tell("ca_public_keys", ca_keys_json(&keys));
    Ok(Exit::Done)
}

fn one_byte(text: &str) -> Result<u8, Failure> {
    match parse_hex(text).as_deref() {
        Ok([byte]) => Ok(*byte),
        _ => Err(Failure::Usage(format!("expected an index of two hexadecimal digits, found {text:?}"))),
    }
}

fn date(text: &str) -> Result<[u8; 3], Failure> {
    let wrong = || Failure::Usage(format!("expected a date as YYMMDD, found {text:?}"));
    let digits = text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_digit());
    let date: [u8; 3] =
        parse_hex(text).ok().and_then(|bytes| bytes.try_into().ok()).filter(|_| digits).ok_or_else(wrong)?;
    match date {
        [_, 0x01..=0x09 | 0x10..=0x12, 0x01..=0x31] => Ok(date),
        _ => Err(wrong()),
    }
}

fn provider(text: &str) -> Result<[u8; 5], Failure> {
    let wrong =
        || Failure::Usage(format!("expected a provider (RID) of ten hexadecimal digits, found {text:?}"));
    parse_hex(text).map_err(|_| wrong())?.try_into().map_err(|_| wrong())
}
