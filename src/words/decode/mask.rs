//! Masking: a PAN becomes one pseudonym for the whole file, names and identity
//! numbers are replaced, secrets and whatever has no dictionary row are blanked.
//! Lengths stay, so that what is masked still parses to the same tree.

use super::judge::{command_row, harmless_read};
use super::pseudonym::{Pseudonyms, nibble, set_nibble};
use super::session::{DEPTH_LIMIT, Log, Session};
use crate::base::bytes::{bcd_digits, digits_to_bcd};
use crate::base::event::{Element, ElementKey};
use crate::words::dictionary::{Format, Row, Sensitivity, tag};
use crate::words::emv::Pan;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::{self, Dol, Tag, Tlv};

/// Masks one file or one output. It remembers the PANs that it replaced and, within
/// a card session, the lists (PDOL, CDOL1, CDOL2, log formats) by which later bytes
/// are read; what cannot be read is blanked.
#[derive(Debug, Clone, Default)]
pub struct Masker {
    pub(super) names: Pseudonyms,
    pub(super) session: Session,
}

impl Masker {
    /// A masker that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A masker that lets PANs of our own test range stand, so that another system's log
    /// can be matched with what is kept; all else is masked as ever.
    pub fn keeping_test_range() -> Self {
        Self { names: Pseudonyms::keeping_test_range(), ..Self::default() }
    }

    /// Forgets the card session, not the pseudonyms: the card was reset or changed.
    pub fn reset(&mut self) {
        self.session.reset();
    }

    /// Masks a command and its answer.
    pub fn mask_exchange(
        &mut self,
        command: &CommandApdu,
        response: &ResponseApdu,
    ) -> (CommandApdu, ResponseApdu) {
        let command = self.command(command);
        (command, self.response(response))
    }

    /// Masks a command; the header stays. Data that no element of the command
    /// covers is blanked.
    pub fn command(&mut self, command: &CommandApdu) -> CommandApdu {
        self.session.begin(command);
        self.command_data(command, 0)
    }

    /// Masks the answer to the command that was masked last; the status word stays.
    pub fn response(&mut self, response: &ResponseApdu) -> ResponseApdu {
        let data = self.response_data(&response.data);
        self.session.end(response.status, &response.data);
        ResponseApdu { data, status: response.status }
    }

    /// Masks data objects that stand side by side; bytes that are no TLV are blanked.
    pub fn tlv(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.tlv_at(bytes, 0)
    }

    /// Masks the data that a list asked for; data of another length is blanked.
    pub fn dol_data(&mut self, dol: &Dol, data: &[u8]) -> Vec<u8> {
        self.dol_data_at(dol, data, 0)
    }

    /// Masks the element of an event. `C-APDU` and `R-APDU` are followed as a session.
    pub fn element(&mut self, element: &Element) -> Element {
        let value = match &element.key {
            ElementKey::Tag(tag) => {
                let (tag, value) = (Tag(*tag), element.value.as_slice());
                self.note_pan(tag, value);
                self.value(tag, value, 0)
            }
            ElementKey::Named(name) => self.named(name, &element.value),
        };
        Element { key: element.key.clone(), value }
    }

    /// Learns the PANs of elements, so that none of them is shown by another one.
    pub fn note(&mut self, elements: &[Element]) {
        for element in elements {
            match &element.key {
                ElementKey::Tag(tag) if Tag(*tag).is_constructed() => self.note_bytes(&element.value),
                ElementKey::Tag(tag) => self.note_pan(Tag(*tag), &element.value),
                ElementKey::Named(_) => self.note_bytes(&element.value),
            }
        }
    }

    /// The pseudonym of a PAN; digits that are no PAN become zeros.
    pub fn pan(&mut self, digits: &str) -> String {
        match Pan::new(digits) {
            Ok(pan) => self.names.of(&pan),
            Err(_) => "0".repeat(digits.chars().count()),
        }
    }

    fn command_data(&mut self, command: &CommandApdu, depth: usize) -> CommandApdu {
        let elements = command_row(command).and_then(|row| (row.elements)(command).ok()).unwrap_or_default();
        let data = match template_83(command) {
            Some(parts) => {
                let mut data = command.data.clone();
                let masked = self.pdol_data(parts.value, depth);
                data[parts.value_offset..].copy_from_slice(&masked);
                data
            }
            None => self.covered(&elements, &command.data, depth),
        };
        CommandApdu { data, ..command.clone() }
    }

