//! `cardwright crypto script-mac`: the MAC of an issuer script command (EMV Book 2 9.2;
//! PBOC; VIS).

use super::shared::card_key::{self, CardKey, usage};
use super::shared::given::{self, hex_argument, needed};
use super::shared::steps;
use crate::base::crypto::{self, Padding};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "script-mac",
    about: "Computes the MAC of an issuer script command, and the whole command",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    card_key::arguments(line, "script MACs")
        .arg(hex_argument("header", "HEX", "CLA INS P1 P2 Lc; Lc counts the MAC").required(true))
        .arg(hex_argument("data", "HEX", "The command's data before the MAC"))
        .arg(hex_argument("atc", "HEX", "Transaction counter (9F36)").required(true))
        .arg(hex_argument("arqc", "HEX", "The transaction's first cryptogram").required(true))
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let card = CardKey::of(call, &mut steps)?;
    let header: [u8; 5] = needed(given::array(call, "header")?, "header", "for a command")?;
    let (atc, arqc): ([u8; 2], [u8; 8]) = (
        needed(given::array(call, "atc")?, "atc", "for a script")?,
        needed(given::array(call, "arqc")?, "arqc", "for a script")?,
    );
    let data = given::bytes(call, "data")?.unwrap_or_default();
    let length = usize::from(header[4]).checked_sub(data.len());
    let length = length.filter(|length| (4..=8).contains(length)).ok_or_else(|| {
        let found = header[4];
        let (least, most) = (data.len() + 4, data.len() + 8);
        Failure::Usage(format!(
            "--header: expected Lc of {least} to {most}, the data and a MAC of 4 to 8 bytes, found {found}"
        ))
    })?;
    card.tell_session(&mut steps, &card.version.script_session_key(card.key.expose(), atc, arqc));
    let input = [&header[..], &atc, &arqc, &data].concat();
    steps.hex("input", &input);
    steps.hex("input, padded", &crypto::pad(&input, card.block_bytes(), Padding::Method2));
    let mac = card.version.script_mac(card.key.expose(), atc, arqc, header, &data, length);
    let mac = mac.map_err(usage)?;
    steps.hex("command", &[&header[..], &data, &mac].concat());
    steps.end_hex(call, "MAC", &mac);
    Ok(Exit::Done)
}
