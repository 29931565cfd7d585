//! `tests/decode/primitives.toml`: every primitive that the best public decoder knows is
//! known here by its name, its format and each of its bits.

use cardwright::words::decode::{Explainer, KINDS, Kind, Line, Ways, decode, guess};
use cardwright::words::dictionary::{Format, Row};
use cardwright::words::iso8583::dialect;
use cardwright::words::tlv::Tag;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    element: Vec<Element>,
    field: Vec<Field>,
    code: Vec<Code>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Element {
    tag: String,
    name: String,
    format: String,
    value: String,
    /// What stands somewhere among its lines.
    #[serde(default)]
    says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    kind: String,
    /// A value with none of the bits.
    base: String,
    /// Where the field of bits begins in it.
    #[serde(default)]
    at: usize,
    /// `BYTE.BIT words`.
    bits: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    kind: String,
    text: String,
    says: String,
}

fn file() -> File {
    toml::from_str(include_str!("../decode/primitives.toml")).unwrap()
}

fn ways(masked: bool) -> Ways<'static> {
    Ways { masked, dialect: dialect("pos").unwrap() }
}

fn told(kind: &str, text: &str) -> Vec<Line> {
    let known = Kind::of_name(kind).unwrap_or_else(|| panic!("no kind {kind}"));
    decode(&known, &[text], ways(false)).unwrap_or_else(|error| panic!("{kind} {text}: {error}"))
}

fn all(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{} = {}\n", line.name, line.meaning)).collect()
}

#[test]
fn every_element_is_known_by_name_and_format() {
    let file = file();
    assert!(file.source.contains("emv-utils") && file.element.len() > 120);
    for element in &file.element {
        let tag = Tag::parse_text(&element.tag).unwrap();
        let row = Row::of_tag(tag).unwrap_or_else(|| panic!("no row for {tag}"));
        let format = match row.format {
            Format::Binary => "binary",
            Format::Numeric => "numeric",
            Format::CompressedNumeric => "compressed",
            Format::Text => "text",
            Format::Amount => "amount",
            Format::Date => "date",
            Format::Dol => "dol",
            Format::Template => "template",
        };
        assert_eq!(format, element.format, "{tag}");
        let value = cardwright::base::bytes::parse_hex(&element.value).unwrap();
        let object = cardwright::words::tlv::encode(tag, &value);
        let lines = Explainer::unmasked().tlv(&object);
        assert_eq!((lines[0].tag, lines[0].name.as_ref()), (Some(tag), element.name.as_str()));
        assert!(all(&lines).contains(&element.says), "{tag}: no {:?} in\n{}", element.says, all(&lines));
    }
}

#[test]
fn every_bit_is_known() {
    for field in file().field {
        let base = cardwright::base::bytes::parse_hex(&field.base).unwrap();
        for row in &field.bits {
            let (place, words) = row.split_once(' ').unwrap();
            let (byte, bit) = place.split_once('.').unwrap();
            let mut value = base.clone();
            value[field.at + byte.parse::<usize>().unwrap() - 1] |= 1 << (bit.parse::<u32>().unwrap() - 1);
            let hex = cardwright::base::bytes::Hex(&value).to_string();
            let name = format!("byte {byte} bit {bit}");
            let lines = told(&field.kind, &hex);
            let says: Vec<_> = lines.iter().filter(|line| line.name == name).collect();
            assert!(
                says.iter().any(|line| line.meaning.contains(words)),
                "{} {hex}: {name} is not {words:?}: {says:?}",
                field.kind
            );
        }
    }
}

#[test]
fn every_code_is_known() {
    for code in file().code {
        let lines = all(&told(&code.kind, &code.text));
        assert!(lines.contains(&code.says), "{} {}: no {:?} in\n{lines}", code.kind, code.text, code.says);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_in_any_kind(bytes in prop::collection::vec(any::<u8>(), 0..80), masked: bool) {
        let hex = cardwright::base::bytes::Hex(&bytes).to_string();
        for kind in KINDS {
            let _ = decode(kind, &[&hex], ways(masked));
            let _ = decode(kind, &[&hex, &hex], ways(masked));
        }
        if let Ok(kind) = guess(&hex, ways(masked)) {
            prop_assert!(decode(&kind, &[&hex], ways(masked)).is_ok(), "{} was guessed and cannot be read", kind.name);
        }
    }

    #[test]
    fn arbitrary_text_never_panics_in_any_kind(text in ".{0,40}") {
        for kind in KINDS {
            let _ = decode(kind, &[&text], ways(true));
        }
        let _ = guess(&text, ways(true));
    }
}