    /// Data of which the last elements are the whole: each is masked by its row.
    fn covered(&mut self, elements: &[Element], data: &[u8], depth: usize) -> Vec<u8> {
        let Some(parts) = covering(elements, data) else { return vec![0; data.len()] };
        self.note(parts);
        let mut out = Vec::with_capacity(data.len());
        for part in parts {
            out.extend(match &part.key {
                ElementKey::Tag(tag) => self.value(Tag(*tag), &part.value, depth),
                ElementKey::Named(name) => self.named_part(name, &part.value, depth),
            });
        }
        out
    }

    fn response_data(&mut self, data: &[u8]) -> Vec<u8> {
        let blank = vec![0; data.len()];
        let Some(command) = self.session.command().cloned().filter(|_| !self.session.partial) else {
            return blank;
        };
        if let Some((log, format)) = self.session.log(data.len()) {
            // A load begins with which balance, its old and its new value.
            let plain = if log == Log::Loads { 14 } else { 0 };
            let (head, rest) = data.split_at(plain);
            return [head.to_vec(), self.dol_data(&format, rest)].concat();
        }
        let row = command_row(&command);
        let objects = tlv::parse(data).ok().filter(|list| !list.is_empty());
        match (objects, row) {
            // Bytes of a command that nobody knows may look like data objects by chance.
            (Some(list), None) if list.iter().any(|t| Row::of_tag(t.tag).is_none()) => blank,
            (Some(_), _) => self.tlv(data),
            (None, Some(row)) => {
                let elements = (row.response_elements)(&command, data).unwrap_or_default();
                self.covered(&elements, data, 0)
            }
            (None, None) if harmless_read(&command).is_some_and(|read| read.plain_answer) => self.swept(data),
            (None, None) => blank,
        }
    }

    fn tlv_at(&mut self, bytes: &[u8], depth: usize) -> Vec<u8> {
        let mut out = bytes.to_vec();
        match tlv::parse(bytes) {
            Ok(list) if depth < DEPTH_LIMIT => {
                self.session.learn(&list, depth);
                self.note_list(&list, depth);
                self.list(&mut out, &list, false, depth);
            }
            _ => out.fill(0),
        }
        out
    }

