//! `cardwright crypto cvv`: card verification values of a magnetic stripe, of a chip and
//! of the print.

use super::shared::card_key::usage;
use super::shared::given::{self, hex_argument, key_argument, needed, pan_argument};
use super::shared::steps;
use crate::base::crypto::card_verification_value;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::{Arg, value_parser};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "cvv",
    about: "Computes a card verification value (CVV, iCVV, CVV2)",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(key_argument("key", "The pair of verification keys, CVK A then CVK B, 16 bytes").required(true))
        .arg(pan_argument().required(true))
        .arg(
            hex_argument(
                "expiry",
                "DIGITS",
                "Expiry in the issuer's order: YYMM on tracks, MMYY for many CVV2",
            )
            .required(true),
        )
        .arg(
            hex_argument("service-code", "DIGITS", "Service code; 999 gives iCVV, 000 gives CVV2")
                .required(true),
        )
        .arg(
            Arg::new("digits")
                .long("digits")
                .value_name("N")
                .default_value("3")
                .value_parser(value_parser!(u8).range(1..=5))
                .help("Digits of the value"),
        )
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let key = needed(given::key_16(call, "key")?, "key", "for a verification value")?;
    let text = |name| call.text(name).unwrap_or_default();
    let all = card_verification_value(key.expose(), text("pan"), text("expiry"), text("service-code"));
    let all = all.map_err(usage)?;
    let digits = call.arguments.get_one::<u8>("digits").map_or(3, |digits| usize::from(*digits));
    steps.text("decimalised", &all);
    steps.end(call, "verification value", &all[..digits]);
    Ok(Exit::Done)
}
