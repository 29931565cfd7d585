//! `cardwright crypto session-key`: a session key from a card's key, by every method.

use super::shared::given::{self, hex_argument, key_argument, needed};
use super::shared::steps;
use crate::base::crypto;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "session-key",
    about: "Derives a session key from a card's key",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(key_argument("card-key", "The card's key, 16 bytes").required(true))
        .arg(
            Arg::new("method")
                .long("method")
                .default_value("pboc")
                .value_parser(["pboc", "emv", "vis", "mchip", "emv2000", "sm4"])
                .help(
                    "pboc and sm4: ATC and its complement; emv: common session key by --atc, or by --arqc \
                     for scripts; vis: ATC joined in, for scripts; mchip: ATC and --un; emv2000: the \
                     withdrawn tree",
                ),
        )
        .arg(hex_argument("atc", "HEX", "Transaction counter (9F36), 2 bytes"))
        .arg(hex_argument("un", "HEX", "Unpredictable number (9F37), 4 bytes"))
        .arg(hex_argument("arqc", "HEX", "The transaction's ARQC, 8 bytes").conflicts_with("atc"))
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let card = needed(given::key_16(call, "card-key")?, "card-key", "to derive from")?;
    let key = card.expose();
    let method = call.text("method").unwrap_or_default();
    let arqc: Option<[u8; 8]> = given::array(call, "arqc")?;
    let session = match (method, arqc) {
        ("emv", Some(arqc)) => crypto::emv_common_session_key(key, arqc),
        (_, Some(_)) => return Err(Failure::Usage("--arqc goes with --method emv alone".into())),
        (_, None) => {
            let atc: [u8; 2] = needed(given::array(call, "atc")?, "atc", "for this method")?;
            match method {
                "emv" => crypto::emv_common_session_key_atc(key, atc),
                "vis" => crypto::vis_session_key_xor(key, atc),
                "mchip" => {
                    let number = needed(given::array(call, "un")?, "un", "for this method")?;
                    crypto::mastercard_session_key(key, atc, number)
                }
                "emv2000" => crypto::emv_2000_session_key(key, atc),
                "sm4" => crypto::sm4_session_key(key, atc),
                _ => crypto::pboc_session_key(key, atc),
            }
        }
    };
    let check = if method == "sm4" { crypto::sm4_kcv } else { crypto::kcv };
    steps.hex("card key, check value", &check(key));
    steps.hex("check value", &check(&session));
    if method != "sm4" {
        let mut odd = session;
        crypto::odd_parity(&mut odd);
        steps.hex("session key, odd parity", &odd);
    }
    steps.end_hex(call, "session key", &session);
    Ok(Exit::Done)
}
