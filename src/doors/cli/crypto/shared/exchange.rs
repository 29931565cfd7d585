//! The transactions of a conversation with a card: what was said up to each cryptogram,
//! from APDUs as arguments or from a recording.

use crate::base::bytes::parse_hex;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::words::decode::{Explainer, Line};
use crate::words::dictionary::tag;
use crate::words::emv::Afl;
use crate::words::emv::certificate::StaticData;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::TlvStore;
use crate::world::open_trace;
use clap::{Arg, value_parser};
use std::path::{Path, PathBuf};

/// What was said up to a cryptogram; with CDA 9F4B hides it, and there is no 9F26.
#[derive(Debug, Clone)]
pub(in crate::doors::cli::crypto) struct Moment {
    /// Every data element, as it was last said.
    pub data: TlvStore,
    /// The data of the GENERATE AC, in the order of its list.
    pub listed: Option<Vec<u8>>,
}

/// A whole conversation.
#[derive(Debug, Clone, Default)]
pub(in crate::doors::cli::crypto) struct Exchange {
    /// Every data element, as it was last said.
    pub data: TlvStore,
    /// What was said up to each cryptogram.
    pub moments: Vec<Moment>,
    /// Records by file and number, as the card gave them.
    records: Vec<(u8, u8, Vec<u8>)>,
}

impl Exchange {
    /// Reads APDUs; commands and answers take turns.
    pub(in crate::doors::cli::crypto) fn of(apdus: &[Vec<u8>]) -> Result<Self, Failure> {
        let (mut out, mut explainer) = (Self::default(), Explainer::unmasked());
        let mut last = CommandApdu::new(0, 0, 0, 0);
        for (place, bytes) in apdus.iter().enumerate() {
            let wrong =
                |cause: &dyn std::fmt::Display| Failure::Usage(format!("APDU {}: {cause}", place + 1));
            if place.is_multiple_of(2) {
                let command = CommandApdu::parse(bytes).map_err(|cause| wrong(&cause))?;
                out.put(&explainer.command(&command));
                // The answer may come by GET RESPONSE.
                if command.ins != GET_RESPONSE {
                    last = command;
                }
            } else {
                let response = ResponseApdu::parse(bytes).map_err(|cause| wrong(&cause))?;
                let lines = explainer.response(&response);
                out.answered(&last, &response, &lines);
            }
        }
        Ok(out)
    }

    /// The static data to be authenticated, where AFL and records were seen.
    pub(in crate::doors::cli::crypto) fn static_data(&self) -> Option<StaticData> {
        let afl = Afl::parse(self.data.value(tag::AFL)?).ok()?;
        let record_of = |sfi, number| {
            let found = self.records.iter().find(|(file, place, _)| (*file, *place) == (sfi, number));
            found.map(|(_, _, bytes)| bytes.as_slice())
        };
        let tag_list = self.data.value(tag::STATIC_DATA_AUTHENTICATION_TAG_LIST);
        StaticData::gather(&afl, record_of, tag_list, self.data.array(tag::AIP)?).ok()
    }

    fn answered(&mut self, command: &CommandApdu, response: &ResponseApdu, lines: &[Line]) {
        if command.ins == SELECT && response.status.is_ok() {
            // Another application, or the directory, has records of its own under the same numbers.
            self.records.clear();
        }
        if command.ins == READ_RECORD && !response.data.is_empty() {
            self.records.push((command.p2 >> 3, command.p1, response.data.clone()));
        }
        self.put(lines);
        let has = |tag| lines.iter().any(|line| line.tag == Some(tag));
        let is_told = has(tag::APPLICATION_CRYPTOGRAM);
        let is_generated = command.ins == GENERATE_AC;
        if is_told || is_generated && has(tag::SIGNED_DYNAMIC_APPLICATION_DATA) {
            if !is_told {
                // That of the transaction before must not be taken for it.
                self.data.remove(tag::APPLICATION_CRYPTOGRAM);
            }
            let listed = is_generated.then(|| command.data.clone());
            self.moments.push(Moment { data: self.data.clone(), listed });
        }
    }

    fn put(&mut self, lines: &[Line]) {
        // A list names elements without their values.
        for line in lines.iter().filter(|line| !line.value.is_empty()) {
            if let Some(tag) = line.tag.filter(|tag| !tag.is_constructed()) {
                self.data.put(tag, line.value.as_slice());
            }
        }
    }
}

const SELECT: u8 = 0xA4;
const READ_RECORD: u8 = 0xB2;
const GENERATE_AC: u8 = 0xAE;
const GET_RESPONSE: u8 = 0xC0;

/// The APDUs of a recording, and whether its card data are masked.
fn recorded(path: &Path) -> Result<(Vec<Vec<u8>>, bool), Failure> {
    let trace = open_trace(path)?;
    let apdu = |name: &str| match name {
        "command" => Some("C-APDU"),
        "response" => Some("R-APDU"),
        _ => None,
    };
    let mut apdus: Vec<Vec<u8>> = Vec::new();
    for event in trace.events.iter().filter(|event| event.speaker == "link") {
        let Some(bytes) = apdu(&event.name).and_then(|element| event.named_value(element)) else { continue };
        // A command without an answer, where the card was gone, is left out.
        let is_command = event.name == "command";
        if is_command != apdus.len().is_multiple_of(2) {
            apdus.truncate(apdus.len() / 2 * 2);
        }
        if is_command == apdus.len().is_multiple_of(2) {
            apdus.push(bytes.to_vec());
        }
    }
    apdus.truncate(apdus.len() / 2 * 2);
    Ok((apdus, trace.header.masked))
}

/// `--apdu` and `--trace`.
pub(in crate::doors::cli::crypto) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("apdu")
            .long("apdu")
            .value_name("HEX")
            .num_args(1..)
            .conflicts_with("trace")
            .help("A conversation with the card: a command, its answer, a command ..."),
    )
    .arg(
        Arg::new("trace")
            .long("trace")
            .value_name("FILE.cwt")
            .value_parser(value_parser!(PathBuf))
            .help("A recording; made with --unmask, as a masked one has another PAN and no certificates"),
    )
}

/// The conversation of `--apdu` or `--trace`, if there is one, and whether it is masked.
pub(in crate::doors::cli::crypto) fn exchange(call: &Call<'_>) -> Result<Option<(Exchange, bool)>, Failure> {
    let parse = |text: &String| parse_hex(text).map_err(|cause| Failure::Usage(format!("--apdu: {cause}")));
    let (apdus, is_masked) = match call.arguments.get_one::<PathBuf>("trace") {
        Some(path) => recorded(path)?,
        None if call.arguments.contains_id("apdu") => {
            (call.texts("apdu").map(parse).collect::<Result<_, _>>()?, false)
        }
        None => return Ok(None),
    };
    Ok(Some((Exchange::of(&apdus)?, is_masked)))
}
