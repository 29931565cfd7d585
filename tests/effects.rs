//! A real card is never harmed by surprise (design: safety of use): what a command
//! may do is judged before it is sent.

use cardwright::air::link::{Activation, Card, Guard, Interface, LinkError, RadioIdentity, Record, T0};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::terminal::{CardKind, Depth, TerminalConfig, read};
use cardwright::words::decode::judge;
use cardwright::words::iso7816::{Atr, CommandApdu, Effect, ResponseApdu, StatusWord};
use std::sync::{Arc, Mutex};

/// A card that is not ours: it notes every command that reaches it.
struct Noting {
    activation: Activation,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Noting {
    fn new(atr: Vec<u8>) -> (Self, Arc<Mutex<Vec<u8>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let activation = Activation {
            interface: Interface::Contactless,
            atr,
            place: "a card of somebody".into(),
            real: true,
        };
        (Self { activation, seen: Arc::clone(&seen) }, seen)
    }
}

impl Card for Noting {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, command: &CommandApdu, _: &mut Context) -> Result<ResponseApdu, LinkError> {
        self.seen.lock().unwrap().push(command.ins);
        Ok(ResponseApdu::status(StatusWord::FILE_NOT_FOUND))
    }

    fn reset(&mut self, _: &mut Context) -> Result<(), LinkError> {
        Ok(())
    }

    fn radio_identity(&mut self, _: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        Ok(Some(RadioIdentity { uid: vec![0x04, 0x11, 0x22, 0x33], ats: Vec::new() }))
    }
}

fn command(hex: &str) -> CommandApdu {
    CommandApdu::parse(&cardwright::base::bytes::parse_hex(hex).unwrap()).unwrap()
}

/// One command of each effect, mildest first.
const COMMANDS: &[(&str, Effect)] = &[
    ("80CA9F7900", Effect::Reads),
    ("80A8000002830000", Effect::Spends),
    ("80AE80000400000000 00", Effect::Changes),
    ("04DA9F790A00000004878761B9F4A0", Effect::Changes),
    ("00200080082412345FFFFFFFFF", Effect::Destroys),
    ("841E00000401020304", Effect::Destroys),
    ("80F0000000", Effect::Destroys),
];

#[test]
fn nothing_above_what_was_allowed_reaches_the_card() {
    let mut context = Context::simulated(1, Discard);
    for allowed in Effect::ALL {
        for (hex, effect) in COMMANDS {
            let (card, seen) = Noting::new(vec![0x3B, 0x80, 0x80, 0x01, 0x01]);
            let mut guarded = Guard::new(card, judge, *allowed);
            let result = guarded.transmit(&command(hex), &mut context);
            let reached = !seen.lock().unwrap().is_empty();
            assert_eq!(reached, effect <= allowed, "{hex} with {allowed} allowed");
            if !reached {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(&format!("--allow {effect}")), "{error}");
            }
        }
    }
}

#[test]
fn reading_sends_nothing_but_reads() {
    let mut context = Context::simulated(1, Discard);
    let (card, seen) = Noting::new(vec![0x3B, 0x80, 0x80, 0x01, 0x01]);
    let mut guarded = Guard::new(card, judge, Effect::Reads);
    let facts = read(&mut guarded, &TerminalConfig::default(), Depth::Quick, &mut context).unwrap();
    assert!(facts.applications.is_empty() && !facts.remarks.is_empty());
    assert!(seen.lock().unwrap().iter().all(|ins| [0xA4, 0xB2, 0xCA].contains(ins)));
}

#[test]
fn a_storage_card_shows_type_and_uid() {
    let mut context = Context::simulated(1, Discard);
    let historical = [0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0, 0, 0, 0];
    let (card, seen) = Noting::new(Atr::contactless(&historical));
    let mut card = Record(T0(Guard::new(card, judge, Effect::Reads)));
    let facts = read(&mut card, &TerminalConfig::default(), Depth::Quick, &mut context).unwrap();
    assert_eq!(facts.kind, CardKind::Storage { name: "MIFARE Classic 1K".into() });
    assert_eq!(
        facts.radio.known().map(|radio| radio.uid.as_slice()),
        Some([0x04, 0x11, 0x22, 0x33].as_slice())
    );
    assert!(seen.lock().unwrap().is_empty(), "the reader is asked, not the card");
}
