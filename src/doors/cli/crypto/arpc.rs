//! `cardwright crypto arpc`: the issuer's answer to an ARQC, by methods 1 and 2 (EMV
//! Book 2 8.2).

use super::shared::card_key::{self, CardKey, usage};
use super::shared::given::{self, hex_argument, needed};
use super::shared::steps;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::words::emv::cryptogram::{ArpcKey, ArpcMethod};
use crate::words::tlv;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "arpc",
    about: "Computes the issuer's answer to an ARQC, by method 1 or 2, and issuer authentication data (91)",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    card_key::arguments(line, "application cryptograms")
        .arg(hex_argument("arqc", "HEX", "The card's cryptogram, 8 bytes").required(true))
        .arg(hex_argument("atc", "HEX", "Transaction counter (9F36); not needed with --session-key"))
        .arg(hex_argument(
            "arc",
            "HEX",
            "Authorisation response code (8A), 2 bytes, for method 1: 3030 is 00",
        ))
        .arg(hex_argument("csu", "HEX", "Card status update, 4 bytes, for method 2"))
        .arg(hex_argument(
            "proprietary",
            "HEX",
            "Proprietary authentication data, up to 8 bytes, for method 2",
        ))
        .arg(
            Arg::new("method")
                .long("method")
                .value_parser(["1", "2"])
                .help("The method, where it is another than the version's"),
        )
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let card = CardKey::of(call, &mut steps)?;
    let atc = match given::array(call, "atc")? {
        Some(atc) => atc,
        None if card.is_session => [0; 2],
        None => return Err(Failure::Usage("--atc is needed for the session key".into())),
    };
    let arqc: [u8; 8] = needed(given::array(call, "arqc")?, "arqc", "for an answer to it")?;
    let method = match call.text("method") {
        Some("1") => ArpcMethod::Method1,
        Some(_) => ArpcMethod::Method2,
        None => card.version.arpc_method,
    };
    if method == ArpcMethod::Method2 || card.version.arpc_key == ArpcKey::Session {
        card.tell_session(&mut steps, &card.version.arpc_session_key(card.key.expose(), atc));
    }
    let (arpc, data) = match method {
        ArpcMethod::Method1 => {
            let arc: [u8; 2] = needed(given::array(call, "arc")?, "arc", "for method 1")?;
            let joined = std::array::from_fn::<u8, 8, _>(|i| arqc[i] ^ arc.get(i).copied().unwrap_or(0));
            steps.hex("ARQC joined with the response code", &joined);
            let arpc = card.version.arpc_method_1(card.key.expose(), atc, arqc, arc).to_vec();
            (arpc.clone(), [arpc.as_slice(), &arc].concat())
        }
        ArpcMethod::Method2 => {
            let csu: [u8; 4] = needed(given::array(call, "csu")?, "csu", "for method 2")?;
            let rest = given::bytes(call, "proprietary")?.unwrap_or_default();
            steps.hex("input", &[&arqc[..], &csu, &rest].concat());
            let arpc = card.version.arpc_method_2(card.key.expose(), atc, arqc, csu, &rest).map_err(usage)?;
            (arpc.to_vec(), [&arpc[..], &csu, &rest].concat())
        }
    };
    let tag = crate::words::dictionary::tag::ISSUER_AUTHENTICATION_DATA;
    steps.hex("issuer authentication data", &tlv::encode(tag, &data));
    steps.end_hex(call, "ARPC", &arpc);
    Ok(Exit::Done)
}
