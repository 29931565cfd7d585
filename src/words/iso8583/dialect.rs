//! Dialects: TOML files that say how each field is written, how a message is
//! framed and how it is authenticated.

use super::layout::Part;
use super::{Iso8583Error, LengthPrefix, Message, Mti};
use crate::words::dictionary::{Sensitivity, tag};
use crate::words::tlv::Tag;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A dialect that is built in.
#[derive(Debug, Clone, Copy)]
pub struct DialectRow {
    /// Its name.
    pub name: &'static str,
    /// The TOML text, for a user to copy.
    pub text: &'static str,
}

/// The dialects that are built in.
pub const DIALECTS: &[DialectRow] = &[
    DialectRow { name: "pos", text: include_str!("dialect/pos.toml") },
    DialectRow { name: "network", text: include_str!("dialect/network.toml") },
    DialectRow { name: "ascii", text: include_str!("dialect/ascii.toml") },
];

/// How decimal digits, lengths among them, are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Digits {
    /// Two in a byte.
    Bcd,
    /// One character each.
    Ascii,
}

/// How binary fields and bitmaps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binary {
    /// As they are.
    Raw,
    /// Two hexadecimal characters a byte.
    Hex,
}

/// What a field's value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Decimal digits.
    N,
    /// Letters and digits. Taken as they come: any byte stays.
    An,
    /// Letters, digits and signs, in any character set.
    Ans,
    /// Bytes.
    B,
    /// Track 2 or 3: digits and the separator.
    Z,
}

/// How long a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldLength {
    /// Always `max`.
    Fixed,
    /// Two digits of length before it.
    Ll,
    /// Three digits of length before it.
    Lll,
}

/// On which side an odd number of packed digits stands; a zero fills the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Justify {
    /// The zero comes last.
    #[default]
    Left,
    /// The zero comes first.
    Right,
}

/// How the authentication code is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacAlgorithm {
    /// The code of point-of-sale terminals in China: blocks joined by exclusive or,
    /// then two encryptions over hexadecimal characters; single DES.
    PosEcb,
    /// The same under a key of double length.
    PosEcbDouble,
    /// ANSI X9.19: ISO/IEC 9797-1 algorithm 3 with padding method 1.
    X919,
}

impl MacAlgorithm {
    /// Bytes of its key: 8 or 16.
    pub fn key_bytes(self) -> usize {
        match self {
            Self::PosEcb => 8,
            Self::PosEcbDouble | Self::X919 => 16,
        }
    }
}

/// One field. Its sensitivity has no default, so that a new field cannot forget it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRow {
    /// Its name in ISO 8583:1987.
    pub name: String,
    /// What its value is made of.
    pub format: Format,
    /// How its length is known.
    pub length: FieldLength,
    /// Its length, or the most it may have: digits, characters or bytes, as the
    /// format counts.
    pub max: usize,
    /// Where an odd number of packed digits stands.
    #[serde(default)]
    pub justify: Justify,
    /// What sinks do with it.
    #[serde(deserialize_with = "sensitivity")]
    pub sensitivity: Sensitivity,
}

/// How messages of one kind of line are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name.
    pub name: String,
    /// What it is for, one line.
    pub purpose: String,
    /// How digits are written.
    pub digits: Digits,
    /// How binary fields and bitmaps are written.
    pub binary: Binary,
    /// What stands before a frame.
    pub prefix: LengthPrefix,
    /// Whether a TPDU of five bytes follows.
    pub tpdu: bool,
    /// Whether a message header of six bytes follows.
    pub header: bool,
    /// How field 64 or 128 is made.
    pub mac: MacAlgorithm,
    /// The type of a reversal.
    #[serde(deserialize_with = "mti")]
    pub reversal: Mti,
    /// The tag under which field 55 tells what became of issuer scripts: DF31 in China, 9F5B
    /// on other networks. EMV Book 4 has the element (6.3.9) and no tag for it.
    #[serde(default = "script_results")]
    pub script_results: Tag,
    /// Field 60, part by part.
    pub(super) f60: Vec<Part>,
    #[serde(deserialize_with = "fields")]
    fields: BTreeMap<u8, FieldRow>,
}

const fn script_results() -> Tag {
    tag::ISSUER_SCRIPT_RESULTS
}

