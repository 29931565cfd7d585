//! Explains commands, answers and data objects, down to the bit.

use super::command_meaning::command_meaning;
use super::judge::{command_row, judge};
use super::mask::covering;
use super::meaning::{amount, meaning};
use super::session::{DEPTH_LIMIT, Log, Session};
use super::{Line, Masker, bits, iad, parts};
use crate::base::event::{Element, ElementKey};
use crate::words::dictionary::{Format, Row, Sensitivity, tag};
use crate::words::emv::printable;
use crate::words::iso4217::Currency;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::pboc::EcashSet;
use crate::words::tlv::{self, Dol, Tag, Tlv};

/// Explains one card session. Give it commands and answers in order: lists that the
/// card gave (PDOL, CDOL1, CDOL2, log formats) explain later data.
#[derive(Debug, Clone)]
pub struct Explainer {
    session: Session,
    masker: Option<Masker>,
}

impl Explainer {
    /// Masks everything before it explains it.
    pub fn masked() -> Self {
        Self { session: Session::default(), masker: Some(Masker::new()) }
    }

    /// Shows everything as it is.
    pub fn unmasked() -> Self {
        Self { session: Session::default(), masker: None }
    }

    /// Explains a command: its name first, then its data. Offsets count from CLA.
    pub fn command(&mut self, command: &CommandApdu) -> Vec<Line> {
        let command = match &mut self.masker {
            Some(masker) => &masker.command(command),
            None => command,
        };
        self.session.begin(command);
        let mut lines =
            vec![Line::new(0, 0, judge(command).0).value(command.header()).meaning(command_meaning(command))];
        self.command_data(&mut lines, command, 1);
        lines
    }

    /// Explains the answer to the command that was explained last: its data, then
    /// the status word.
    pub fn response(&mut self, response: &ResponseApdu) -> Vec<Line> {
        let response = match &mut self.masker {
            Some(masker) => &masker.response(response),
            None => response,
        };
        let mut lines = Vec::new();
        self.response_data(&mut lines, &response.data);
        self.session.end(response.status, &response.data);
        let words = match response.status.counter() {
            Some(left) => format!("verification failed, {left} tries left"),
            None => response.status.words().unwrap_or("a status word without a name").to_owned(),
        };
        let status = Line::new(0, response.data.len(), "status word").meaning(words);
        lines.push(status.value(response.status.0.to_be_bytes()));
        lines
    }

    /// Explains data objects that stand side by side; bytes that are none are one
    /// line that says why.
    pub fn tlv(&mut self, bytes: &[u8]) -> Vec<Line> {
        // Why bytes are no data objects is asked of the bytes themselves: blanked ones are padding.
        let error = tlv::parse(bytes).err();
        let masked;
        let bytes = match &mut self.masker {
            Some(masker) => {
                masked = masker.tlv(bytes);
                &masked
            }
            None => bytes,
        };
        let mut lines = Vec::new();
        match (error, tlv::parse(bytes)) {
            (Some(error), _) | (None, Err(error)) => {
                lines.push(Line::new(0, 0, "no data objects").value(bytes).meaning(error.to_string()));
            }
            (None, Ok(list)) => {
                self.session.learn(&list, 0);
                self.list(&mut lines, &list, 0, 0);
            }
        }
        lines
    }

    /// Explains the value of one element.
    pub fn value(&mut self, tag: Tag, value: &[u8]) -> Vec<Line> {
        let masked;
        let value = match &mut self.masker {
            Some(masker) => {
                masked = masker.element(&Element::tag(tag.0, value)).value;
                masked.as_slice()
            }
            None => value,
        };
        let mut lines = Vec::new();
        self.element(&mut lines, tag, value, 0, 0, 0);
        lines
    }

    /// Explains the data that a list asked for.
    pub fn dol_data(&mut self, dol: &Dol, data: &[u8]) -> Vec<Line> {
        let masked;
        let data = match &mut self.masker {
            Some(masker) => {
                masked = masker.dol_data(dol, data);
                &masked
            }
            None => data,
        };
        let mut lines = Vec::new();
        self.split(&mut lines, Some(dol.clone()), data, 0, 0);
        lines
    }

