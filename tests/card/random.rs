//! Arbitrary bytes and sequences: no panic, the counter never falls, and no balance
//! moves but by a TC or a script.

use super::{ECASH, Table};
use cardwright::air::link::Interface;
use cardwright::words::dictionary::tag;
use cardwright::words::pboc::EcashSet;
use proptest::prelude::*;

/// A command that looks like one the card knows.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let head = prop::sample::select(vec![
        [0x00, 0xA4, 0x04, 0x00],
        [0x00, 0xA4, 0x04, 0x02],
        [0x00, 0xB2, 0x01, 0x0C],
        [0x00, 0xB2, 0x01, 0x14],
        [0x00, 0xB2, 0x00, 0x64],
        [0x80, 0xCA, 0x9F, 0x79],
        [0x80, 0xA8, 0x00, 0x00],
        [0x80, 0xAE, 0x80, 0x00],
        [0x80, 0xAE, 0x40, 0x00],
        [0x00, 0x82, 0x00, 0x00],
        [0x00, 0x20, 0x00, 0x80],
        [0x04, 0xDA, 0x9F, 0x79],
        [0x84, 0x1E, 0x00, 0x00],
        [0x04, 0xDC, 0x01, 0x0C],
    ]);
    (head, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(head, data)| {
        let mut bytes = head.to_vec();
        if !data.is_empty() {
            bytes.push(data.len() as u8);
        }
        bytes.extend(data);
        bytes
    })
}

/// What a conversation is made of.
#[derive(Debug, Clone)]
enum Step {
    Raw(Vec<u8>),
    Select,
    Start { ttq: u8, amount: u16 },
    Record(u8),
    Power,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Raw),
        plausible().prop_map(Step::Raw),
        Just(Step::Select),
        (any::<u8>(), any::<u16>()).prop_map(|(ttq, amount)| Step::Start { ttq, amount }),
        (1u8..=3).prop_map(Step::Record),
        Just(Step::Power),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn conversations_keep_the_rules(
        steps in prop::collection::vec(step(), 1..30),
        contact in any::<bool>(),
    ) {
        let interface = if contact { Interface::Contact } else { Interface::Contactless };
        let mut table = Table::new("ecash", interface, &[(tag::EC_BALANCE, 40_000)]);
        // The amount of a quick payment that waits for its last record.
        let mut waiting = None;
        for step in steps {
            let atc = table.card.memory().atc();
            let before = table.kept(EcashSet::FIRST);
            let mut allowed = 0;
            match step {
                Step::Raw(bytes) => {
                    let last = bytes.starts_with(&[0x00, 0xB2, 0x01, 0x14]);
                    allowed = if last { waiting.unwrap_or(0) } else { 0 };
                    table.bytes(&bytes);
                }
                Step::Select => {
                    table.select(ECASH);
                    waiting = None;
                }
                Step::Start { ttq, amount } => {
                    table.set(tag::TTQ, &format!("{ttq:02X}000000"));
                    table.amount(u64::from(amount));
                    let apdu = table.start_apdu(ECASH);
                    table.apdu(&apdu);
                    waiting = Some(u64::from(amount));
                }
                Step::Record(record) => {
                    table.hex(&format!("00B2{record:02X}1400"));
                    allowed = if record == 1 { waiting.unwrap_or(0) } else { 0 };
                }
                Step::Power => {
                    table.power(interface);
                    waiting = None;
                }
            }
            let after = table.kept(EcashSet::FIRST);
            prop_assert!(table.card.memory().atc() >= atc);
            prop_assert!(after == before || before - after == allowed, "{before} {after} {allowed}");
            if after != before {
                waiting = None;
            }
        }
    }
}
