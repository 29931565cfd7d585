//! Elements that have parts without tags: lists of rules, entries and tags, issuer
//! authentication data, and what schemes put into 9F6E.

use super::codes;
use super::fields::{BitRow, CARD_STATUS_UPDATE, ENHANCED_READER_CAPABILITIES, FORM_FACTOR_FEATURES};
use super::{Line, bits};
use crate::words::dictionary::{Row, tag};
use crate::words::emv::{CvmList, printable};
use crate::words::tlv::{Tag, parse_tag_list};

/// The lines of an element's parts, which begins at `start`; none where it has none or
/// another layout.
pub(super) fn lines(wanted: Tag, value: &[u8], start: usize, depth: usize) -> Vec<Line> {
    let place = Place { start, depth };
    match wanted {
        tag::CVM_LIST => cvm_list(value, place).unwrap_or_default(),
        tag::AFL => afl(value, place),
        tag::STATIC_DATA_AUTHENTICATION_TAG_LIST => tag_list(value, start, depth).unwrap_or_default(),
        tag::ISSUER_AUTHENTICATION_DATA => issuer_authentication(value, place),
        tag::SELECTION_PROPRIETARY_DATA => proprietary_data(value, place).unwrap_or_default(),
        tag::FORM_FACTOR_INDICATOR => form_factor(value, place),
        _ => Vec::new(),
    }
}

/// What a tag is called where a scheme gives it a meaning by its length: 9F6D of one byte
/// and 9F6E.
pub(super) fn variant_name(wanted: Tag, value: &[u8]) -> Option<&'static str> {
    match (wanted, value) {
        (tag::EC_RESET_THRESHOLD, [_]) => Some("Contactless Reader Capabilities"),
        (tag::FORM_FACTOR_INDICATOR, value) if value.len() > 4 => Some("Third Party Data"),
        (tag::FORM_FACTOR_INDICATOR, value) if is_reader_capabilities(value) => {
            Some("Enhanced Contactless Reader Capabilities")
        }
        _ => None,
    }
}

/// Tags side by side; `None` where the bytes are none.
pub(super) fn tag_list(value: &[u8], start: usize, depth: usize) -> Option<Vec<Line>> {
    let mut at = start;
    let line = |tag: Tag| {
        let name = Row::of_tag(tag).map_or("element without a dictionary row", |row| row.name);
        let line = Line::new(depth, at, name).tag(tag);
        at += tag.length_bytes();
        line
    };
    parse_tag_list(value).ok().map(|tags| tags.into_iter().map(line).collect())
}

#[derive(Clone, Copy)]
struct Place {
    start: usize,
    depth: usize,
}

impl Place {
    fn line(self, at: usize, name: &'static str, value: &[u8], says: impl Into<String>) -> Line {
        Line::new(self.depth, self.start + at, name).value(value).meaning(says)
    }

    fn bits(self, value: &[u8], at: usize, rows: &[BitRow]) -> Vec<Line> {
        let set = bits::of_rows(value, rows).into_iter();
        set.map(|(byte, bit, words)| Line::bit(self.depth, self.start + at, byte, bit, words)).collect()
    }
}

fn cvm_list(value: &[u8], place: Place) -> Option<Vec<Line>> {
    let list = CvmList::parse(value).ok()?;
    let mut lines = vec![
        place.line(0, "amount X", &value[..4], list.x_minor.to_string()),
        place.line(4, "amount Y", &value[4..8], list.y_minor.to_string()),
    ];
    for (index, rule) in list.rules.iter().enumerate() {
        let at = 8 + index * 2;
        let next = match rule.code.goes_on() {
            true => "the next rule applies where it is unsuccessful",
            false => "cardholder verification fails where it is unsuccessful",
        };
        let condition = rule.condition.words().unwrap_or("under a condition that is not known");
        let method = rule.code.words().unwrap_or("a method that is not known");
        lines.push(place.line(at, "CV rule", &value[at..at + 2], format!("{method}, {condition}; {next}")));
    }
    Some(lines)
}

fn afl(value: &[u8], place: Place) -> Vec<Line> {
    let entries = value.as_chunks::<4>().0.iter().enumerate();
    let line = |(index, entry): (usize, &[u8; 4])| {
        let [sfi, first, last, signed] = *entry;
        let signed = if signed == 0 { String::new() } else { format!(", {signed} of them signed") };
        let says = format!("SFI {}, records {first} to {last}{signed}", sfi >> 3);
        place.line(index * 4, "AFL entry", entry, says)
    };
    entries.map(line).collect()
}

