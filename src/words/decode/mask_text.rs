//! Masking of text: reasons of events, fields of messages, track 2 in characters.

use super::Masker;
use super::pseudonym::passes_luhn;
use crate::base::bytes::{Hex, parse_hex};
use crate::words::dictionary::Row;
use crate::words::tlv;

/// A run of hexadecimal digits this long may be a dump of card data.
const DUMP_DIGITS: usize = 20;

impl Masker {
    /// Masks free text: PANs that were seen, digit runs that can be a PAN (12 to 19
    /// digits with a fitting check digit), and the values of hexadecimal dumps.
    pub fn text(&mut self, text: &str) -> String {
        let text = self.names.sweep_text(text);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
            let (before, run) = rest.split_at(start);
            let end = run.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(run.len());
            let (run, tail) = run.split_at(end);
            out.push_str(before);
            out.push_str(&self.run(run));
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Masks track 2 in characters (F35): PAN, `=` or `D`, expiry, service code; what
    /// follows becomes zeros. Text of another shape becomes zeros.
    pub fn track_2_text(&mut self, text: &str) -> String {
        let blank = || "0".repeat(text.chars().count());
        let Some(at) = text.find(['=', 'D', 'd']) else { return blank() };
        let (pan, rest) = text.split_at(at);
        if crate::words::emv::Pan::new(pan).is_err() {
            return blank();
        }
        let kept =
            |(place, c): (usize, char)| if place == 0 || place <= 7 && c.is_ascii_digit() { c } else { '0' };
        format!("{}{}", self.pan(pan), rest.chars().enumerate().map(kept).collect::<String>())
    }

    /// Masks one run of hexadecimal digits.
    fn run(&mut self, run: &str) -> String {
        if run.bytes().all(|digit| digit.is_ascii_digit()) {
            return self.digits(run);
        }
        // An application identifier is no card data, though its digits may look so.
        let is_aid = run.starts_with("A00000") && run.len() <= 32;
        if run.len() < DUMP_DIGITS || is_aid {
            return run.to_owned();
        }
        let objects = parse_hex(run).ok().filter(|bytes| {
            tlv::parse(bytes).is_ok_and(|list| {
                !list.is_empty() && list.iter().all(|element| Row::of_tag(element.tag).is_some())
            })
        });
        match objects {
            Some(bytes) => Hex(&self.tlv(&bytes)).to_string(),
            None if may_hold_pan(run) => "*".repeat(run.len()),
            None => run.to_owned(),
        }
    }

    fn digits(&mut self, run: &str) -> String {
        match run.len() {
            // What begins with two zeros is an amount or a number that was filled up.
            12..=19 if passes_luhn(run) && !run.starts_with("00") => self.known_or_new(run),
            20.. if may_hold_pan(run) => "*".repeat(run.len()),
            _ => run.to_owned(),
        }
    }

    /// A pseudonym that stands in the text already must not get one of its own.
    fn known_or_new(&mut self, digits: &str) -> String {
        if self.names.is_name(digits) { digits.to_owned() } else { self.pan(digits) }
    }
}

/// Whether some 12 to 19 digits in a row begin like a card number and pass the check.
fn may_hold_pan(run: &str) -> bool {
    let windows = (0..run.len()).flat_map(|start| (12..=19).filter_map(move |n| run.get(start..start + n)));
    windows.filter(|window| window.starts_with(['2', '3', '4', '5', '6', '8', '9'])).any(passes_luhn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::Pan;

    #[test]
    fn reasons_hold_no_pan() {
        let mut masker = Masker::new();
        let name = masker.pan("4111111111111111");
        assert_eq!(masker.text("card 4111111111111111 declined"), format!("card {name} declined"));
        let fresh = Pan::with_check_digit("622202000000123").unwrap();
        let text = format!("PAN {}, ATC 12, 000000001250", fresh.expose());
        let masked = masker.text(&text);
        assert!(!masked.contains(fresh.expose()) && masked.ends_with("ATC 12, 000000001250"), "{masked}");
        assert_eq!(masker.text(&masked), masked, "masking twice changes nothing");
        assert_eq!(masker.text("A000000333010101 9F79 4567"), "A000000333010101 9F79 4567");
    }

    #[test]
    fn dumps_in_reasons_are_masked_as_data() {
        let mut masker = Masker::new();
        let masked = masker.text("found 70135A0841111111111111119F3602001A9F170103 at offset 0");
        assert!(masked.contains("9F3602001A9F170103 at"), "{masked}");
        assert!(!masked.contains("4111111111111111"), "{masked}");
        let masked = masker.text("found 12345A084111111111111111FFEE at offset 0");
        assert!(!masked.contains("4111111111111111"), "{masked}");
    }

    #[test]
    fn track_2_in_characters() {
        let mut masker = Masker::new();
        let name = masker.pan("4111111111111111");
        assert_eq!(masker.track_2_text("4111111111111111=30122201234567"), format!("{name}=30122200000000"));
        assert_eq!(masker.track_2_text("12=3"), "0000");
    }
}