/// The dialect of a name.
pub fn dialect(name: &str) -> Result<&'static Dialect, Iso8583Error> {
    static READ: OnceLock<Vec<Result<Dialect, Iso8583Error>>> = OnceLock::new();
    let read =
        READ.get_or_init(|| DIALECTS.iter().map(|row| Dialect::from_toml(row.name, row.text)).collect());
    let unknown = || {
        let names: Vec<&str> = DIALECTS.iter().map(|row| row.name).collect();
        Iso8583Error::Dialect { name: name.into(), cause: format!("expected one of {}", names.join(", ")) }
    };
    let index = DIALECTS.iter().position(|row| row.name == name).ok_or_else(unknown)?;
    read.get(index).ok_or_else(unknown)?.as_ref().map_err(Clone::clone)
}

impl Dialect {
    /// Reads a dialect's file.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Iso8583Error> {
        let fail = |cause: String| Iso8583Error::Dialect { name: name.into(), cause };
        let dialect: Self = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        for (field, row) in &dialect.fields {
            let most = match row.length {
                FieldLength::Fixed | FieldLength::Lll => 999,
                FieldLength::Ll => 99,
            };
            if !(1..=most).contains(&row.max) || !(2..=128).contains(field) || *field == 65 {
                return Err(fail(format!(
                    "field {field}: expected number 2 to 128, not 65, and max 1 to {most}"
                )));
            }
        }
        for part in &dialect.f60 {
            if let Some(expected) = part.trouble() {
                return Err(fail(format!("field 60, {}: expected {expected}", part.name)));
            }
        }
        let digits: usize = dialect.f60.iter().map(|part| part.digits).sum();
        match dialect.field(60) {
            Some(row) if digits <= row.max => Ok(dialect),
            _ => Err(fail(format!("field 60: expected a row for its {digits} digits"))),
        }
    }

    /// The same with another length before frames: lines of one dialect differ in it.
    #[must_use]
    pub fn with_prefix(mut self, prefix: LengthPrefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// The row of a field.
    pub fn field(&self, number: u8) -> Option<&FieldRow> {
        self.fields.get(&number)
    }

    /// The fields by number.
    pub fn fields(&self) -> impl Iterator<Item = (u8, &FieldRow)> {
        self.fields.iter().map(|(number, row)| (*number, row))
    }

    /// Where the authentication code of a message stands: 128 where it has a second
    /// bitmap, else 64.
    pub fn mac_field(&self, message: &Message) -> u8 {
        if message.iter().any(|(field, _)| field > 64) { 128 } else { 64 }
    }
}

fn sensitivity<'de, D: Deserializer<'de>>(from: D) -> Result<Sensitivity, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        Plain,
        Pan,
        Track,
        Person,
        Secret,
        Parts,
    }
    Ok(match Word::deserialize(from)? {
        Word::Plain => Sensitivity::Plain,
        Word::Pan => Sensitivity::Pan,
        Word::Track => Sensitivity::Track,
        Word::Person => Sensitivity::Person,
        Word::Secret => Sensitivity::Secret,
        Word::Parts => Sensitivity::Parts,
    })
}

fn mti<'de, D: Deserializer<'de>>(from: D) -> Result<Mti, D::Error> {
    let text = String::deserialize(from)?;
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    let number = u16::from_str_radix(&text, 16).ok().filter(|_| digits);
    number.map(Mti).ok_or_else(|| serde::de::Error::custom("expected a message type of four digits"))
}

fn fields<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u8, FieldRow>, D::Error> {
    let rows = BTreeMap::<String, FieldRow>::deserialize(from)?;
    let number = |text: &str| {
        text.parse::<u8>()
            .map_err(|_| serde::de::Error::custom(format!("expected a field number, found {text}")))
    };
    rows.into_iter().map(|(text, row)| Ok((number(&text)?, row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_read_and_hides_what_must_be_hidden() {
        for row in DIALECTS {
            let dialect = dialect(row.name).unwrap();
            assert_eq!(dialect.name, row.name);
            let of = |field| dialect.field(field).map(|row| row.sensitivity);
            assert_eq!(of(2), Some(Sensitivity::Pan), "{}", row.name);
            assert_eq!(of(35), Some(Sensitivity::Track), "{}", row.name);
            assert_eq!(of(52), Some(Sensitivity::Secret), "{}", row.name);
            assert_eq!(of(55), Some(Sensitivity::Parts), "{}", row.name);
        }
        assert!(dialect("pos2").unwrap_err().to_string().contains("expected one of pos"));
    }

    #[test]
    fn a_field_without_sensitivity_is_refused() {
        let text = DIALECTS[0].text;
        let line = text.lines().find(|line| line.starts_with("11 =")).unwrap();
        let without = line.replace(", sensitivity = \"plain\"", "");
        assert_ne!(line, without);
        let error = Dialect::from_toml("pos", &text.replace(line, &without)).unwrap_err();
        assert!(error.to_string().contains("sensitivity"), "{error}");
    }
}
