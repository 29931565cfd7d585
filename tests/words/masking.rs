//! No mask lets a PAN through, and what is masked parses to the same tree.

use cardwright::air::trace::{TraceHeader, TraceWriter};
use cardwright::base::bytes::{Hex, Secret, digits_to_bcd};
use cardwright::base::env::Timestamp;
use cardwright::base::event::{Event, EventSink};
use cardwright::words::decode::{Explainer, Masker};
use cardwright::words::dictionary::{TAGGED, tag};
use cardwright::words::emv::{Pan, Track2};
use cardwright::words::iso7816::{CommandApdu, ResponseApdu};
use cardwright::words::tlv::{self, Dol, DolEntry, Tag};
use proptest::prelude::*;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// The tags and lengths of data objects, as deep as they parse.
fn tree(bytes: &[u8]) -> Vec<(usize, Tag, usize)> {
    fn walk(list: &[tlv::Tlv<'_>], depth: usize, out: &mut Vec<(usize, Tag, usize)>) {
        for element in list {
            out.push((depth, element.tag, element.value.len()));
            if element.tag.is_constructed() && depth < 12 {
                walk(&element.children().unwrap_or_default(), depth + 1, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(&tlv::parse(bytes).unwrap_or_default(), 0, &mut out);
    out
}

/// Whether bytes hold the digits packed, at either half of a byte, or in characters.
fn holds(bytes: &[u8], digits: &str) -> bool {
    Hex(bytes).to_string().contains(digits) || bytes.windows(digits.len()).any(|w| w == digits.as_bytes())
}

/// A PAN that chance does not write elsewhere: 16 to 19 digits, the check digit fits.
fn pan() -> impl Strategy<Value = Pan> {
    "[2-6][0-9]{14,17}".prop_map(|body| Pan::with_check_digit(&body).unwrap())
}

/// Where a PAN may stand: alone, in track 2, in elements that should hold none.
fn planted(pan: &Pan) -> Vec<Vec<u8>> {
    let track = Track2 { pan: pan.clone(), expiry: *b"3012", rest: Secret::new("2010000123".into()) };
    let script =
        [&[0x04, 0xDA, 0x9F, 0x79, 0x0E][..], &digits_to_bcd(pan.expose(), 10).unwrap(), &[0; 4]].concat();
    vec![
        tlv::encode(tag::PAN, &pan.to_bcd()),
        tlv::encode(tag::PAN, &digits_to_bcd(pan.expose(), 10).unwrap()),
        tlv::encode(tag::TRACK_2_EQUIVALENT_DATA, &track.to_bytes()),
        tlv::encode(tag::TRACK_1_DISCRETIONARY_DATA, pan.expose().as_bytes()),
        tlv::encode(tag::APPLICATION_LABEL, pan.expose().as_bytes()),
        tlv::encode(tag::ISSUER_APPLICATION_DATA, &[&[0x06][..], &pan.to_bcd()].concat()),
        tlv::encode(tag::ISSUER_SCRIPT_COMMAND, &script),
        tlv::encode(Tag(0xDF7E), pan.expose().as_bytes()),
        tlv::encode(Tag(0xE1), &tlv::encode(tag::PAN, &pan.to_bcd())),
    ]
}

/// Data objects with the PAN in 5A or 57 and in a place more, among others.
fn record() -> impl Strategy<Value = (Pan, Vec<u8>)> {
    let tags: Vec<Tag> =
        TAGGED.iter().filter_map(|row| row.tag).filter(|tag| !tag.is_constructed()).collect();
    let other = (prop::sample::select(tags), prop::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(tag, value)| tlv::encode(tag, &value));
    let template = prop::sample::select(vec![0x70u32, 0x77, 0x6F, 0xE1]);
    (pan(), 0usize..3, 0usize..9, prop::collection::vec(other, 0..8), any::<u64>(), template).prop_map(
        |(pan, first, second, mut objects, order, template)| {
            let places = planted(&pan);
            for (place, shift) in [(first, 0), (second, 32)] {
                let at = (order >> shift) as usize % (objects.len() + 1);
                objects.insert(at, places[place].clone());
            }
            (pan, tlv::encode(Tag(template), &objects.concat()))
        },
    )
}

/// A file in memory.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_pan_comes_through_and_the_tree_stays((pan, bytes) in record()) {
        prop_assume!(tlv::parse(&bytes).is_ok());
        let masked = Masker::new().tlv(&bytes);
        prop_assert!(!holds(&masked, pan.expose()), "{}", Hex(&masked));
        prop_assert_eq!(tree(&masked), tree(&bytes));
        let read = CommandApdu::new(0x00, 0xB2, 0x01, 0x0C).le(256);
        let (_, answer) = Masker::new().mask_exchange(&read, &ResponseApdu::ok(bytes));
        prop_assert!(!holds(&answer.data, pan.expose()));
    }

    #[test]
    fn no_masked_explanation_shows_a_pan((pan, bytes) in record()) {
        for line in Explainer::masked().tlv(&bytes) {
            prop_assert!(!holds(&line.value, pan.expose()) && !line.meaning.contains(pan.expose()), "{line:?}");
        }
        let shown = Explainer::unmasked().tlv(&bytes);
        prop_assert!(shown.iter().any(|line| holds(&line.value, pan.expose())), "the test would see one");
    }

    #[test]
    fn no_masked_recording_holds_a_pan((pan, bytes) in record(), said in 0usize..3) {
        let digits = pan.expose();
        let reason = [format!("card {digits}"), format!("found {}", Hex(&bytes)), digits.to_owned()][said].clone();
        let file = Shared::default();
        let header = TraceHeader::new(Timestamp::default(), format!("pcsc:reader {digits}"));
        let mut writer = TraceWriter::masked(file.clone(), header).unwrap();
        writer.take(Event::new("terminal", "before").because(reason.clone()));
        let read = CommandApdu::new(0x00, 0xB2, 0x01, 0x0C).le(256);
        writer.take(Event::new("link", "command").with_named("C-APDU", read.to_bytes()));
        writer.take(Event::new("link", "response").with_named("R-APDU", ResponseApdu::ok(bytes.clone()).to_bytes()));
        writer.take(Event::new("terminal", "record").because(reason).with_named("record", bytes));
        writer.take(Event::new("terminal", "pan").with_tag(0x5A, pan.to_bcd()).with_named("other", digits.as_bytes()));
        let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
        prop_assert!(!text.contains(digits), "{text}");
        prop_assert!(!text.contains(&Hex(digits.as_bytes()).to_string()), "{text}");
    }

    #[test]
    fn list_data_and_logs_are_masked_alike(pan in pan(), amount in any::<[u8; 6]>()) {
        let list = Dol(vec![
            DolEntry { tag: tag::AMOUNT_AUTHORISED, length: 6 },
            DolEntry { tag: tag::PAN, length: 10 },
        ]);
        let data = [&amount[..], &digits_to_bcd(pan.expose(), 10).unwrap()].concat();
        let mut masker = Masker::new();
        let name = masker.pan(pan.expose());
        let masked = masker.dol_data(&list, &data);
        prop_assert_eq!(&masked[6..], digits_to_bcd(&name, 10).unwrap());
        prop_assert_eq!(&masked[..6], amount);
        prop_assert_eq!(masker.tlv(&tlv::encode(tag::PAN, &data[6..])), tlv::encode(tag::PAN, &masked[6..]));
    }
}