/// EMV Book 2 8.2: eight bytes of ARPC and a response code, or four bytes and a card status
/// update.
fn issuer_authentication(value: &[u8], place: Place) -> Vec<Line> {
    let code_of = |code: &[u8]| std::str::from_utf8(code).ok().and_then(codes::response_code);
    if let (Some((arpc, code)), 10) = (value.split_first_chunk::<8>(), value.len())
        && let Some(words) = code_of(code)
    {
        let says = format!("{:?}: {words}", printable(code));
        return vec![
            place.line(0, "ARPC", arpc, ""),
            place.line(8, "authorisation response code", code, says),
        ];
    }
    let Some((arpc, update)) = value.split_first_chunk::<4>() else { return Vec::new() };
    let Some((update, proprietary)) = update.split_first_chunk::<4>() else { return Vec::new() };
    if update[0] & 0x70 != 0 || update[2] != 0 {
        return vec![place.line(0, "ARPC", &value[..8], "method 1"), place.line(8, "rest", &value[8..], "")];
    }
    let counters = match update[1] & 0x03 {
        0 => "offline counters are not updated",
        1 => "offline counters are set to their upper limits",
        2 => "offline counters are reset",
        _ => "the transaction is added to the offline counters",
    };
    let says = format!("PIN try counter {}; {counters}", update[0] & 0x0F);
    let mut lines =
        vec![place.line(0, "ARPC", arpc, "method 2"), place.line(4, "card status update", update, says)];
    let named = [update[0] & 0x80, update[1] & 0xFC, 0, 0];
    let below = Place { depth: place.depth + 1, ..place };
    lines.extend(below.bits(&named, 4, CARD_STATUS_UPDATE));
    if update[3] != 0 {
        lines.push(below.line(7, "issuer discretionary", &update[3..], ""));
    }
    if !proprietary.is_empty() {
        lines.push(place.line(8, "proprietary authentication data", proprietary, ""));
    }
    lines
}

/// EMV Book 1 12.5: identifier, length, value, and again.
fn proprietary_data(value: &[u8], place: Place) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    let mut rest = value;
    while let Some((&[a, b, length], after)) = rest.split_first_chunk::<3>() {
        let entry = after.get(..usize::from(length))?;
        let at = value.len() - rest.len();
        let owner = codes::proprietary_data_owner([a, b]);
        lines.push(place.line(at, "identifier", &[a, b], owner));
        lines.push(place.line(at + 3, "its data", entry, ""));
        rest = &after[usize::from(length)..];
    }
    rest.is_empty().then_some(lines)
}

fn form_factor(value: &[u8], place: Place) -> Vec<Line> {
    match value {
        [_, _, _, _] if is_reader_capabilities(value) => {
            let kernel = match value[3] & 0x07 {
                1 => "2.2 to 2.3",
                2 => "2.4 to 2.6",
                3 => "2.7",
                _ => "unknown",
            };
            let mut lines =
                place.bits(&[value[0], value[1], value[2], value[3] & 0xF8], 0, ENHANCED_READER_CAPABILITIES);
            lines.push(place.line(3, "kernel version (C-4)", &[value[3] & 0x07], kernel));
            lines
        }
        [form, features, _, technology] => {
            let form_factor = match form & 0x1F {
                0 => "card",
                1 => "mini-card",
                2 => "non-card form factor",
                3 => "consumer mobile phone",
                4 => "wrist-worn device",
                _ => "unknown",
            };
            let technology_words =
                if technology & 0x0F == 0 { "contactless, ISO/IEC 14443" } else { "other" };
            let says = format!("version {}, {form_factor}", form >> 5);
            let mut lines = vec![place.line(0, "form factor", &[*form], says)];
            lines.extend(place.bits(&[0, *features], 0, FORM_FACTOR_FEATURES));
            lines.push(place.line(3, "payment transaction technology", &[*technology], technology_words));
            lines
        }
        _ => third_party(value, place).unwrap_or_default(),
    }
}

/// Whether four bytes have what American Express makes mandatory (EMV Book C-4 4.3.4), and
/// are not Visa's version 1.
fn is_reader_capabilities(value: &[u8]) -> bool {
    match value {
        [a, b, c, d] => {
            a & 0x3B == 0x18 && b & 0x8F == 0x80 && c & 0x3F == 0 && d & 0x18 == 0 && d & 0x07 != 0
        }
        _ => false,
    }
}

