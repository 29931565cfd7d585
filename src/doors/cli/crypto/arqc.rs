//! `cardwright crypto arqc`: an application cryptogram, from key and data to the MAC.

use super::shared::card_key::{self, CardKey, usage};
use super::shared::given::{self, hex_argument};
use super::shared::{elements, steps};
use crate::base::crypto;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::words::dictionary::tag;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "arqc",
    about: "Computes an application cryptogram (ARQC, TC or AAC: they differ in their data alone)",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line = card_key::arguments(line, "application cryptograms");
    elements::arguments(line)
        .arg(hex_argument("data", "HEX", "The whole input as it stands, instead of elements"))
        .arg(hex_argument("atc", "HEX", "Transaction counter (9F36), where it is no element"))
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let data = elements::elements(call)?;
    let card = CardKey::of(call, &mut steps)?;
    let atc = match card.is_session {
        true => given::array(call, "atc")?.or_else(|| data.array(tag::ATC)).unwrap_or_default(),
        false => elements::array_of(call, "atc", &data, tag::ATC)?,
    };
    let input = match given::bytes(call, "data")? {
        Some(input) => input,
        None => {
            let look_up = |wanted| match wanted {
                tag::ATC => Some(atc.to_vec()),
                other => data.value(other).map(<[u8]>::to_vec),
            };
            let order: Vec<String> = card.version.input.iter().map(ToString::to_string).collect();
            steps.text("input in order", order.join(" "));
            card.version.assemble(&look_up).map_err(usage)?
        }
    };
    let number = card.version.unpredictable_number_in(&input).unwrap_or_default();
    let session = card.version.session_key(card.key.expose(), atc, number);
    card.tell_session(&mut steps, &session);
    steps.hex("input", &input);
    steps.hex("input, padded", &crypto::pad(&input, card.block_bytes(), card.version.padding));
    let cryptogram = card.version.application_cryptogram(card.key.expose(), atc, &input);
    steps.end_hex(call, "cryptogram (9F26)", &cryptogram);
    Ok(Exit::Done)
}