    fn command_data(&mut self, lines: &mut Vec<Line>, command: &CommandApdu, depth: usize) {
        let start = if command.data.len() > 255 || command.le.is_some_and(|le| le > 256) { 7 } else { 5 };
        let elements = command_row(command).and_then(|row| (row.elements)(command).ok()).unwrap_or_default();
        if command.data.is_empty() {
            return;
        }
        if let Some(parts) = covering(&elements, &command.data) {
            return self.elements(lines, parts, start, depth);
        }
        match tlv::parse(&command.data) {
            Ok(list) if !elements.is_empty() => self.list(lines, &list, start, depth),
            _ => lines.push(Line::new(depth, start, "command data").value(command.data.as_slice())),
        }
    }

    fn response_data(&mut self, lines: &mut Vec<Line>, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let command = self.session.command().cloned().filter(|_| !self.session.partial);
        if let Some((log, format)) = self.session.log(data.len()).filter(|_| command.is_some()) {
            return self.log_record(lines, log, format, data);
        }
        let row = command.as_ref().and_then(command_row);
        let elements = match (row, &command) {
            (Some(row), Some(command)) => (row.response_elements)(command, data).unwrap_or_default(),
            _ => Vec::new(),
        };
        match tlv::parse(data) {
            Ok(list) if !list.is_empty() && plausible(&list, row.is_some()) => {
                self.session.learn(&list, 0);
                self.list(lines, &list, 0, 0);
                // Format 1 has no tags inside; the command knows its parts.
                if let [only] = list.as_slice()
                    && only.tag == tag::RESPONSE_TEMPLATE_FORMAT_1
                    && let Some(parts) = covering(&elements, only.value)
                {
                    self.elements(lines, parts, only.value_offset, 1);
                }
            }
            parsed => match covering(&elements, data).filter(|parts| parts.iter().all(is_leaf)) {
                Some(parts) if !parts.is_empty() => self.elements(lines, parts, 0, 0),
                _ => {
                    let why = parsed.err().filter(|_| row.is_some()).map(|error| error.to_string());
                    let line = Line::new(0, 0, "response data").value(data);
                    lines.push(line.meaning(why.unwrap_or_default()));
                }
            },
        }
    }

    fn log_record(&mut self, lines: &mut Vec<Line>, log: Log, format: Dol, data: &[u8]) {
        match (log, data) {
            (Log::Transactions, _) => {
                lines.push(Line::new(0, 0, "transaction log record"));
                self.split(lines, Some(format), data, 0, 1);
            }
            (Log::Loads, [p1, p2, rest @ ..]) if rest.len() >= 12 => {
                lines.push(Line::new(0, 0, "load log record"));
                let balance = Tag(u32::from(u16::from_be_bytes([*p1, *p2])));
                let name = Row::of_tag(balance).map_or("unknown", |row| row.name);
                lines.push(Line::new(1, 0, "balance written").value([*p1, *p2]).meaning(name));
                let currency = self.currency_of(balance);
                for (index, name) in ["balance before", "balance after"].into_iter().enumerate() {
                    let value = &rest[index * 6..index * 6 + 6];
                    let line = Line::new(1, 2 + index * 6, name).value(value);
                    lines.push(line.meaning(amount(value, currency).unwrap_or_default()));
                }
                self.split(lines, Some(format), &rest[12..], 14, 1);
            }
            _ => lines.push(Line::new(0, 0, "log record").value(data)),
        }
    }