/// Third Party Data: EMV Book C-2 A.1.171.
fn third_party(value: &[u8], place: Place) -> Option<Vec<Line>> {
    let (country, rest) = value.split_first_chunk::<2>()?;
    let (identifier, rest) = rest.split_first_chunk::<2>()?;
    let who = match identifier {
        [0, 0] => "proprietary data not used",
        [0, 3] | [0x80, 3] => "product extension of the scheme",
        _ => "not known",
    };
    let mut lines = vec![
        place.line(0, "country", country, codes::country(country).unwrap_or_default()),
        place.line(2, "unique identifier", identifier, who),
    ];
    let mut at = 4;
    let mut rest = rest;
    if identifier[0] & 0x80 == 0
        && let Some((device, after)) = rest.split_first_chunk::<2>()
    {
        let words = codes::device_type(device).unwrap_or("not known");
        lines.push(place.line(at, "device type", device, format!("{:?}: {words}", printable(device))));
        (at, rest) = (at + 2, after);
    }
    if !rest.is_empty() {
        lines.push(place.line(at, "proprietary data", rest, product(identifier, rest)));
    }
    Some(lines)
}

/// Product extensions: fleet and transit.
fn product(identifier: &[u8; 2], data: &[u8]) -> String {
    match (identifier, data) {
        ([_, 3], [0, 1, restriction, prompts, ..]) => {
            let restriction = match restriction {
                1 => "good for fuel and other products",
                2 => "good for fuel only",
                _ => "no known restriction",
            };
            let prompts: Vec<_> =
                [(8, "odometer"), (4, "driver number"), (2, "vehicle number"), (1, "ID number")]
                    .into_iter()
                    .filter(|(mask, _)| prompts & mask != 0)
                    .map(|(_, words)| words)
                    .collect();
            format!("fleet card, {restriction}; prompt for: {}", prompts.join(", "))
        }
        ([_, 3], [0, 2, flags, concession, ..]) => {
            let deferred = if flags & 0x80 != 0 { ", deferred authorisation not supported" } else { "" };
            let concession = match concession {
                1 => "senior citizen",
                2 => "student",
                3 => "military or veteran",
                4 => "low income",
                5 => "disability",
                6 => "minor child",
                7 => "transit staff",
                8 => "preferred employee",
                _ => "none known",
            };
            format!("transit{deferred}; concession: {concession}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn told(tag: Tag, hex: &str) -> Vec<String> {
        let lines = lines(tag, &parse_hex(hex).unwrap(), 10, 1);
        lines.iter().map(|line| format!("@{} {}: {}", line.offset, line.name, line.meaning)).collect()
    }

    #[test]
    fn parts_stand_at_their_places() {
        assert_eq!(told(tag::AFL, "08010201")[0], "@10 AFL entry: SFI 1, records 1 to 2, 1 of them signed");
        assert_eq!(
            told(tag::CVM_LIST, "0000000000000001 4103")[2].split(';').next().unwrap(),
            "@18 CV rule: plaintext PIN verified by the card, if the terminal supports it"
        );
        assert_eq!(
            told(tag::ISSUER_AUTHENTICATION_DATA, "0102030405060708 3030")[1],
            "@18 authorisation response code: \"00\": approved"
        );
        let update = told(tag::ISSUER_AUTHENTICATION_DATA, "01020304 00820000");
        assert_eq!(update[1], "@14 card status update: PIN try counter 0; offline counters are reset");
        assert_eq!(update[2], "@15 byte 2 bit 8: issuer approves online transaction");
        assert_eq!(told(tag::SELECTION_PROPRIETARY_DATA, "0001 02 AABB").len(), 2);
        assert!(told(tag::SELECTION_PROPRIETARY_DATA, "0001 03 AABB").is_empty());
        assert_eq!(told(tag::FORM_FACTOR_INDICATOR, "20700000")[0], "@10 form factor: version 1, card");
        assert_eq!(told(tag::FORM_FACTOR_INDICATOR, "0528 0000 3230 00")[2], "@14 device type: \"20\": card");
        assert_eq!(
            told(tag::FORM_FACTOR_INDICATOR, "D8E00003")[0],
            "@10 byte 1 bit 8: contact mode supported"
        );
    }
}
