//! Nothing that comes from a wire or a file panics.

use cardwright::air::trace::Trace;
use cardwright::base::event::{Element, ElementKey};
use cardwright::words::decode::{COMMAND_ROOMS, Explainer, Masker, judge, meaning};
use cardwright::words::dictionary::{TAGGED, tag};
use cardwright::words::emv::{Afl, Fci, IssuerScript, Pan, Track2};
use cardwright::words::iso4217::Currency;
use cardwright::words::iso7816::{Aid, CommandApdu, ResponseApdu, StatusWord};
use cardwright::words::pboc::{Iad, LoadLogRecord, LogRecord};
use cardwright::words::tlv::{self, Dol, Tag};
use proptest::prelude::*;

fn bytes(longest: usize) -> BoxedStrategy<Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..longest).boxed()
}

/// An APDU whose header is that of some command more often than chance would have it.
fn apdu() -> impl Strategy<Value = CommandApdu> {
    let class = prop_oneof![any::<u8>(), prop::sample::select(vec![0x00u8, 0x04, 0x80, 0x84])];
    let instruction = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![
            0xA4u8, 0xB2, 0xC0, 0x20, 0x82, 0xCA, 0xA8, 0xAE, 0x1E, 0x18, 0x16, 0xDA, 0xDC
        ]),
    ];
    let parameter =
        || prop_oneof![any::<u8>(), prop::sample::select(vec![0x00u8, 0x02, 0x04, 0x0C, 0x40, 0x80])];
    (class, instruction, parameter(), parameter(), data_objects(), prop::option::of(1u32..=65_536))
        .prop_map(|(cla, ins, p1, p2, data, le)| CommandApdu { cla, ins, p1, p2, data, le })
}

/// Arbitrary bytes, or data objects with arbitrary values, also cut.
fn data_objects() -> BoxedStrategy<Vec<u8>> {
    let tags: Vec<Tag> = TAGGED.iter().filter_map(|row| row.tag).collect();
    let object = (prop::sample::select(tags), bytes(24)).prop_map(|(tag, value)| tlv::encode(tag, &value));
    let objects = prop::collection::vec(object, 0..6).prop_map(|objects| objects.concat()).boxed();
    let nested = (prop::sample::select(vec![0x6Fu32, 0x70, 0x77, 0x80, 0x83, 0xA5, 0xBF0C]), objects.clone())
        .prop_map(|(tag, inside): (u32, Vec<u8>)| tlv::encode(Tag(tag), &inside))
        .boxed();
    let cut = (nested.clone(), 0usize..40).prop_map(|(mut whole, by)| {
        whole.truncate(whole.len().saturating_sub(by));
        whole
    });
    prop_oneof![bytes(300), objects, nested, cut].boxed()
}

proptest! {
    #[test]
    fn no_row_of_a_command_panics(apdu in apdu(), answer in data_objects()) {
        for row in COMMAND_ROOMS.iter().flat_map(|room| room.iter()) {
            let _ = (row.matches)(&apdu);
            let _ = (row.effect)(&apdu);
            let _ = (row.elements)(&apdu);
            let _ = (row.response_elements)(&apdu, &answer);
        }
        let _ = judge(&apdu);
    }

    #[test]
    fn explaining_and_masking_a_session_never_panics_and_keeps_lengths(
        exchanges in prop::collection::vec((apdu(), data_objects(), any::<u16>()), 1..6),
    ) {
        let mut masker = Masker::new();
        let mut explainers = [Explainer::masked(), Explainer::unmasked()];
        for (command, data, status) in exchanges {
            let response = ResponseApdu { data, status: StatusWord(status) };
            for explainer in &mut explainers {
                explainer.command(&command);
                explainer.response(&response);
            }
            let (masked, answer) = masker.mask_exchange(&command, &response);
            prop_assert_eq!(masked.header(), command.header());
            prop_assert_eq!((masked.data.len(), masked.le), (command.data.len(), command.le));
            prop_assert_eq!((answer.data.len(), answer.status), (response.data.len(), response.status));
        }
    }

    #[test]
    fn explaining_and_masking_bytes_never_panics(bytes in data_objects(), list in bytes(40), text in ".{0,80}") {
        for mut explainer in [Explainer::masked(), Explainer::unmasked()] {
            explainer.tlv(&bytes);
            if let Ok(list) = Dol::parse(&list) {
                explainer.dol_data(&list, &bytes);
            }
        }
        let mut masker = Masker::new();
        prop_assert_eq!(masker.tlv(&bytes).len(), bytes.len());
        masker.text(&text);
        masker.track_2_text(&text);
        masker.pan(&text);
        for name in ["C-APDU", "R-APDU", "record", "CDOL data", "no such element"] {
            let element = Element { key: ElementKey::Named(name.into()), value: bytes.clone() };
            prop_assert_eq!(masker.element(&element).value.len(), bytes.len());
        }
        for row in TAGGED {
            if let Some(tag) = row.tag {
                meaning(tag, &bytes, Some(Currency::CNY));
                prop_assert_eq!(masker.element(&Element::tag(tag.0, bytes.as_slice())).value.len(), bytes.len());
            }
        }
    }

    #[test]
    fn no_reader_of_card_data_panics(bytes in data_objects(), list in bytes(40), text in ".{0,40}") {
        let _ = Fci::parse(&bytes, &Aid::new([0xA0]).unwrap());
        let _ = Track2::parse(&bytes);
        let _ = Pan::from_bcd(&bytes);
        let _ = Pan::new(&text);
        let _ = Pan::checked(&text);
        let _ = Pan::with_check_digit(&text);
        let _ = Iad::parse(&bytes);
        for template in [tag::ISSUER_SCRIPT_TEMPLATE_1, tag::ISSUER_SCRIPT_TEMPLATE_2] {
            let _ = IssuerScript::parse(template, &bytes);
        }
        if let Ok(afl) = Afl::parse(&bytes) {
            prop_assert_eq!(afl.to_bytes(), bytes.clone());
        }
        if let Ok(list) = Dol::parse(&list) {
            let _ = LogRecord::parse(&list, &bytes);
            let _ = LoadLogRecord::parse(&list, &bytes);
        }
    }

    #[test]
    fn reading_a_recording_never_panics(text in ".{0,200}", raw in bytes(200), at_us in any::<i64>(), cut in 0usize..200) {
        let _ = Trace::read(text.as_bytes());
        let _ = Trace::read(raw.as_slice());
        let header = format!(r#"{{"format":"cardwright-trace","version":1,"masked":true,"started_us":{at_us}}}"#);
        let event = format!(r#"{{"at_us":{at_us},"speaker":"link","name":"x","elements":[{{"tag":"9F79","value":"00"}}]}}"#);
        let whole = format!("{header}\n{event}\n{event}");
        prop_assert_eq!(Trace::read(whole.as_bytes()).unwrap().events.len(), 2);
        let kept = whole.len() - cut.min(event.len() - 1);
        let trace = Trace::read(&whole.as_bytes()[..kept]).unwrap();
        prop_assert_eq!((trace.events.len(), trace.cut), if kept == whole.len() { (2, false) } else { (1, true) });
        let _ = Trace::read([header.as_bytes(), b"\n", &raw].concat().as_slice());
        let _ = Trace::read([header.as_bytes(), b"\n", text.as_bytes(), b"\n"].concat().as_slice());
    }
}
