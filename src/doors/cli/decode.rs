//! `cardwright decode`: explains bytes, masked: a host message, BER-TLV, APDUs.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use crate::base::bytes::{Hex, parse_hex};
use crate::observers::report::tree;
use crate::words::decode::{Explainer, Line, explain_message};
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::iso8583::{DIALECTS, dialect};
use crate::world::WorldError;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

/// The name of a last line that says why the rest cannot be told.
const UNREADABLE: &str = "cannot be read";

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "decode",
    about: "Explains bytes: a host message, TLV, APDUs",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command {
            name: "iso8583",
            about: "Explains a host message, from its MTI or with its frame, field by field",
            effect: None,
            arguments: message_arguments,
            run: Run::Alone(message),
        },
        Command {
            name: "tlv",
            about: "Explains BER-TLV data, as a card or field 55 has it",
            effect: None,
            arguments: hex_argument,
            run: Run::Alone(tlv),
        },
        Command {
            name: "apdu",
            about: "Explains a command APDU, its answer, the next command, and so on",
            effect: None,
            arguments: hex_arguments,
            run: Run::Alone(apdu),
        },
    ]),
};

fn hex_argument(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("HEX").required(true).help("Hexadecimal digits; spaces within quotes do not count"))
}

fn hex_arguments(line: clap::Command) -> clap::Command {
    let help = "A command, its answer, a command ...: each one argument";
    line.arg(Arg::new("HEX").required(true).num_args(1..).help(help))
}

fn message_arguments(line: clap::Command) -> clap::Command {
    hex_argument(line).arg(
        Arg::new("dialect")
            .long("dialect")
            .value_name("NAME")
            .default_value("pos")
            .value_parser(PossibleValuesParser::new(DIALECTS.iter().map(|row| row.name)))
            .help("How messages are written"),
    )
}

fn message(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let bytes = bytes(call.text("HEX").unwrap_or_default())?;
    let dialect = dialect(call.text("dialect").unwrap_or_default()).map_err(WorldError::from)?;
    let lines = explain_message(&bytes, dialect, !call.switches.unmask);
    tell(call, &lines)
}

fn tlv(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let bytes = bytes(call.text("HEX").unwrap_or_default())?;
    let lines = explainer(call).tlv(&bytes);
    tell(call, &lines)
}

fn apdu(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut explainer = explainer(call);
    let texts: Vec<String> = call.texts("HEX").cloned().collect();
    let mut lines = Vec::new();
    for pair in texts.chunks(2) {
        for (text, is_command) in pair.iter().zip([true, false]) {
            let bytes = bytes(text)?;
            // The argument may be a card's data: only its number is told.
            let wrong = |cause| Failure::Usage(format!("{} bytes of HEX: {cause}", bytes.len()));
            lines.extend(match is_command {
                true => explainer.command(&CommandApdu::parse(&bytes).map_err(wrong)?),
                false => explainer.response(&ResponseApdu::parse(&bytes).map_err(wrong)?),
            });
        }
    }
    tell(call, &lines)
}

fn explainer(call: &Call<'_>) -> Explainer {
    if call.switches.unmask { Explainer::unmasked() } else { Explainer::masked() }
}

fn bytes(text: &str) -> Result<Vec<u8>, Failure> {
    parse_hex(text).map_err(|cause| Failure::Usage(format!("expected hexadecimal digits: {cause}")))
}

fn tell(call: &mut Call<'_>, lines: &[Line]) -> Result<Exit, Failure> {
    call.output.say(&tree(lines));
    call.output.tell("lines", lines.iter().map(value).collect());
    match lines.last() {
        Some(last) if last.name == UNREADABLE => {
            Err(Failure::Usage(format!("offset {}: {}", last.offset, last.meaning)))
        }
        _ => Ok(Exit::Done),
    }
}

fn value(line: &Line) -> Value {
    json!({
        "depth": line.depth,
        "offset": line.offset,
        "tag": line.tag.map(|tag| tag.to_string()),
        "name": line.name,
        "value": Hex(&line.value).to_string(),
        "meaning": line.meaning,
    })
}
