//! The file of proxmark's `emv scan`: JSON with what a card answered, element by element. It
//! holds no commands: those are built anew, and the recording says so.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex};
use crate::words::dictionary::tag;
use crate::words::iso7816::Atr;
use crate::words::tlv::{self, Dol, Tag};
use serde_json::Value;

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "proxmark",
    about: "the JSON file of proxmark's emv scan",
    fits: |text| text.trim_start().starts_with('{') && text.contains("emv scan"),
    read,
};

/// JSON is one whole: where in it something is wrong, its path says.
const LINE: usize = 1;
const DEEPEST: usize = 16;
const OK: [u8; 2] = [0x90, 0x00];

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    let file: Value = serde_json::from_str(text)
        .map_err(|error| Odd { line: error.line(), reason: format!("expected JSON: {error}") })?;
    if let Some(atr) = file.pointer("/Card/Contact/ATR") {
        conversation.over("contact");
        conversation.reset(&bytes(atr)?);
    } else if let Some(ats) = file.pointer("/Card/Contactless/ATS") {
        conversation.over("contactless");
        conversation.reset(&Atr::contactless(historical(&bytes(ats)?)));
    }
    conversation.note(
        "commands built anew",
        "the file holds answers only; data that a list asks for stands as zeros",
    );
    if let Some(template) = file.pointer("/PPSE/FCITemplate") {
        let name = file.pointer("/PPSE/AID").map_or_else(|| Ok(b"2PAY.SYS.DDF01".to_vec()), bytes)?;
        select(conversation, &name, &elements(template, 0)?)?;
    }
    let Some(application) = file.get("Application") else { return Ok(()) };
    let template = application.get("FCITemplate").map_or_else(|| Ok(Vec::new()), |fci| elements(fci, 0))?;
    if let Some(aid) = application.get("AID") {
        select(conversation, &bytes(aid)?, &template)?;
    }
    if let Some(options) = application.get("GPO") {
        let length = pdol_length(&template).min(252);
        let asked = tlv::encode(tag::COMMAND_TEMPLATE, &vec![0; length]);
        let length = u8::try_from(asked.len()).unwrap_or(u8::MAX);
        let command = [&[0x80, 0xA8, 0x00, 0x00, length], &asked[..], &[0x00]].concat();
        exchange(conversation, &command, &elements(options, 0)?)?;
    }
    for record in application.get("Records").and_then(Value::as_array).into_iter().flatten() {
        let number = |name: &str| record.get(name).map_or_else(|| Ok(Vec::new()), bytes);
        let (sfi, index) = (number("SFI")?, number("RecordNum")?);
        let (Some(sfi @ 1..=30), Some(index)) = (sfi.last().copied(), index.last().copied()) else {
            return Err(odd("expected SFI (1 to 30) and RecordNum in each of /Application/Records"));
        };
        let data = record.get("Data").map_or_else(|| Ok(Vec::new()), |data| elements(data, 0))?;
        exchange(conversation, &[0x00, 0xB2, index, sfi << 3 | 4, 0x00], &data)?;
    }
    Ok(())
}

fn select(conversation: &mut Conversation, name: &[u8], template: &[u8]) -> Result<(), Odd> {
    let length = u8::try_from(name.len()).map_err(|_| odd("expected an AID of at most 16 bytes"))?;
    exchange(conversation, &[&[0x00, 0xA4, 0x04, 0x00, length], name, &[0x00]].concat(), template)
}

fn exchange(conversation: &mut Conversation, command: &[u8], data: &[u8]) -> Result<(), Odd> {
    conversation.command(LINE, command)?;
    conversation.answer(LINE, &[data, &OK].concat())
}

/// The bytes of an element (`tag`, `value`) or of what is in it (`Childs`), of one or a list.
fn elements(value: &Value, depth: usize) -> Result<Vec<u8>, Odd> {
    if depth > DEEPEST {
        return Err(odd("expected elements in at most 16 levels"));
    }
    if let Some(list) = value.as_array() {
        let parts: Result<Vec<_>, Odd> = list.iter().map(|one| elements(one, depth + 1)).collect();
        return Ok(parts?.concat());
    }
    let Some(tag) = value.get("tag") else { return Ok(Vec::new()) };
    let inside = match (value.get("value"), value.get("Childs")) {
        (Some(value), _) => bytes(value)?,
        (None, Some(children)) => elements(children, depth + 1)?,
        (None, None) => Vec::new(),
    };
    let number = bytes(tag)?.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    Ok(tlv::encode(Tag(number), &inside))
}

/// Hexadecimal text, with spaces or `0x` before it.
fn bytes(value: &Value) -> Result<Vec<u8>, Odd> {
    let text = value.as_str().ok_or_else(|| odd(&format!("expected hexadecimal text, found {value}")))?;
    let digits = text.trim().trim_start_matches("0x");
    let whole = if digits.len() == 1 { format!("0{digits}") } else { digits.to_owned() };
    hex(LINE, &whole)
}

/// How many bytes the PDOL in file control information asks for.
fn pdol_length(template: &[u8]) -> usize {
    let inside = |bytes: &[u8], tag| tlv::find(bytes, tag).ok().flatten().map(|found| found.value.to_vec());
    let pdol = inside(template, tag::FCI_TEMPLATE)
        .and_then(|fci| inside(&fci, tag::FCI_PROPRIETARY_TEMPLATE))
        .and_then(|proprietary| inside(&proprietary, tag::PDOL));
    pdol.and_then(|pdol| Dol::parse(&pdol).ok()).map_or(0, |dol| dol.data_length())
}

/// The historical bytes of an ATS: behind TL, T0 and the interface bytes that T0 announces
/// (ISO/IEC 14443-4 5.2).
fn historical(ats: &[u8]) -> &[u8] {
    let announced = ats.get(1).map_or(0, |t0| (t0 >> 4 & 7).count_ones() as usize);
    let bytes = ats.get(2 + announced..).unwrap_or_default();
    &bytes[..bytes.len().min(15)]
}

fn odd(reason: &str) -> Odd {
    Odd { line: LINE, reason: reason.to_owned() }
}
