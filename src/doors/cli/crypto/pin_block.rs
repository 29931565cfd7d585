//! `cardwright crypto pin-block`: ISO 9564-1 blocks, formats 0 to 4, made and opened.

use super::shared::card_key::usage;
use super::shared::given::{self, asked, hex_argument, key_argument, needed, pan_argument};
use super::shared::steps::{self, Steps};
use crate::base::bytes::Secret;
use crate::base::crypto::{BlockCipher, CipherKind, PinBlock4, PinBlockFormat};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pin-block",
    about: "Makes a PIN block (ISO 9564-1 format 0 to 4), or opens one with --open",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("format")
            .long("format")
            .default_value("0")
            .value_parser(["0", "1", "2", "3", "4"])
            .help("0 and 3: joined with the PAN; 1: without; 2: between terminal and card; 4: AES"),
    )
    .arg(pan_argument())
    .arg(key_argument(
        "key",
        "The PIN key, triple DES or for format 4 AES; without one formats 0 to 3 stay in the clear",
    ))
    .arg(hex_argument(
        "open",
        "HEX",
        "A block to be opened; else one is made of the PIN of --pin-file, or asked for",
    ))
    .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = Steps::default();
    let key = given::key(call, "key")?;
    let pan = call.text("pan").unwrap_or_default().to_owned();
    match call.text("format").and_then(|digit| digit.parse().ok()).and_then(of_control) {
        Some(format) => {
            if format.takes_pan() {
                needed(call.text("pan"), "pan", "for this format")?;
            }
            let cipher = key.map(|key| BlockCipher::new(CipherKind::Des, key)).transpose().map_err(usage)?;
            match given::array(call, "open")? {
                Some(block) => open(call, steps, (format, block, &pan), cipher),
                None => make(call, steps, (format, &pan), cipher),
            }
        }
        None => {
            let key = needed(key, "key", "for format 4")?;
            needed(call.text("pan"), "pan", "for this format")?;
            if let Some(block) = given::array(call, "open")? {
                let pin = PinBlock4::open(&key, &block, &pan).map_err(usage)?;
                steps.end(call, "PIN", pin.expose());
                return Ok(Exit::Done);
            }
            let random = call.switches.context(Recording::default()).random();
            let made = PinBlock4::build(&key, pin(call)?.expose(), &pan, random).map_err(usage)?;
            steps.hex("PIN field", made.pin_field.expose());
            steps.hex("PAN field", &made.pan_field);
            steps.end_hex(call, "enciphered block", &made.block);
            Ok(Exit::Done)
        }
    }
}

fn of_control(control: u8) -> Option<PinBlockFormat> {
    PinBlockFormat::ALL.into_iter().find(|format| format.control() == control)
}

fn make(
    call: &mut Call<'_>,
    mut steps: Steps,
    (format, pan): (PinBlockFormat, &str),
    cipher: Option<BlockCipher>,
) -> Result<Exit, Failure> {
    let random = call.switches.context(Recording::default()).random();
    let clear = format.build(pin(call)?.expose(), pan, random).map_err(usage)?;
    match cipher {
        None => steps.end_hex(call, "block", clear.expose()),
        Some(cipher) => {
            steps.hex("clear block", clear.expose());
            let block = cipher.encrypt_ecb(clear.expose()).map_err(usage)?;
            steps.end_hex(call, "enciphered block", &block);
        }
    }
    Ok(Exit::Done)
}

fn open(
    call: &mut Call<'_>,
    mut steps: Steps,
    (format, block, pan): (PinBlockFormat, [u8; 8], &str),
    cipher: Option<BlockCipher>,
) -> Result<Exit, Failure> {
    let clear = match cipher {
        None => block,
        Some(cipher) => {
            let clear = cipher.decrypt_ecb(&block).map_err(usage)?;
            steps.hex("clear block", &clear);
            std::array::from_fn(|place| clear[place])
        }
    };
    let pin = format.open(&clear, pan).map_err(usage)?;
    steps.end(call, "PIN", pin.expose());
    Ok(Exit::Done)
}

/// The PIN of `--pin-file`, or one that a person types.
fn pin(call: &Call<'_>) -> Result<Secret<String>, Failure> {
    match call.switches.pin()? {
        Some(pin) => Ok(pin),
        None => Ok(Secret::new(asked("PIN")?.trim().to_owned())),
    }
}