    fn list(&mut self, lines: &mut Vec<Line>, list: &[Tlv<'_>], start: usize, depth: usize) {
        // A currency explains the amounts beside it, also those before it.
        for element in list {
            self.session.learn_one(element.tag, element.value);
        }
        for element in list {
            let offset = start + element.offset;
            if !element.tag.is_constructed() {
                self.element(lines, element.tag, element.value, offset, start + element.value_offset, depth);
                continue;
            }
            let name = Row::of_tag(element.tag).map_or("template without a dictionary row", |row| row.name);
            let line = Line::new(depth, offset, name).tag(element.tag);
            match element.children() {
                Ok(children) if depth < DEPTH_LIMIT => {
                    lines.push(line);
                    self.list(lines, &children, start, depth + 1);
                }
                Ok(_) => lines.push(line.value(element.value).meaning("nested too deep")),
                Err(error) => lines.push(line.value(element.value).meaning(error.to_string())),
            }
        }
    }

    fn elements(&mut self, lines: &mut Vec<Line>, parts: &[Element], start: usize, depth: usize) {
        let mut offset = start;
        for part in parts {
            let value = part.value.as_slice();
            match &part.key {
                ElementKey::Tag(tag) => self.element(lines, Tag(*tag), value, offset, offset, depth),
                ElementKey::Named(name) => self.named(lines, name, value, offset, depth),
            }
            offset += value.len();
        }
    }

    fn named(&mut self, lines: &mut Vec<Line>, name: &str, value: &[u8], offset: usize, depth: usize) {
        let row = Row::of_name(name);
        let line = Line::new(depth, offset, name.to_owned()).value(value);
        if name == "CDOL data" {
            lines.push(line);
            let list = self.session.cdol(value.len());
            return self.split(lines, list, value, offset, depth + 1);
        }
        if row.is_some_and(|row| row.sensitivity == Sensitivity::Parts)
            && let Ok(list) = tlv::parse(value)
        {
            lines.push(Line::new(depth, offset, name.to_owned()));
            return self.list(lines, &list, offset, depth + 1);
        }
        let says = match row.map(|row| (row.format, row.sensitivity)) {
            Some((_, Sensitivity::Secret)) if self.masker.is_some() => "masked".to_owned(),
            Some((Format::Amount, _)) => amount(value, None).unwrap_or_default(),
            Some((Format::Text, _)) => printable(value),
            _ => String::new(),
        };
        lines.push(line.meaning(says));
    }

    /// One primitive element with whatever stands inside it.
    fn element(
        &mut self,
        lines: &mut Vec<Line>,
        tag: Tag,
        value: &[u8],
        offset: usize,
        value_offset: usize,
        depth: usize,
    ) {
        let row = Row::of_tag(tag);
        let hidden = self.masker.is_some();
        let says = match row.map(|row| row.sensitivity) {
            None if hidden => "no dictionary row: masked".to_owned(),
            Some(Sensitivity::Secret | Sensitivity::Person) if hidden => "masked".to_owned(),
            Some(Sensitivity::Pan | Sensitivity::Track) if hidden => {
                format!("{} (a pseudonym)", meaning(tag, value, None))
            }
            _ => meaning(tag, value, self.currency_of(tag)),
        };
        let name = row.map_or("element without a dictionary row", |row| row.name);
        let name = parts::variant_name(tag, value).unwrap_or(name);
        lines.push(Line::new(depth, offset, name).tag(tag).value(value).meaning(says));
        if depth >= DEPTH_LIMIT {
            return;
        }
        for (byte, bit, words) in bits::of_tag(tag, value).unwrap_or_default() {
            lines.push(Line::bit(depth + 1, value_offset, byte, bit, words));
        }
        lines.extend(parts::lines(tag, value, value_offset, depth + 1));
        match tag {
            tag::ISSUER_APPLICATION_DATA => {
                lines.extend(iad::lines(value, value_offset, depth + 1, self.currency_of(tag::EC_BALANCE)))
            }
            tag::COMMAND_TEMPLATE => {
                let list = self.session.pdol(value.len());
                self.split(lines, list, value, value_offset, depth + 1);
            }
            tag::ISSUER_SCRIPT_COMMAND => self.script_command(lines, value, value_offset, depth + 1),
            _ if row.is_some_and(|row| row.format == Format::Dol) => {
                for (entry, at) in dol_entries(value) {
                    let name =
                        Row::of_tag(entry.tag).map_or("element without a dictionary row", |row| row.name);
                    let line = Line::new(depth + 1, value_offset + at, name).tag(entry.tag);
                    lines.push(line.meaning(format!("{} bytes", entry.length)));
                }
            }
            _ => {}
        }
    }

    /// Data that a list asked for; without a list, or with one that does not add up, one line.
    fn split(&mut self, lines: &mut Vec<Line>, list: Option<Dol>, data: &[u8], start: usize, depth: usize) {
        let Some(parts) = list.as_ref().and_then(|list| list.split(data)) else {
            if !data.is_empty() {
                let line = Line::new(depth, start, "data of an unknown list").value(data);
                lines.push(line.meaning("the card's list for it was not seen, or asks for another length"));
            }
            return;
        };
        // Nothing is in it, and a hostile list could ask for itself many times.
        if data.is_empty() {
            return;
        }
        for (tag, value) in &parts {
            self.session.learn_one(*tag, value);
        }
        let mut offset = start;
        for (tag, value) in parts {
            self.element(lines, tag, value, offset, offset, depth);
            offset += value.len();
        }
    }

    fn script_command(&mut self, lines: &mut Vec<Line>, value: &[u8], offset: usize, depth: usize) {
        match CommandApdu::parse(value) {
            Ok(command) => {
                let line = Line::new(depth, offset, judge(&command).0).value(command.header());
                lines.push(line.meaning(command_meaning(&command)));
                let first = lines.len();
                self.command_data(lines, &command, depth + 1);
                lines.iter_mut().skip(first).for_each(|line| line.offset += offset);
            }
            Err(error) => lines.push(Line::new(depth, offset, "no command").meaning(error.to_string())),
        }
    }

    /// The currency of an amount, where the card or the terminal has named it.
    fn currency_of(&self, amount: Tag) -> Option<Currency> {
        let named = |tag| self.session.value(tag).and_then(Currency::from_bcd);
        let of = |set: EcashSet| {
            [set.balance, set.balance_limit, set.single_limit, set.reset_threshold, set.cvm_limit]
                .contains(&amount)
        };
        match amount {
            tag::AMOUNT_AUTHORISED | tag::AMOUNT_OTHER => named(tag::TRANSACTION_CURRENCY_CODE),
            _ if of(EcashSet::SECOND) => named(tag::SECOND_CURRENCY_CODE),
            _ => named(tag::APPLICATION_CURRENCY_CODE_EC).or_else(|| named(tag::APPLICATION_CURRENCY_CODE)),
        }
    }
}

/// Bytes of a command that nobody knows may look like data objects by chance.
fn plausible(list: &[Tlv<'_>], known: bool) -> bool {
    known || list.iter().all(|element| Row::of_tag(element.tag).is_some())
}

/// Whether an element is no container of data objects.
fn is_leaf(element: &Element) -> bool {
    Row::of_key(&element.key).is_some_and(|row| row.sensitivity != Sensitivity::Parts)
}

/// The entries of a list with their places; none where it is no list.
fn dol_entries(value: &[u8]) -> Vec<(tlv::DolEntry, usize)> {
    let mut at = 0;
    let place = |entry: tlv::DolEntry| {
        let here = at;
        at += entry.tag.length_bytes() + 1;
        (entry, here)
    };
    Dol::parse(value).unwrap_or_default().0.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn bytes(hex: &str) -> Vec<u8> {
        parse_hex(hex).unwrap()
    }

    fn command(explainer: &mut Explainer, hex: &str) -> Vec<String> {
        shown(&explainer.command(&CommandApdu::parse(&bytes(hex)).unwrap()))
    }

    fn response(explainer: &mut Explainer, hex: &str) -> Vec<String> {
        shown(&explainer.response(&ResponseApdu::parse(&bytes(hex)).unwrap()))
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        let show = |line: &Line| {
            let tag = line.tag.map(|tag| format!("{tag} ")).unwrap_or_default();
            format!("{}@{} {tag}{}: {}", " ".repeat(line.depth), line.offset, line.name, line.meaning)
        };
        lines.iter().map(show).collect()
    }

    fn has(lines: &[String], wanted: &str) {
        assert!(lines.iter().any(|line| line == wanted), "no {wanted:?} in\n{}", lines.join("\n"));
    }

    #[test]
    fn a_session_is_explained_by_what_the_card_said_before() {
        let mut explainer = Explainer::unmasked();
        let lines = command(&mut explainer, "00A4040008A00000033301010600");
        has(&lines, "@0 SELECT: A000000333010106 UnionPay electronic cash");
        let fci = "6F1B 8408A000000333010106 A50F 9F38099F66049F02065F2A02 870101 9000";
        let lines = response(&mut explainer, fci);
        has(&lines, "   @17 9F66 Terminal Transaction Qualifiers: 4 bytes");
        has(&lines, "@29 status word: normal processing");
        let lines = command(&mut explainer, "80A800000E 830C 26000000 000000001250 0156 00");
        has(&lines, "  @11 9F02 Amount, Authorised (Numeric): 12.50 CNY");
        has(&lines, "   @7 byte 1 bit 6: qPBOC (quick path) supported");
        let lines = response(&mut explainer, "8006 7C00 08010100 9000");
        has(&lines, " @4 94 Application File Locator (AFL): SFI 1 records 1-1");
        has(&lines, "  @2 byte 1 bit 7: SDA supported");
    }

    #[test]
    fn issuer_application_data_is_taken_apart() {
        let lines = shown(
            &Explainer::unmasked().tlv(&bytes("9F510201569F1013 07010103A00000010A010000038787868FD1FC")),
        );
        has(&lines, " @12 CVR: first cryptogram ARQC, second none, 0 script commands");
        has(&lines, " @18 issuer discretionary data: balance 387.87 CNY");
    }

    #[test]
    fn masking_hides_the_value_and_keeps_the_lines() {
        let record = bytes("7016 5A08 4111111111111111 5F2003414243 DF7E0101");
        let record = [&[0x70, 0x14][..], &record[2..]].concat();
        let plain = Explainer::unmasked().tlv(&record);
        let masked = Explainer::masked().tlv(&record);
        assert_eq!(plain.len(), masked.len());
        has(&shown(&plain), " @2 5A Application Primary Account Number (PAN): 4111111111111111");
        has(&shown(&masked), " @12 5F20 Cardholder Name: masked");
        assert!(!shown(&masked).concat().contains("4111111111111111"));
    }

    #[test]
    fn bytes_that_are_no_data_objects_are_one_line_that_says_why() {
        for mut explainer in [Explainer::masked(), Explainer::unmasked()] {
            let lines = shown(&explainer.tlv(&[0x5A, 0x08, 0x41]));
            assert_eq!(lines.len(), 1);
            assert!(lines[0].contains("expected 8 bytes of value for tag 5A at offset 2"), "{}", lines[0]);
        }
    }

    #[test]
    fn a_list_that_asks_for_itself_ends() {
        for list in ["9F3802 8304".to_owned(), format!("9F3850{}", "8300".repeat(40))] {
            for mut explainer in [Explainer::masked(), Explainer::unmasked()] {
                command(&mut explainer, "80CA9F3800");
                response(&mut explainer, &format!("{list} 9000"));
                assert!(command(&mut explainer, "80A8000006 8304 26000000 00").len() < 50);
                command(&mut explainer, "80A8000002 8300 00");
            }
        }
    }

    #[test]
    fn scripts_and_verify() {
        let lines = shown(&Explainer::unmasked().tlv(&bytes("7211 860F 04DA9F790A 000000004878 761B9F4A")));
        has(&lines, "  @4 PUT DATA: 9F79 Electronic Cash Balance");
        has(&lines, "   @9 9F79 Electronic Cash Balance: 4878 in minor units");
        let mut explainer = Explainer::masked();
        has(&command(&mut explainer, "0020008008241234FFFFFFFFFF"), " @5 PIN block: masked");
        has(&response(&mut explainer, "63C2"), "@0 status word: verification failed, 2 tries left");
    }
}
