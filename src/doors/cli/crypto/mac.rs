//! `cardwright crypto mac`: ISO/IEC 9797-1 algorithms 1 and 3, and CMAC.

use super::cipher;
use super::shared::card_key::usage;
use super::shared::given::{self, hex_argument, key_argument, needed, sixteen};
use super::shared::steps;
use crate::base::crypto::{self, BlockCipher, Padding};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::{Arg, value_parser};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "mac",
    about: "Computes a MAC: ISO/IEC 9797-1 algorithm 1 or 3, or CMAC",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(key_argument("key", "The key").required(true))
        .arg(hex_argument("data", "HEX", "The message").required(true))
        .arg(
            Arg::new("algorithm")
                .long("algorithm")
                .default_value("3")
                .value_parser(["1", "3", "cmac"])
                .help("1: CBC-MAC with any cipher; 3: the retail MAC, DES; cmac: AES"),
        )
        .arg(cipher::argument())
        .arg(
            Arg::new("padding")
                .long("padding")
                .default_value("2")
                .value_parser(["1", "2", "none"])
                .help("1: zeros; 2: 80, then zeros; none: the message has whole blocks"),
        )
        .arg(hex_argument("iv", "HEX", "Initial value of algorithm 1; zeros where it is not given"))
        .arg(
            Arg::new("length")
                .long("length")
                .value_name("BYTES")
                .value_parser(value_parser!(u8).range(1..=16))
                .help("Bytes of the MAC that are kept; all where it is not given"),
        )
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let key = needed(given::key(call, "key")?, "key", "for a MAC")?;
    let data = given::bytes(call, "data")?.unwrap_or_default();
    let algorithm = call.text("algorithm").unwrap_or_default();
    let kind = cipher::kind(call);
    let block_bytes = if algorithm == "3" { 8 } else { kind.block_bytes() };
    let padding = match call.text("padding") {
        Some("1") => Padding::Method1,
        Some("none") if algorithm != "cmac" && !whole_blocks(&data, block_bytes) => {
            return Err(Failure::Usage(format!(
                "--padding none: expected a message of whole blocks of {block_bytes} bytes, found {} bytes",
                data.len()
            )));
        }
        // To whole blocks method 1 adds nothing.
        Some("none") => Padding::Method1,
        _ => Padding::Method2,
    };
    if algorithm != "cmac" {
        steps.hex("message, padded", &crypto::pad(&data, block_bytes, padding));
    }
    let mut mac = match algorithm {
        "3" => crypto::mac_algorithm_3(sixteen("key", &key)?.expose(), &data, padding).to_vec(),
        "cmac" => crypto::aes_cmac(key.expose(), &data).map_err(usage)?.to_vec(),
        _ => {
            let iv = given::bytes(call, "iv")?.unwrap_or_else(|| vec![0; block_bytes]);
            let cipher = BlockCipher::new(kind, key).map_err(usage)?;
            cipher.mac_algorithm_1(&iv, &data, padding).map_err(usage)?
        }
    };
    if let Some(length) = call.arguments.get_one::<u8>("length").map(|length| usize::from(*length)) {
        if length > mac.len() {
            return Err(Failure::Usage(format!("--length: this MAC has {} bytes", mac.len())));
        }
        steps.hex("MAC, all of it", &mac);
        mac.truncate(length);
    }
    steps.end_hex(call, "MAC", &mac);
    Ok(Exit::Done)
}

fn whole_blocks(data: &[u8], block_bytes: usize) -> bool {
    !data.is_empty() && data.len().is_multiple_of(block_bytes)
}
