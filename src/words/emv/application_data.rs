//! A card application's data before keys, and the elements that make it one holder's
//! card (EMV Card Personalisation Specification; EMV Book 3 annex A).

use super::{Pan, Track2};
use crate::base::bytes::{Hex, Secret};
use crate::words::dictionary::tag;
use crate::words::iso7816::Aid;
use crate::words::tlv::{Tag, TlvStore, encode, encode_into};

/// What GET PROCESSING OPTIONS answers on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathData {
    /// Application interchange profile, tag 82: two bytes.
    pub aip: Vec<u8>,
    /// Application file locator, tag 94: whole groups of four bytes, or none.
    pub afl: Vec<u8>,
}

/// What stands in one record, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLayout {
    /// Short file identifier, 1 to 10.
    pub sfi: u8,
    /// Record number, from 1.
    pub number: u8,
    /// The elements; one that the card does not have is left out.
    pub elements: Vec<Tag>,
}

/// An application before cardholder and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationData {
    /// Its identifier.
    pub aid: Aid,
    /// Application label, tag 50.
    pub label: String,
    /// Application priority, tag 87.
    pub priority: u8,
    /// The PDOL by radio, tag 9F38.
    pub pdol: Vec<u8>,
    /// The quick path, if it has one.
    pub quick: Option<PathData>,
    /// The debit/credit path by radio, if it has one.
    pub full: Option<PathData>,
    /// Its records.
    pub records: Vec<RecordLayout>,
    /// Its data objects.
    pub data: TlvStore,
}

/// What makes a card one holder's.
#[derive(Debug, Clone, Copy)]
pub struct Personal<'a> {
    /// 5A, and part of 57.
    pub pan: &'a Pan,
    /// 5F34.
    pub psn: u8,
    /// 5F24: BCD YYMMDD.
    pub expiry: [u8; 3],
    /// 5F25: BCD YYMMDD.
    pub effective: [u8; 3],
    /// 5F20: 2 to 26 characters; others are cut or filled.
    pub cardholder_name: &'a str,
}

impl Personal<'_> {
    /// Puts 5A, 57, 5F20, 5F24, 5F25 and 5F34. The service code of 57 is that of 5F30.
    pub fn put(&self, data: &mut TlvStore) {
        let service_code = data.value(tag::SERVICE_CODE).map_or("220".into(), |code| {
            let digits = Hex(code).to_string();
            digits[digits.len().saturating_sub(3)..].to_owned()
        });
        let expiry = Hex(&self.expiry).to_string();
        let track2 = Track2 {
            pan: self.pan.clone(),
            expiry: std::array::from_fn(|i| expiry.as_bytes().get(i).copied().unwrap_or(b'0')),
            rest: Secret::new(format!("{service_code}00000000")),
        };
        data.put(tag::PAN, self.pan.to_bcd());
        data.put(tag::TRACK_2_EQUIVALENT_DATA, track2.to_bytes());
        data.put(tag::CARDHOLDER_NAME, name(self.cardholder_name));
        data.put(tag::APPLICATION_EXPIRATION_DATE, self.expiry);
        data.put(tag::APPLICATION_EFFECTIVE_DATE, self.effective);
        data.put(tag::PAN_SEQUENCE_NUMBER, [self.psn]);
    }
}

/// Template 70 with those of the elements that the card has.
pub fn record(elements: &[Tag], data: &TlvStore) -> Vec<u8> {
    let mut value = Vec::new();
    for tag in elements {
        if let Some(element) = data.value(*tag) {
            encode_into(&mut value, *tag, element);
        }
    }
    encode(tag::RECORD_TEMPLATE, &value)
}

/// Tag 5F20 holds 2 to 26 characters.
fn name(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().filter(|b| (0x20..0x7F).contains(b)).take(26).collect();
    while bytes.len() < 2 {
        bytes.push(b' ');
    }
    bytes
}
