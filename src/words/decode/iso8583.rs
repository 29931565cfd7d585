//! Explains a host message (ISO 8583:1987): its frame, its fields, its chip data.

use super::{Explainer, Line, Masker};
use crate::words::dictionary::Sensitivity;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso8583::{
    Binary, Dialect, Digits, FieldRow, Format, Frame, Holds, Message, Mti, Parsed, Span, encode,
    parse_as_far, parse_spans,
};

/// What processing codes (F3) stand for.
const PROCESSING_CODES: &[(&str, &str)] = &[
    ("000000", "purchase"),
    ("030000", "pre-authorisation"),
    ("170000", "void of a cash load"),
    ("200000", "void or refund"),
    ("310000", "balance inquiry"),
    ("600000", "load from the linked account"),
    ("610000", "unload"),
    ("620000", "load from another account"),
    ("630000", "cash load"),
    ("650000", "transfer in of a load"),
];

/// What network management codes (F60.3 of a terminal, F70) stand for.
const MANAGEMENT_CODES: &[(&str, &str)] = &[
    ("001", "sign-on"),
    ("002", "sign-off"),
    ("003", "sign-on, working keys wanted"),
    ("101", "sign-on of a line, working keys wanted"),
    ("201", "sums of a batch"),
    ("203", "detail of a batch that agrees"),
    ("205", "detail of a batch that does not agree"),
    ("207", "end of the details"),
    ("301", "echo"),
    ("951", "script result"),
];

/// The parts of field 90: name and digits.
const ORIGINAL_PARTS: &[(&str, usize)] = &[
    ("original message type", 4),
    ("original trace", 6),
    ("original date and time (MMDDhhmmss)", 10),
    ("original acquirer", 11),
    ("original forwarder", 11),
];

/// What the first two digits of the entry mode (F22) stand for.
const ENTRY_MODES: &[(&str, &str)] = &[
    ("01", "typed"),
    ("02", "magnetic stripe"),
    ("05", "chip by contact"),
    ("07", "contactless, quick path"),
    ("90", "full magnetic stripe"),
    ("91", "contactless stripe data"),
    ("95", "chip, data unreliable"),
    ("96", "contactless, full path"),
    ("98", "contactless, full path"),
];

/// The name of a last line that says why the rest cannot be told.
pub(super) const UNREADABLE: &str = "cannot be read";

/// Explains a message from its MTI, or in a frame where the length before it fits.
/// What cannot be read is one last line that says why; nothing of it is shown.
/// `is_masked` masks every field as its row in the dialect asks.
pub fn explain_message(bytes: &[u8], dialect: &Dialect, is_masked: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    let prefix = dialect.prefix.bytes();
    let framed = bytes.get(prefix..).filter(|rest| dialect.prefix.read(bytes) == Ok(rest.len()));
    let mut message = bytes;
    if let Some(frame) = framed.and_then(|rest| Frame::open(rest, dialect).ok()) {
        let length = Line::new(0, 0, "length").value(&bytes[..prefix]);
        lines.push(length.meaning(format!("{} bytes follow", bytes.len() - prefix)));
        if let Some(tpdu) = frame.tpdu {
            lines.push(Line::new(0, prefix, "TPDU").value(tpdu).meaning("identifier, destination, source"));
        }
        if let Some(header) = frame.header {
            let offset = prefix + frame.tpdu.map_or(0, |tpdu| tpdu.len());
            lines.push(Line::new(0, offset, "message header").value(header));
        }
        message = frame.message;
        start = bytes.len() - message.len();
    }
    let (parsed, error) = parse_as_far(message, dialect);
    let mut explainer = Fields {
        dialect,
        start,
        masker: is_masked.then(Masker::new),
        currency: parsed.message.text(49).and_then(Currency::parse),
    };
    explainer.all(&mut lines, &parsed, message);
    if let Some(error) = error {
        let at = parsed.spans.last().map_or(parsed.bitmap_end, |span| span.end);
        lines.push(Line::new(0, start + at, UNREADABLE).meaning(error.to_string()));
    }
    lines
}

struct Fields<'a> {
    dialect: &'a Dialect,
    start: usize,
    masker: Option<Masker>,
    currency: Option<Currency>,
}

