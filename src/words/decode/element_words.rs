//! What one element of an event says, in words on one line: its meaning, else the bits
//! that are set in it.

use super::bits::{self, SetBit};
use super::meaning::meaning;
use super::{Line, iad};
use crate::base::event::ElementKey;
use crate::words::dictionary::{Format, Row, tag};
use crate::words::emv::{CvmCode, CvmCondition, mchip, printable};
use crate::words::pboc::Cvr;
use crate::words::tlv::Tag;

/// What the bytes of an element say; empty where they say nothing more than themselves. A
/// PAN is shown as it stands: who must not see it masks first.
pub fn element_words(key: &ElementKey, value: &[u8]) -> String {
    match key {
        ElementKey::Tag(number) => {
            let says = meaning(Tag(*number), value, None);
            match Tag(*number) {
                tag::ISSUER_APPLICATION_DATA => parts(iad::lines(value, 0, 0, None)),
                _ if says.is_empty() => joined(bits::of_tag(Tag(*number), value)),
                _ => says,
            }
        }
        ElementKey::Named(name) => named(name, value),
    }
}

fn named(name: &str, value: &[u8]) -> String {
    match (name, value) {
        ("CV rule", [code, condition]) => format!("{} {}", CvmCode(*code), CvmCondition(*condition)),
        ("CVR", [0x03, cvr @ ..]) if cvr.len() == Cvr::LENGTH_BYTES => {
            joined(Cvr::from_bytes(cvr).map(bits::of_cvr))
        }
        ("CVR", cvr) => joined(mchip::Cvr::from_bytes(cvr).map(bits::of_mchip_cvr)),
        ("terminal action code", value) => joined(bits::of_tag(tag::TVR, value)),
        _ => match Row::of_name(name).map(|row| row.format) {
            Some(Format::Text) => printable(value),
            Some(Format::Amount) => super::meaning::amount(value, None).unwrap_or_default(),
            _ => String::new(),
        },
    }
}

fn parts(lines: Vec<Line>) -> String {
    let told = lines.into_iter().filter(|line| !line.meaning.is_empty());
    let words: Vec<_> = told.map(|line| format!("{} {}", line.name, line.meaning)).collect();
    words.join("; ")
}

fn joined(bits: Option<Vec<SetBit>>) -> String {
    let words: Vec<_> = bits.unwrap_or_default().into_iter().map(|(_, _, words)| words).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn says(name: &'static str, value: &[u8]) -> String {
        element_words(&ElementKey::Named(Cow::Borrowed(name)), value)
    }

    #[test]
    fn elements_of_events_say_their_bits() {
        assert_eq!(element_words(&ElementKey::Tag(0x9B), &[0xC0, 0]).matches("; ").count(), 1);
        let data = element_words(&ElementKey::Tag(0x9F10), &[6, 1, 10, 3, 0xA0, 0x10, 0]);
        assert!(data.ends_with("; byte 2 bit 5 new card"), "{data}");
        assert_eq!(element_words(&ElementKey::Tag(0x9F36), &[0, 7]), "7");
        assert_eq!(
            says("CV rule", &[0x41, 0x03]),
            "plaintext PIN verified by the card if the terminal supports it"
        );
        assert_eq!(says("CVR", &[3, 0xA0, 0x10, 0]), "new card");
        assert_eq!(
            says("CVR", &[0xA0, 0x40, 3, 2, 0, 0]),
            "CDA returned in first GENERATE AC; domestic transaction"
        );
        assert_eq!(says("terminal action code", &[0, 0, 0, 0x80, 0]), "transaction exceeds floor limit");
        assert_eq!(says("response code", b"51"), "51");
        assert_eq!(says("nobody knows it", b"51"), "");
    }
}
