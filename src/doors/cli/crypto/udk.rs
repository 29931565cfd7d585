//! `cardwright crypto udk`: a card's key from the issuer's (EMV Book 2 annex A1.4; PBOC).

use super::shared::card_key::usage;
use super::shared::given::{self, key_argument, needed, pan_argument, psn_argument};
use super::shared::steps;
use crate::base::crypto;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "udk",
    about: "Derives a card's key from an issuer's master key, PAN and PAN sequence number",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(key_argument("master-key", "The issuer's master key, 16 bytes").required(true))
        .arg(pan_argument().required(true))
        .arg(psn_argument())
        .arg(
            Arg::new("option")
                .long("option")
                .default_value("a")
                .value_parser(["a", "b"])
                .help("a: EMV and PBOC; b: EMV for a PAN of more than 16 digits (VIS CVN 18)"),
        )
        .arg(
            Arg::new("cipher")
                .long("cipher")
                .default_value("des")
                .value_parser(["des", "sm4"])
                .help("des: triple DES; sm4: PBOC 3.0"),
        )
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let master = needed(given::key_16(call, "master-key")?, "master-key", "to derive from")?;
    let pan = call.text("pan").unwrap_or_default();
    let psn = given::psn(call)?.unwrap_or_default();
    let x = match call.text("option") {
        Some("b") => crypto::option_b_input(pan, psn),
        _ => crypto::option_a_input(pan, psn),
    }
    .map_err(usage)?;
    steps.hex("input", &x);
    let complement = x.map(|byte| !byte);
    steps.hex("input, complement", &complement);
    if call.text("cipher") == Some("sm4") {
        let key = crypto::sm4_card_key(master.expose(), x);
        steps.hex("master key, check value", &crypto::sm4_kcv(master.expose()));
        steps.hex("check value", &crypto::sm4_kcv(&key));
        steps.end_hex(call, "card key", &key);
        return Ok(Exit::Done);
    }
    let key = crypto::derive_pair(master.expose(), x, complement);
    let mut odd = key;
    crypto::odd_parity(&mut odd);
    steps.hex("master key, check value", &crypto::kcv(master.expose()));
    steps.hex("card key, odd parity", &odd);
    steps.hex("check value", &crypto::kcv(&key));
    steps.end_hex(call, "card key", &key);
    Ok(Exit::Done)
}
