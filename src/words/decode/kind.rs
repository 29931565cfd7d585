//! Kinds of data that are explained on their own, by name, and guessing which one it is.
//! What cannot be read is told with its place and with what was expected there.

use super::explain_message;
use super::iso8583::UNREADABLE;
use super::judge::harmless_read;
use super::{Explainer, Line, aid_name, bits, code_words, command_row, explain_atr, iad, parts};
use crate::base::bytes::parse_hex;
use crate::words::dictionary::{Row, tag};
use crate::words::emv::{CvmList, Tvr};
use crate::words::iso7816::{Aid, CommandApdu, ResponseApdu, StatusWord};
use crate::words::iso8583::Dialect;
use crate::words::tlv::{self, Dol, Tag};

/// A kind of data.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// What it is, one line.
    pub about: &'static str,
    read: Read,
}

#[derive(Clone, Copy)]
enum Read {
    /// The value of one element.
    Element(Tag),
    Tlv,
    /// A command, its answer, the next command, and so on.
    Apdu,
    /// An answer without its command.
    Response,
    Dol,
    TagList,
    Atr,
    Status,
    Aid,
    Message,
    /// A number or letters as a person writes them.
    Code,
}

const fn kind(name: &'static str, about: &'static str, read: Read) -> Kind {
    Kind { name, about, read }
}

const fn element(name: &'static str, about: &'static str, tag: Tag) -> Kind {
    Kind { name, about, read: Read::Element(tag) }
}

/// Every kind; a tag with a dictionary row is one, too.
pub const KINDS: &[Kind] = &[
    kind("tlv", "BER-TLV data objects, as a card or field 55 has them", Read::Tlv),
    kind("apdu", "a command APDU, its answer, the next command, and so on", Read::Apdu),
    kind("response", "an answer with its status word, without its command", Read::Response),
    kind("sw", "a status word", Read::Status),
    kind("dol", "a data object list: PDOL, CDOL, DDOL, TDOL, log format", Read::Dol),
    kind("tag-list", "tags side by side", Read::TagList),
    kind("atr", "an answer to reset", Read::Atr),
    kind("aid", "the name of an application", Read::Aid),
    element("tvr", "terminal verification results (95), and action codes", tag::TVR),
    element("tsi", "transaction status information (9B)", tag::TSI),
    element("cvm", "a CVM list (8E)", tag::CVM_LIST),
    element("cvm-results", "CVM results (9F34)", tag::CVM_RESULTS),
    element("iad", "issuer application data (9F10)", tag::ISSUER_APPLICATION_DATA),
    element("arpc", "issuer authentication data (91)", tag::ISSUER_AUTHENTICATION_DATA),
    element("aip", "application interchange profile (82)", tag::AIP),
    element("afl", "application file locator (94)", tag::AFL),
    element("auc", "application usage control (9F07)", tag::APPLICATION_USAGE_CONTROL),
    element("ttq", "terminal transaction qualifiers (9F66)", tag::TTQ),
    element("ctq", "card transaction qualifiers (9F6C)", tag::CTQ),
    element("cid", "cryptogram information data (9F27)", tag::CRYPTOGRAM_INFORMATION_DATA),
    element("terminal-type", "terminal type (9F35)", tag::TERMINAL_TYPE),
    element("terminal-capabilities", "terminal capabilities (9F33)", tag::TERMINAL_CAPABILITIES),
    element(
        "additional-capabilities",
        "additional terminal capabilities (9F40)",
        tag::ADDITIONAL_TERMINAL_CAPABILITIES,
    ),
    element("risk-data", "terminal risk management data (9F1D)", tag::TERMINAL_RISK_MANAGEMENT_DATA),
    element("pos-entry", "POS entry mode (9F39)", tag::POS_ENTRY_MODE),
    element("mcc", "merchant category code (9F15)", tag::MERCHANT_CATEGORY_CODE),
    element("arc", "authorisation response code (8A), in hexadecimal", tag::AUTHORISATION_RESPONSE_CODE),
    kind("iso8583", "a host message, from its MTI or with its frame", Read::Message),
    kind("country", "a country by number, two or three letters", Read::Code),
    kind("currency", "a currency by number or letters", Read::Code),
    kind("language", "a language by two or three letters", Read::Code),
];

