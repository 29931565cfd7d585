//! `cardwright decode`: explains bytes to the bit, masked: TLV, APDUs, lists, single
//! elements, host messages. It guesses the kind where none is named, and reads a pipe.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use crate::base::bytes::Hex;
use crate::observers::report::tree;
use crate::words::decode::{DecodeError, KINDS, Kind, Line, Ways, decode, guess};
use crate::words::iso8583::{DIALECTS, dialect};
use crate::world::WorldError;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "decode",
    about: "Explains bytes to the bit: TLV, APDUs, lists, single elements, host messages",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let width = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let kinds = KINDS.iter().map(|kind| format!("  {:width$}  {}\n", kind.name, kind.about));
    let help = format!(
        "KIND is guessed where none is named, or is one of:\n{}  {:width$}  the value of that element\n\n\
         Without HEX, or with -, each line of standard input is decoded.",
        kinds.collect::<String>(),
        "a tag, 9F33",
    );
    let words = "[KIND] HEX...: hexadecimal digits; spaces within quotes do not count";
    line.after_help(help).arg(Arg::new("WORDS").value_name("[KIND] HEX").num_args(0..).help(words)).arg(
        Arg::new("dialect")
            .long("dialect")
            .value_name("NAME")
            .default_value("pos")
            .value_parser(PossibleValuesParser::new(DIALECTS.iter().map(|row| row.name)))
            .help("How host messages are written"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let dialect = dialect(call.text("dialect").unwrap_or_default()).map_err(WorldError::from)?;
    let ways = Ways { masked: !call.switches.unmask, dialect };
    let words: Vec<String> = call.texts("WORDS").cloned().collect();
    let (kind, texts) = split(&words);
    if texts.is_empty() || texts == ["-"] {
        return pipe(call, kind, ways);
    }
    let (kind, lines) = one(kind, &texts, ways).map_err(usage)?;
    if words.len() == texts.len() {
        call.output.note(format!("read as {}: {}", kind.name, kind.about));
    }
    call.output.say(&tree(&lines));
    call.output.tell("kind", json!(kind.name));
    call.output.tell("lines", lines.iter().map(value).collect());
    Ok(Exit::Done)
}

/// The kind, where the first word names one, and the rest. A tag is a kind only before
/// its value, as it could be data itself.
fn split(words: &[String]) -> (Option<Kind>, Vec<&str>) {
    let all = || words.iter().map(String::as_str);
    let Some(first) = words.first() else { return (None, Vec::new()) };
    let named = KINDS.iter().any(|kind| kind.name == first.as_str());
    match Kind::of_name(first).filter(|_| named || words.len() > 1) {
        Some(kind) => (Some(kind), all().skip(1).collect()),
        None => (None, all().collect()),
    }
}

fn one(kind: Option<Kind>, texts: &[&str], ways: Ways<'_>) -> Result<(Kind, Vec<Line>), DecodeError> {
    let kind = match kind {
        Some(kind) => kind,
        None => guess(texts.first().copied().unwrap_or_default(), ways)?,
    };
    decode(&kind, texts, ways).map(|lines| (kind, lines))
}

/// Each line by itself; one that cannot be read does not stop the others. APDUs are one
/// conversation.
fn pipe(call: &mut Call<'_>, kind: Option<Kind>, ways: Ways<'_>) -> Result<Exit, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let told = "expected HEX, or lines of it on standard input: see `cardwright decode --help`";
        return Err(Failure::Usage(told.into()));
    }
    let texts: Result<Vec<String>, _> = input.lock().lines().collect();
    let texts = texts.map_err(|cause| Failure::Usage(format!("standard input cannot be read: {cause}")))?;
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let groups: Vec<&[&str]> = match kind {
        Some(kind) if kind.is_session() && !texts.is_empty() => vec![&texts],
        _ => texts.chunks(1).collect(),
    };
    let mut decoded = Vec::new();
    let mut wrong = Vec::new();
    for (number, group) in groups.into_iter().enumerate() {
        match one(kind, group, ways) {
            Ok((kind, lines)) => {
                call.output.say(&tree(&lines));
                decoded.push(json!({
                    "line": number + 1,
                    "kind": kind.name,
                    "lines": lines.iter().map(value).collect::<Vec<_>>(),
                }));
            }
            Err(error) => {
                call.output.say(&format!("line {}: {error}\n", number + 1));
                decoded.push(json!({ "line": number + 1, "error": error.to_string() }));
                wrong.push(number + 1);
            }
        }
    }
    call.output.tell("decoded", Value::Array(decoded));
    match wrong.first() {
        None => Ok(Exit::Done),
        Some(first) => {
            Err(Failure::Usage(format!("{} lines cannot be decoded, line {first} first", wrong.len())))
        }
    }
}

fn usage(error: DecodeError) -> Failure {
    Failure::Usage(error.to_string())
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