    /// Masks the values in place. Within a template without a row all are blanked.
    fn list(&mut self, out: &mut [u8], list: &[Tlv<'_>], blank: bool, depth: usize) {
        for element in list {
            let Some(slot) = out.get_mut(element.value_offset..element.value_offset + element.value.len())
            else {
                continue;
            };
            if !element.tag.is_constructed() {
                if blank {
                    slot.fill(0);
                } else {
                    slot.copy_from_slice(&self.value(element.tag, element.value, depth));
                }
                continue;
            }
            match element.children() {
                Ok(children) if depth < DEPTH_LIMIT => {
                    let blank = blank || Row::of_tag(element.tag).is_none();
                    self.list(out, &children, blank, depth + 1);
                }
                _ => slot.fill(0),
            }
        }
    }

    /// Masks the value of one tag. It keeps its length.
    fn value(&mut self, tag: Tag, value: &[u8], depth: usize) -> Vec<u8> {
        self.session.learn_one(tag, value);
        let Some(row) = Row::of_tag(tag) else { return vec![0; value.len()] };
        match row.sensitivity {
            Sensitivity::Plain if tag == tag::ISSUER_SCRIPT_COMMAND => self.script_command(value, depth),
            Sensitivity::Parts if tag == tag::COMMAND_TEMPLATE => self.pdol_data(value, depth),
            Sensitivity::Parts => self.tlv_at(value, depth + 1),
            _ => self.by_row(row, value),
        }
    }

    /// Masks an element without a tag, as an event carries it.
    fn named(&mut self, name: &str, value: &[u8]) -> Vec<u8> {
        match name {
            "C-APDU" => match CommandApdu::parse(value) {
                Ok(command) => same_length(self.command(&command).to_bytes(), value),
                Err(_) => header_only(value),
            },
            "R-APDU" => match ResponseApdu::parse(value) {
                Ok(response) => self.response(&response).to_bytes(),
                Err(_) => vec![0; value.len()],
            },
            _ => self.named_part(name, value, 0),
        }
    }

    fn named_part(&mut self, name: &str, value: &[u8], depth: usize) -> Vec<u8> {
        match Row::of_name(name) {
            None => vec![0; value.len()],
            Some(_) if name == "CDOL data" => match self.session.cdol(value.len()) {
                Some(list) => self.dol_data(&list, value),
                None => vec![0; value.len()],
            },
            Some(row) if row.sensitivity == Sensitivity::Parts => self.tlv_at(value, depth + 1),
            Some(row) => self.by_row(row, value),
        }
    }

    fn by_row(&mut self, row: &Row, value: &[u8]) -> Vec<u8> {
        match row.sensitivity {
            Sensitivity::Plain => self.swept(value),
            Sensitivity::Pan => self.packed_pan(value),
            Sensitivity::Track => self.track_2(value),
            Sensitivity::Person | Sensitivity::Secret | Sensitivity::Parts => {
                let filler = if row.format == Format::Text { b'*' } else { 0 };
                vec![filler; value.len()]
            }
        }
    }

    fn dol_data_at(&mut self, dol: &Dol, data: &[u8], depth: usize) -> Vec<u8> {
        // A hostile list may ask for a template that the same list explains.
        let Some(parts) = dol.split(data).filter(|_| depth < DEPTH_LIMIT && !data.is_empty()) else {
            return vec![0; data.len()];
        };
        for (tag, value) in &parts {
            self.note_pan(*tag, value);
        }
        parts.iter().flat_map(|(tag, value)| self.value(*tag, value, depth)).collect()
    }

    fn pdol_data(&mut self, value: &[u8], depth: usize) -> Vec<u8> {
        match self.session.pdol(value.len()) {
            Some(list) => self.dol_data_at(&list, value, depth + 1),
            None => vec![0; value.len()],
        }
    }

    /// A command within a script: masked like any other, outside the session.
    fn script_command(&mut self, value: &[u8], depth: usize) -> Vec<u8> {
        match CommandApdu::parse(value) {
            Ok(command) if depth < DEPTH_LIMIT => {
                same_length(self.command_data(&command, depth + 1).to_bytes(), value)
            }
            _ => header_only(value),
        }
    }

    fn packed_pan(&mut self, value: &[u8]) -> Vec<u8> {
        let swept = self.swept(value);
        if swept != value {
            return swept;
        }
        let masked = pan_of(value).and_then(|pan| digits_to_bcd(&self.names.of(&pan), value.len()).ok());
        masked.unwrap_or_else(|| vec![0; value.len()])
    }

    /// The PAN is replaced, expiry and service code stay, what follows becomes zeros.
    fn track_2(&mut self, value: &[u8]) -> Vec<u8> {
        let mut out = value.to_vec();
        let Some((pan, separator)) = track_pan(value) else {
            out.fill(0);
            return out;
        };
        for (position, digit) in self.names.of(&pan).bytes().enumerate() {
            set_nibble(&mut out, position, digit - b'0');
        }
        for position in separator + 1..out.len() * 2 {
            let kept = position <= separator + 7 && nibble(&out, position) <= 9;
            if !kept && nibble(&out, position) != 0x0F {
                set_nibble(&mut out, position, 0);
            }
        }
        out
    }

    fn swept(&self, value: &[u8]) -> Vec<u8> {
        let mut out = value.to_vec();
        self.names.sweep(&mut out);
        out
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        if let Ok(list) = tlv::parse(bytes) {
            self.note_list(&list, 0);
        }
    }

    fn note_list(&mut self, list: &[Tlv<'_>], depth: usize) {
        for element in list.iter().filter(|_| depth < DEPTH_LIMIT) {
            if element.tag.is_constructed() {
                self.note_list(&element.children().unwrap_or_default(), depth + 1);
            } else {
                self.note_pan(element.tag, element.value);
            }
        }
    }

    fn note_pan(&mut self, tag: Tag, value: &[u8]) {
        let pan = match Row::of_tag(tag).map(|row| row.sensitivity) {
            Some(Sensitivity::Pan) => pan_of(value),
            Some(Sensitivity::Track) => track_pan(value).map(|(pan, _)| pan),
            _ => None,
        };
        // A PAN of a list's data may be a known one that a terminal filled with zeros.
        if let Some(pan) = pan
            && self.swept(value) == value
        {
            self.names.of(&pan);
        }
    }
}

/// The PAN of tag 5A; zeros, as a list has them for what the terminal lacks, are none.
fn pan_of(value: &[u8]) -> Option<Pan> {
    let digits = bcd_digits(value).ok().filter(|digits| digits.bytes().any(|digit| digit != b'0'))?;
    Pan::new(&digits).ok()
}

/// The PAN of tag 57 and the position of the separator after it, in half bytes.
fn track_pan(value: &[u8]) -> Option<(Pan, usize)> {
    let separator = (0..value.len() * 2).find(|position| nibble(value, *position) == 0x0D)?;
    let digits: Option<String> =
        (0..separator).map(|position| char::from_digit(u32::from(nibble(value, position)), 10)).collect();
    Some((Pan::new(&digits?).ok()?, separator))
}

/// The template 83 of GET PROCESSING OPTIONS, where the data is nothing else.
fn template_83(command: &CommandApdu) -> Option<Tlv<'_>> {
    let is_gpo = (command.cla, command.ins) == (0x80, 0xA8);
    let template = tlv::parse_one(&command.data).ok().filter(|t| is_gpo && t.tag == tag::COMMAND_TEMPLATE)?;
    (template.offset == 0 && template.value_offset + template.value.len() == command.data.len())
        .then_some(template)
}

/// The last elements, where they are the data and nothing else; those before them
/// stand in the header.
pub(super) fn covering<'a>(elements: &'a [Element], data: &[u8]) -> Option<&'a [Element]> {
    let is_data = |parts: &[Element]| {
        parts.iter().map(|part| part.value.len()).sum::<usize>() == data.len()
            && parts.iter().flat_map(|part| &part.value).eq(data)
    };
    (0..=elements.len()).map(|first| &elements[first..]).find(|parts| is_data(parts))
}