/// How to decode.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// Whether card data is masked.
    pub masked: bool,
    /// How host messages are written.
    pub dialect: &'a Dialect,
}

/// Why something cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No hexadecimal text.
    #[error("expected hexadecimal digits: {0}")]
    Hex(String),
    /// Nothing was given.
    #[error("expected data to decode as {kind}, found nothing")]
    Nothing {
        /// The kind.
        kind: &'static str,
    },
    /// An element of another length.
    #[error("expected {expected} bytes of {name}, found {found}: it breaks off at offset {offset}")]
    Length {
        /// What the element is called.
        name: &'static str,
        /// How many bytes it has.
        expected: String,
        /// How many came.
        found: usize,
        /// Where the bytes end, or what should be the end.
        offset: usize,
    },
    /// Another form than the kind has.
    #[error("as {kind}: {reason}")]
    Form {
        /// The kind.
        kind: &'static str,
        /// What was expected, what came, and where.
        reason: String,
    },
    /// No kind fits.
    #[error("expected data of a kind that can be guessed; name one, as in `decode tlv HEX`. {}", .0.join("; "))]
    Unknown(Vec<String>),
}

impl Kind {
    /// The kind of a name, or the element of a tag that has a dictionary row.
    pub fn of_name(name: &str) -> Option<Self> {
        let known = KINDS.iter().find(|kind| kind.name == name).copied();
        known.or_else(|| {
            let row = Row::of_tag(Tag::parse_text(name)?)?;
            Some(Self { name: row.name, about: row.name, read: Read::Element(row.tag?) })
        })
    }