impl Fields<'_> {
    fn all(&mut self, lines: &mut Vec<Line>, parsed: &Parsed, bytes: &[u8]) {
        if parsed.mti_length == 0 {
            return;
        }
        let mti = Line::new(0, self.start, "message type").value(&bytes[..parsed.mti_length]);
        lines.push(mti.meaning(parsed.message.mti.words()));
        if let Some(bitmap) = bytes.get(parsed.mti_length..parsed.bitmap_end).filter(|bits| !bits.is_empty())
        {
            let list: Vec<String> = parsed.spans.iter().map(|span| span.field.to_string()).collect();
            let line = Line::new(0, self.start + parsed.mti_length, "bitmap").value(bitmap);
            lines.push(line.meaning(format!("fields {}", list.join(" "))));
        }
        for span in &parsed.spans {
            if let (Some(row), Some(value)) =
                (self.dialect.field(span.field), parsed.message.bytes(span.field))
            {
                self.field(lines, span, row, value);
            }
        }
    }

    fn field(&mut self, lines: &mut Vec<Line>, span: &Span, row: &FieldRow, value: &[u8]) {
        let shown = self.masked(row, value);
        let name = format!("F{} {}", span.field, row.name);
        let line = Line::new(0, self.start + span.offset, name);
        if row.sensitivity == Sensitivity::Parts {
            lines.push(line);
            let mut inner = match self.masker {
                Some(_) => Explainer::masked(),
                None => Explainer::unmasked(),
            };
            let width = if self.dialect.binary == Binary::Hex { 2 } else { 1 };
            lines.extend(inner.tlv(value).into_iter().map(|mut line| {
                line.depth += 1;
                line.offset = self.start + span.value_offset + line.offset * width;
                line
            }));
            return;
        }
        let hidden = self.masker.is_some();
        let says = match row.sensitivity {
            Sensitivity::Secret | Sensitivity::Person if hidden => "masked".to_owned(),
            Sensitivity::Pan | Sensitivity::Track if hidden => {
                format!("{} (a pseudonym)", characters(&shown))
            }
            _ => self.meaning(span.field, row, &shown),
        };
        lines.push(line.value(self.on_the_wire(span.field, &shown)).meaning(says));
        self.parts(lines, span, &characters(&shown));
    }

    /// The parts of a field that has some, each at its place.
    fn parts(&self, lines: &mut Vec<Line>, span: &Span, text: &str) {
        let packed = if self.dialect.digits == Digits::Bcd { 2 } else { 1 };
        let mut part = |name: &str, at: usize, meaning: String| {
            let offset = self.start + span.value_offset + at / packed;
            lines.push(Line::new(1, offset, name.to_owned()).meaning(meaning));
        };
        match span.field {
            60 => {
                for (row, at, digits) in self.dialect.f60_parts(text) {
                    let meaning = match (row.holds, row.words.get(digits)) {
                        (Some(Holds::Management), _) => named(MANAGEMENT_CODES, digits, digits),
                        (_, Some(words)) => format!("{digits}: {words}"),
                        _ => digits.to_owned(),
                    };
                    part(&row.name, at, meaning);
                }
            }
            90 => {
                let mut at = 0;
                for (name, digits) in ORIGINAL_PARTS {
                    let Some(found) = text.get(at..at + digits) else { return };
                    let words = if at == 0 { type_words(found) } else { "" };
                    part(
                        name,
                        at,
                        if words.is_empty() { found.to_owned() } else { format!("{found}: {words}") },
                    );
                    at += digits;
                }
            }
            _ => {}
        }
    }

    /// The value as a sink may show it; its length stays.
    fn masked(&mut self, row: &FieldRow, value: &[u8]) -> Vec<u8> {
        let Some(masker) = &mut self.masker else { return value.to_vec() };
        match row.sensitivity {
            Sensitivity::Plain if matches!(row.format, Format::An | Format::Ans) => {
                let text = masker.text(&String::from_utf8_lossy(value));
                let mut text = text.into_bytes();
                text.resize(value.len(), b'*');
                text
            }
            Sensitivity::Plain | Sensitivity::Parts => value.to_vec(),
            Sensitivity::Pan => masker.pan(&characters(value)).into_bytes(),
            Sensitivity::Track => masker.track_2_text(&characters(value)).into_bytes(),
            Sensitivity::Person | Sensitivity::Secret => {
                let blank = if row.format == Format::B { 0 } else { b'0' };
                vec![blank; value.len()]
            }
        }
    }

    /// The bytes of one field's value.
    fn on_the_wire(&self, field: u8, value: &[u8]) -> Vec<u8> {
        let alone = Message::new(Mti::NETWORK).with(field, value);
        let Ok(bytes) = encode(&alone, self.dialect) else { return Vec::new() };
        let span = parse_spans(&bytes, self.dialect).ok().and_then(|parsed| parsed.spans.first().copied());
        span.and_then(|span| bytes.get(span.value_offset..span.end)).unwrap_or_default().to_vec()
    }

    fn meaning(&self, field: u8, row: &FieldRow, value: &[u8]) -> String {
        let text = characters(value);
        match field {
            _ if row.format == Format::B => String::new(),
            3 => named(PROCESSING_CODES, &text, &text),
            4 => match (text.parse(), self.currency) {
                (Ok(minor), Some(currency)) => Amount::new(minor, currency).to_string(),
                _ => text,
            },
            22 => named(ENTRY_MODES, text.get(..2).unwrap_or_default(), &text),
            39 if text == "00" => "00: approved".to_owned(),
            49 => Currency::parse(&text).map_or(text.clone(), |currency| currency.to_string()),
            37 if !self.dialect.f60_has(Holds::Batch) => match (text.get(..6), text.get(6..12)) {
                (Some(batch), Some(trace)) => format!("batch {batch}, trace {trace}"),
                _ => text,
            },
            61 => match (text.get(..6), text.get(6..12)) {
                (Some(batch), Some(trace)) => format!("original batch {batch}, trace {trace}"),
                _ => text,
            },
            70 => named(MANAGEMENT_CODES, &text, &text),
            _ => text,
        }
    }
}