/// An APDU has several spellings; a masked one of another length is not kept.
fn same_length(masked: Vec<u8>, original: &[u8]) -> Vec<u8> {
    if masked.len() == original.len() { masked } else { header_only(original) }
}

/// The header of a command that cannot be read, the rest blanked.
fn header_only(value: &[u8]) -> Vec<u8> {
    value.iter().enumerate().map(|(index, byte)| if index < 4 { *byte } else { 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Hex, parse_hex};

    const PAN: &str = "6222020000001234567";

    fn bytes(hex: &str) -> Vec<u8> {
        parse_hex(hex).unwrap()
    }

    fn exchange(masker: &mut Masker, command: &str, response: &str) -> (String, String) {
        let command = CommandApdu::parse(&bytes(command)).unwrap();
        let response = ResponseApdu::parse(&bytes(response)).unwrap();
        let (command, response) = masker.mask_exchange(&command, &response);
        (command.to_string(), response.to_string())
    }

    #[test]
    fn one_pan_has_one_name_in_5a_57_and_list_data() {
        let mut masker = Masker::new();
        let record = "7020 5A0A 6222020000001234567F 5712 6222020000001234567D 3012 220 12345678F";
        let masked = Hex(&masker.tlv(&bytes(record))).to_string();
        let name = masker.pan(PAN);
        assert!(!masked.contains(PAN));
        assert_eq!(masked.matches(&name).count(), 2, "{masked}");
        assert!(masked.ends_with("D301222000000000F"), "{masked}");
        let list = Dol::parse(&bytes("5A0A 9C01")).unwrap();
        let data = masker.dol_data(&list, &bytes("6222020000001234567F 60"));
        assert_eq!(Hex(&data).to_string(), format!("{name}F60"));
        let filled = masker.dol_data(&Dol::parse(&bytes("5A0B")).unwrap(), &bytes("6222020000001234567000"));
        assert_eq!(Hex(&filled).to_string(), format!("{name}000"));
    }

    #[test]
    fn a_pin_is_never_kept() {
        let mut masker = Masker::new();
        let (command, response) = exchange(&mut masker, "0020008008241234FFFFFFFFFF", "63C2");
        assert_eq!((command.as_str(), response.as_str()), ("00200080080000000000000000", "63C2"));
        let (odd, _) = exchange(&mut masker, "0020008102 1234", "6A86");
        assert_eq!(odd, "00200081020000");
        let (change, _) = exchange(&mut masker, "8424000208 1122334455667788", "9000");
        assert_eq!(change, "84240002080000000000000000");
    }

    #[test]
    fn list_data_is_masked_by_the_lists_seen_before() {
        let mut masker = Masker::new();
        let fci = "6F11 8407A0000003330101 A506 9F38039F6604 9000";
        exchange(&mut masker, "00A4040007A0000003330101", fci);
        let (gpo, _) = exchange(&mut masker, "80A8000006 8304 26000000 00", "8006 7C00 08010100 9000");
        assert_eq!(gpo, "80A800000683042600000000");
        let (unknown, _) = exchange(&mut masker, "80A8000007 8305 2600000001 00", "6700");
        assert_eq!(unknown, "80A80000078305000000000000");
        exchange(&mut masker, "00B2010C00", "7009 8C07 5A0A 9F0206 9C01 9000");
        let command = "80AE800011 6222020000001234567F 000000001250 60 00";
        let (ac, answer) = exchange(&mut masker, command, "800B 80 0001 1122334455667788 9000");
        assert!(!ac.contains(PAN) && ac.ends_with("0000000012506000"), "{ac}");
        assert_eq!(answer, "800B80000111223344556677889000");
    }

    #[test]
    fn a_list_that_asks_for_itself_ends() {
        let mut masker = Masker::new();
        exchange(&mut masker, "80CA9F3800", "9F3802 8304 9000");
        exchange(&mut masker, "80A8000006 8304 26000000 00", "6985");
        let mut masker = Masker::new();
        exchange(&mut masker, "80CA9F3800", &format!("9F3850{} 9000", "8300".repeat(40)));
        exchange(&mut masker, "80A8000002 8300 00", "6985");
    }

    #[test]
    fn what_nobody_knows_is_blanked_and_keeps_its_length() {
        let mut masker = Masker::new();
        let (command, response) = exchange(&mut masker, "80E20000 03 5A0162", "62220200 00001234 9000");
        assert_eq!((command.as_str(), response.as_str()), ("80E2000003000000", "00000000000000009000"));
        assert_eq!(masker.tlv(&bytes("DF7E02 1234 9F7902 1234")), bytes("DF7E02 0000 9F7902 1234"));
        assert_eq!(masker.tlv(&bytes("E104 9F7901 12")), bytes("E104 9F7901 00"));
        assert_eq!(exchange(&mut masker, "00B0950000", "6222020000001234 9000").1, "00000000000000009000");
        assert_eq!(exchange(&mut masker, "805C000204", "00001388 9000").1, "000013889000");
    }

    #[test]
    fn an_answer_in_two_parts_is_blanked() {
        let mut masker = Masker::new();
        exchange(&mut masker, "00B2010C00", "7010 5A0A 62220200 6104");
        let (_, rest) = exchange(&mut masker, "00C0000004", "9F7901 12 9000");
        assert_eq!(rest, "000000009000");
    }

    #[test]
    fn script_commands_and_certificates_are_masked() {
        let mut masker = Masker::new();
        let pin_change = bytes("720F 860D 8424000208 1122334455667788");
        assert_eq!(masker.tlv(&pin_change), bytes("720F 860D 8424000208 0000000000000000"));
        let load = bytes("7211 860F 04DA9F790A 000000004878 761B9F4A");
        assert_eq!(masker.tlv(&load), load);
        assert_eq!(masker.tlv(&bytes("9F4602 1122 5F2003 414243")), bytes("9F4602 0000 5F2003 2A2A2A"));
    }

    #[test]
    fn log_records_are_read_by_their_format() {
        let mut masker = Masker::new();
        let fci = "6F16 8407A0000003330101 A50B BF0C08 9F4D020B0A 870101 9000";
        exchange(&mut masker, "00A4040007A0000003330101", fci);
        let (_, early) = exchange(&mut masker, "00B2015C00", "261121 6222021234567890 9000");
        assert_eq!(early, "00000000000000000000009000", "the format is not known yet");
        exchange(&mut masker, "80CA9F4F00", "9F4F04 9A03 5A08 9000");
        let (_, record) = exchange(&mut masker, "00B2015C00", "261121 6222021234567890 9000");
        assert!(record.starts_with("261121622202") && record.ends_with("78909000"), "{record}");
        assert!(!record.contains("6222021234567890"));
    }
}
