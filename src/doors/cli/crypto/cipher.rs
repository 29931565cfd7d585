//! `cardwright crypto cipher`: DES, AES and SM4 in ECB and CBC mode.

use super::shared::card_key::usage;
use super::shared::given::{self, hex_argument, key_argument, needed};
use super::shared::steps;
use crate::base::crypto::{BlockCipher, CipherKind};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "cipher",
    about: "Encrypts or decrypts whole blocks with DES, triple DES, AES or SM4",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

/// `--cipher`; the key's length says the rest.
pub(super) fn argument() -> Arg {
    Arg::new("cipher")
        .long("cipher")
        .default_value("des")
        .value_parser(["des", "aes", "sm4"])
        .help("des: DES with a key of 8 bytes, triple DES with one of 16 or 24; aes; sm4")
}

/// The cipher of `--cipher`.
pub(super) fn kind(call: &Call<'_>) -> CipherKind {
    match call.text("cipher") {
        Some("aes") => CipherKind::Aes,
        Some("sm4") => CipherKind::Sm4,
        _ => CipherKind::Des,
    }
}

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(key_argument("key", "The key").required(true))
        .arg(hex_argument("data", "HEX", "Whole blocks; nothing is padded").required(true))
        .arg(argument())
        .arg(
            Arg::new("mode")
                .long("mode")
                .default_value("ecb")
                .value_parser(["ecb", "cbc"])
                .help("ecb: each block by itself; cbc: each joined with the one before"),
        )
        .arg(hex_argument("iv", "HEX", "Initial value of cbc; zeros where it is not given"))
        .arg(
            Arg::new("decrypt")
                .long("decrypt")
                .action(ArgAction::SetTrue)
                .help("Decrypts instead of encrypting"),
        )
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let key = needed(given::key(call, "key")?, "key", "for a cipher")?;
    let data = given::bytes(call, "data")?.unwrap_or_default();
    let cipher = BlockCipher::new(kind(call), key).map_err(usage)?;
    steps.hex("key, check value", &cipher.check_value().map_err(usage)?);
    let iv = given::bytes(call, "iv")?.unwrap_or_else(|| vec![0; cipher.kind().block_bytes()]);
    let (name, out) = match (call.text("mode"), call.flag("decrypt")) {
        (Some("cbc"), true) => ("decrypted", cipher.decrypt_cbc(&iv, &data)),
        (Some("cbc"), false) => ("encrypted", cipher.encrypt_cbc(&iv, &data)),
        (_, true) => ("decrypted", cipher.decrypt_ecb(&data)),
        (_, false) => ("encrypted", cipher.encrypt_ecb(&data)),
    };
    steps.end_hex(call, name, &out.map_err(usage)?);
    Ok(Exit::Done)
}