/// A value, and what its key stands for where that is known.
fn named(rows: &[(&str, &str)], key: &str, value: &str) -> String {
    let words = rows.iter().find(|row| row.0 == key).map(|row| row.1);
    words.map_or_else(|| value.to_owned(), |words| format!("{value}: {words}"))
}

/// What a message type of four digits says; nothing where that is not known.
fn type_words(digits: &str) -> &'static str {
    u16::from_str_radix(digits, 16).map_or("", |number| Mti(number).words())
}

fn characters(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Hex, parse_hex};
    use crate::words::iso8583::{DIALECTS, dialect};
    use proptest::prelude::*;

    const PAN: &str = "6299990000000001234";

    fn sample() -> Message {
        Message::new(Mti::FINANCIAL)
            .with(2, PAN)
            .with(3, "600000")
            .with(4, "000000005000")
            .with(22, "051")
            .with(35, format!("{PAN}=3012220123456789"))
            .with(49, "156")
            .with(52, [0xA5; 8])
            .with(55, parse_hex("9F3602001A 5A0A6299990000000001234F").unwrap())
            .with(60, "4500000100050")
            .with(63, format!("card {PAN} refused"))
    }

    #[test]
    fn every_field_is_told_at_its_place_and_no_pan_gets_through() {
        for row in DIALECTS {
            let dialect = dialect(row.name).unwrap();
            let bytes = encode(&sample(), dialect).unwrap();
            let frame = Frame { tpdu: None, header: None, message: &bytes }.to_bytes(dialect).unwrap();
            for (whole, input) in [(false, &bytes), (true, &frame)] {
                let open = explain_message(input, dialect, false);
                assert!(open.iter().any(|line| line.meaning == PAN), "{}", row.name);
                assert_eq!(open[0].name == "length", whole);
                let lines = explain_message(input, dialect, true);
                assert_eq!(lines.len(), open.len());
                for line in &lines {
                    let text = format!("{line:?} {}", Hex(&line.value));
                    assert!(!text.contains(PAN) && !text.contains("A5A5A5A5"), "{}: {text}", row.name);
                    assert!(!String::from_utf8_lossy(&line.value).contains(PAN), "{}: {text}", row.name);
                }
                for (line, masked) in open.iter().zip(&lines).filter(|(line, _)| line.name.starts_with('F')) {
                    assert_eq!((line.offset, line.value.len()), (masked.offset, masked.value.len()));
                }
                let meaning =
                    |name: &str| &lines.iter().find(|line| line.name.starts_with(name)).unwrap().meaning;
                assert_eq!(meaning("F3 "), "600000: load from the linked account");
                assert_eq!(meaning("F4 "), "50.00 CNY");
                match row.name {
                    "network" => assert_eq!(meaning("reason code"), "4500"),
                    _ => assert_eq!(
                        (&meaning("transaction type")[..], &meaning("batch")[..]),
                        ("45", "000001")
                    ),
                }
            }
        }
    }

    #[test]
    fn a_networks_reversal_says_what_it_undoes() {
        let network = dialect("network").unwrap();
        let message = Message::new(Mti::REVERSAL_ADVICE)
            .with(37, "000001000123")
            .with(60, "0000051010000000000000023")
            .with(70, "951")
            .with(90, "020000012311210800000000001034400000010344");
        let bytes = encode(&message, network).unwrap();
        let lines = explain_message(&bytes, network, true);
        let told = |name: &str| {
            let line = lines.iter().find(|line| line.name == name).unwrap();
            (line.offset, line.meaning.as_str())
        };
        assert_eq!(told("F37 Retrieval Reference Number").1, "batch 000001, trace 000123");
        assert_eq!(told("read capability").1, "5: chip");
        assert_eq!(told("medium").1, "2: chip");
        assert_eq!(told("F70 Network Management Information Code").1, "951: script result");
        assert_eq!(told("original message type").1, "0200: financial request");
        let (at, trace) = told("original trace");
        assert_eq!((trace, &bytes[at..at + 6]), ("000123", &b"000123"[..]));
        assert_eq!(told("original forwarder").1, "00000010344");
    }

    #[test]
    fn a_truncated_message_is_told_as_far_as_it_goes() {
        let pos = dialect("pos").unwrap();
        let bytes = encode(&sample(), pos).unwrap();
        for end in 0..bytes.len() {
            let lines = explain_message(&bytes[..end], pos, true);
            assert_eq!(lines.last().unwrap().name, "cannot be read", "{end}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_told(bytes in prop::collection::vec(any::<u8>(), 0..120), is_masked: bool) {
            for row in DIALECTS {
                explain_message(&bytes, dialect(row.name).unwrap(), is_masked);
            }
        }
    }
}