    /// Whether several inputs belong together.
    pub fn is_session(&self) -> bool {
        matches!(self.read, Read::Apdu)
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

/// Explains texts of a kind, one after the other: hexadecimal digits, but for codes.
pub fn decode(kind: &Kind, texts: &[&str], ways: Ways<'_>) -> Result<Vec<Line>, DecodeError> {
    let form = |reason: String| DecodeError::Form { kind: kind.name, reason };
    let mut explainer = if ways.masked { Explainer::masked() } else { Explainer::unmasked() };
    let mut lines = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        if matches!(kind.read, Read::Code) {
            let found = code_words(kind.name, text.trim());
            let words = found.ok_or_else(|| {
                form(format!("expected a number or letters of the standard, found {text:?}"))
            })?;
            lines.push(Line::new(0, 0, kind.name).meaning(words));
            continue;
        }
        let bytes = parse_hex(text).map_err(|error| DecodeError::Hex(error.to_string()))?;
        if bytes.is_empty() {
            return Err(DecodeError::Nothing { kind: kind.name });
        }
        lines.extend(match kind.read {
            Read::Element(tag) => value(&mut explainer, tag, &bytes)?,
            Read::Tlv => {
                tlv::parse(&bytes).map_err(|error| form(error.to_string()))?;
                explainer.tlv(&bytes)
            }
            // The bytes may be a card's data: only their number is told.
            Read::Apdu if index % 2 == 0 => {
                let command = CommandApdu::parse(&bytes);
                explainer.command(&command.map_err(|error| form(format!("{} bytes: {error}", bytes.len())))?)
            }
            Read::Apdu | Read::Response => {
                let response = ResponseApdu::parse(&bytes);
                explainer
                    .response(&response.map_err(|error| form(format!("{} bytes: {error}", bytes.len())))?)
            }
            Read::Dol => dol(&bytes).map_err(|error| form(error.to_string()))?,
            Read::TagList => {
                tlv::parse_tag_list(&bytes).map_err(|error| form(error.to_string()))?;
                parts::tag_list(&bytes, 0, 0).unwrap_or_default()
            }
            Read::Atr => explain_atr(&bytes).map_err(|error| form(error.to_string()))?,
            Read::Status => {
                vec![status(&bytes).ok_or_else(|| form(format!("expected 2 bytes, found {}", bytes.len())))?]
            }
            Read::Aid => vec![
                aid(&bytes).ok_or_else(|| form(format!("expected 5 to 16 bytes, found {}", bytes.len())))?,
            ],
            Read::Message => message(&bytes, ways)?,
            Read::Code => Vec::new(),
        });
    }
    match texts.is_empty() {
        true => Err(DecodeError::Nothing { kind: kind.name }),
        false => Ok(lines),
    }
}

/// The kind that bytes are most likely of.
pub fn guess(text: &str, ways: Ways<'_>) -> Result<Kind, DecodeError> {
    let bytes = parse_hex(text).map_err(|error| DecodeError::Hex(error.to_string()))?;
    let fits = |name: &str| match name {
        "atr" => explain_atr(&bytes).is_ok_and(|lines| {
            bytes.len() > 3 && lines.iter().all(|line| line.name != "bytes after the answer")
        }),
        "apdu" => CommandApdu::parse(&bytes)
            .is_ok_and(|command| command_row(&command).is_some() || harmless_read(&command).is_some()),
        "tvr" => Tvr::from_bytes(&bytes).is_some_and(|tvr| {
            let named = bits::of_tag(tag::TVR, &tvr.0).unwrap_or_default();
            named.iter().all(|set| Tvr::ROWS.iter().any(|row| (row.byte, row.bit) == (set.0, set.1)))
        }),
        "aid" => bytes.len() <= 16 && Aid::new(bytes.as_slice()).is_some_and(|aid| aid_name(&aid).is_some()),
        "tlv" => tlv::parse(&bytes).is_ok_and(|list| {
            let known = list.iter().all(|object| Row::of_tag(object.tag).is_some());
            known && list.iter().any(|object| !object.value.is_empty())
        }),
        "response" => bytes.split_last_chunk::<2>().is_some_and(|(data, status)| {
            StatusWord(u16::from_be_bytes(*status)).is_ok()
                && tlv::parse(data).is_ok_and(|list| !list.is_empty())
        }),
        "sw" => status(&bytes).is_some_and(|line| !line.meaning.is_empty()),
        "cvm" => CvmList::parse(&bytes).is_ok_and(|list| {
            let known =
                list.rules.iter().all(|rule| rule.code.words().is_some() && rule.condition.words().is_some());
            known && !list.rules.is_empty()
        }),
        "iad" => bytes.len() <= 32 && !iad::lines(&bytes, 0, 0, None).is_empty(),
        "dol" => Dol::parse(&bytes).is_ok_and(|list| {
            let sound = |entry: &tlv::DolEntry| {
                Row::of_tag(entry.tag)
                    .is_some_and(|row| entry.length > 0 && u32::from(entry.length) <= row.max)
            };
            !list.0.is_empty() && list.0.iter().all(sound)
        }),
        "iso8583" => message(&bytes, ways).is_ok(),
        _ => false,
    };
    const ORDER: [&str; 11] =
        ["atr", "apdu", "response", "tlv", "sw", "aid", "tvr", "cvm", "iad", "dol", "iso8583"];
    if let Some(kind) = ORDER.iter().find(|name| fits(name)).and_then(|name| Kind::of_name(name)) {
        return Ok(kind);
    }
    let told = ["tlv", "apdu", "atr", "dol"].iter().filter_map(|name| {
        let kind = Kind::of_name(name)?;
        decode(&kind, &[text], ways).err().map(|error| error.to_string())
    });
    Err(DecodeError::Unknown(told.collect()))
}

fn value(explainer: &mut Explainer, tag: Tag, bytes: &[u8]) -> Result<Vec<Line>, DecodeError> {
    if let Some(row) = Row::of_tag(tag) {
        let (min, max) = (row.min as usize, row.max as usize);
        let variant = parts::variant_name(tag, bytes).is_some();
        if !(min..=max).contains(&bytes.len()) && !variant {
            let expected = if min == max { min.to_string() } else { format!("{min} to {max}") };
            let offset = bytes.len().min(max);
            return Err(DecodeError::Length { name: row.name, expected, found: bytes.len(), offset });
        }
    }
    if tag == tag::CVM_LIST {
        CvmList::parse(bytes)
            .map_err(|error| DecodeError::Form { kind: "cvm", reason: error.to_string() })?;
    }
    Ok(explainer.value(tag, bytes))
}

fn dol(bytes: &[u8]) -> Result<Vec<Line>, tlv::TlvError> {
    let mut at = 0;
    let line = |entry: tlv::DolEntry| {
        let name = Row::of_tag(entry.tag).map_or("element without a dictionary row", |row| row.name);
        let line = Line::new(0, at, name).tag(entry.tag).meaning(format!("{} bytes", entry.length));
        at += entry.tag.length_bytes() + 1;
        line
    };
    Ok(Dol::parse(bytes)?.0.into_iter().map(line).collect())
}

fn status(bytes: &[u8]) -> Option<Line> {
    let status = StatusWord(u16::from_be_bytes(bytes.try_into().ok()?));
    let words = match status.counter() {
        Some(left) => format!("verification failed, {left} tries left"),
        None => status.words().unwrap_or_default().to_owned(),
    };
    Some(Line::new(0, 0, "status word").value(bytes).meaning(words))
}

fn aid(bytes: &[u8]) -> Option<Line> {
    let aid = Aid::new(bytes).filter(|_| bytes.len() >= 5)?;
    let name = aid_name(&aid).unwrap_or("no application whose name is known here");
    Some(Line::new(0, 0, "application identifier").value(bytes).meaning(name))
}

/// A message that breaks off is told as far as it goes by the error's place alone.
fn message(bytes: &[u8], ways: Ways<'_>) -> Result<Vec<Line>, DecodeError> {
    let lines = explain_message(bytes, ways.dialect, ways.masked);
    match lines.last() {
        Some(last) if last.name == UNREADABLE => {
            let reason = format!("offset {}: {}", last.offset, last.meaning);
            Err(DecodeError::Form { kind: "iso8583", reason })
        }
        _ => Ok(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::iso8583::dialect;

    fn ways() -> Ways<'static> {
        Ways { masked: false, dialect: dialect("pos").unwrap() }
    }

    #[test]
    fn kinds_stand_once_and_are_guessed() {
        for (index, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..index].iter().all(|other| other.name != kind.name), "{}", kind.name);
        }
        for (hex, name) in [
            ("3B888001435743524544495410", "atr"),
            ("00A4040007A000000003101000", "apdu"),
            ("80CA9F7900", "apdu"),
            ("9F3602001A9F2701 80", "tlv"),
            ("9F3602001A9000", "response"),
            ("6A82", "sw"),
            ("A0000000031010", "aid"),
            ("0000008000", "tvr"),
            ("8000048000", "tvr"),
            ("0000000000000000 41031F00", "cvm"),
            ("07010103A00000010A010000038787868FD1FC", "iad"),
            ("9F02069F03069F1A0295055F2A029A039C019F3704", "dol"),
        ] {
            assert_eq!(guess(hex, ways()).unwrap().name, name, "{hex}");
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let told = |kind: &str, hex: &str| {
            decode(&Kind::of_name(kind).unwrap(), &[hex], ways()).unwrap_err().to_string()
        };
        assert!(told("tlv", "9F36 02 00").contains("expected 2 bytes of value for tag 9F36 at offset 3"));
        assert_eq!(
            told("tvr", "00000000"),
            "expected 5 bytes of Terminal Verification Results, found 4: it breaks off at offset 4"
        );
        assert!(told("9F33", "E0F9").contains("expected 3 bytes of Terminal Capabilities"));
        assert!(told("dol", "9F02").contains("offset 2"));
        assert!(told("atr", "3B80800100").contains("TCK to be 01"));
        assert!(told("cvm", "0000000000000000 4103 1F").contains("11 bytes"));
        assert!(told("country", "XX").contains("\"XX\""));
        assert!(told("tlv", "0g").contains("hexadecimal"));
        assert!(matches!(decode(&KINDS[0], &[], ways()), Err(DecodeError::Nothing { .. })));
        let unknown = guess("FFEEDD", ways()).unwrap_err().to_string();
        assert!(unknown.contains("name one") && unknown.contains("as atr: expected TS"), "{unknown}");
    }
}
