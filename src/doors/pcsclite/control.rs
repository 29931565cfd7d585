//! The hand's language: one JSON object a line, one a line back. A program under test is
//! not needed to understand it; its test is.

use super::hand::HandError;
use super::reader::Fate;
use super::seat::Seat;
use super::service::Service;
use super::setup::{Cards, SetupError};
use crate::air::link::{FaultPoint, Interface, LinkError, ask_lines};
use crate::base::bytes::{Hex, HexError, parse_hex};
use crate::observers::report::card_file_json;
use crate::world::{AddressError, CardName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest delay that can be planned.
const LONGEST_DELAY_MS: u64 = 600_000;

/// What can be asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    /// Puts a card in: a new one, or the one that was there before.
    Insert {
        #[serde(default)]
        reader: usize,
        card: Option<String>,
        interface: Option<Way>,
    },
    /// Takes the card out.
    Remove {
        #[serde(default)]
        reader: usize,
    },
    /// Takes the card out and puts another in.
    Swap {
        #[serde(default)]
        reader: usize,
        card: String,
        interface: Option<Way>,
    },
    /// Takes the card out in the middle of an exchange that is to come.
    Pull {
        #[serde(default)]
        reader: usize,
        /// Counted from the next one, which is 0.
        #[serde(default)]
        exchange: u64,
        at: Point,
    },
    /// Makes an exchange that is to come slow.
    Delay {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
        ms: u64,
    },
    /// Answers an exchange that is to come in the card's place.
    Answer {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
        bytes: String,
    },
    /// Leaves an exchange that is to come without an answer.
    Mute {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
    },
    /// Asks a host that was started with `host serve --control`: how the next message is
    /// answered.
    Host {
        /// Its socket.
        at: PathBuf,
        /// The request, as the host takes it.
        ask: Value,
    },
    /// Forgets what was planned.
    Forget {
        #[serde(default)]
        reader: usize,
    },
    /// Tells the readers and what lies in them.
    Readers,
    /// Tells what the card remembers.
    Card {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        unmask: bool,
    },
    /// Tells what was said and done, decoded.
    Events {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        since: u64,
        #[serde(default)]
        unmask: bool,
    },
}

/// How a card is reached.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Contact,
    Contactless,
}

/// A point of an exchange.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Point {
    BeforeCommand,
    AnswerLost,
    AfterAnswer,
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    /// It is no request.
    #[error("expected a request, as {{\"do\": \"remove\"}}: {0}")]
    Request(#[from] serde_json::Error),
    /// No address of a card.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No card at the address.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The hand cannot.
    #[error(transparent)]
    Hand(#[from] HandError),
    /// No bytes.
    #[error("bytes: {0}")]
    Bytes(#[from] HexError),
    /// No host at the socket.
    #[error("host: {0}; start one with `cardwright host serve --control SOCKET`")]
    Link(#[from] LinkError),
    /// What the host said is no answer.
    #[error("host: expected a JSON object, found something else: {0}")]
    Host(serde_json::Error),
    /// The host did not do it.
    #[error("host: {0}")]
    HostSays(String),
    /// A delay that nobody would wait for.
    #[error("expected a delay of at most {LONGEST_DELAY_MS} ms, found {0}")]
    Delay(u64),
}

/// Answers requests.
pub(super) struct Control {
    cards: Mutex<Cards>,
}

impl Control {
    pub(super) fn new(cards: Cards) -> Self {
        Self { cards: Mutex::new(cards) }
    }

    /// Does what a line asks and tells what came of it: `ok`, and either what was asked
    /// for or `error`.
    pub(super) fn answer(&self, service: &Service, line: &str) -> String {
        let done = serde_json::from_str(line).map_err(ControlError::from);
        let mut told = match done.and_then(|request| self.act(service, request)) {
            Ok(told) => told,
            Err(error) => json!({ "error": error.to_string() }),
        };
        told["ok"] = json!(told.get("error").is_none());
        told.to_string()
    }

    fn act(&self, service: &Service, request: Request) -> Result<Value, ControlError> {
        let planned = |reader, exchange, fate| -> Result<Value, ControlError> {
            service.plan(reader, exchange, fate)?;
            Ok(json!({}))
        };
        match request {
            Request::Insert { reader, card, interface } => {
                let seat = card.map(|card| self.open(service, reader, &card, interface)).transpose()?;
                service.insert(reader, seat)?;
                Ok(json!({}))
            }
            Request::Remove { reader } => {
                service.remove(reader)?;
                Ok(json!({}))
            }
            Request::Swap { reader, card, interface } => {
                let seat = self.open(service, reader, &card, interface)?;
                service.remove(reader)?;
                service.insert(reader, Some(seat))?;
                Ok(json!({}))
            }
            Request::Pull { reader, exchange, at } => planned(reader, exchange, Fate::Pull(at.into())),
            Request::Delay { ms, .. } if ms > LONGEST_DELAY_MS => Err(ControlError::Delay(ms)),
            Request::Delay { reader, exchange, ms } => {
                planned(reader, exchange, Fate::Delay(Duration::from_millis(ms)))
            }
            Request::Answer { reader, exchange, bytes } => {
                planned(reader, exchange, Fate::Answer(parse_hex(&bytes)?))
            }
            Request::Mute { reader, exchange } => planned(reader, exchange, Fate::Mute),
            Request::Host { at, ask } => {
                let told = ask_lines(&at, &[ask.to_string()])?.pop().unwrap_or_default();
                let told: Value = serde_json::from_str(&told).map_err(ControlError::Host)?;
                match told["error"].as_str() {
                    Some(error) => Err(ControlError::HostSays(error.to_owned())),
                    None => Ok(json!({ "host": told })),
                }
            }
            Request::Forget { reader } => {
                service.forget_plans(reader)?;
                Ok(json!({}))
            }
            Request::Readers => {
                let readers = (0..service.count()).map(|number| told_reader(service, number));
                Ok(json!({ "readers": readers.collect::<Result<Vec<_>, _>>()? }))
            }
            Request::Card { reader, unmask } => {
                let seat = service.ask(reader, |reader| reader.seat.clone())?;
                let seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
                let seat = seat.as_ref().ok_or(HandError::NoCard { reader })?;
                let interface = seat.interface().to_string();
                Ok(json!({ "card": card_file_json(seat.memory(), unmask), "interface": interface }))
            }
            Request::Events { reader, since, unmask } => {
                let log = service.ask(reader, |reader| reader.log.clone())?;
                let (events, next) = log.told(since, unmask);
                Ok(json!({ "events": events, "next": next }))
            }
        }
    }

    fn open(
        &self,
        service: &Service,
        reader: usize,
        card: &str,
        interface: Option<Way>,
    ) -> Result<Seat, ControlError> {
        let log = service.ask(reader, |reader| reader.log.clone())?;
        let name = CardName::parse_served(card)?;
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(cards.open(&name, interface.map(Interface::from), &log)?)
    }
}

fn told_reader(service: &Service, number: usize) -> Result<Value, HandError> {
    service.ask(number, |reader| {
        let atr = reader.card.as_ref().map(|card| Hex(&card.atr).to_string());
        json!({ "reader": number, "name": reader.name, "atr": atr, "exchanges": reader.exchanges })
    })
}

impl From<Way> for Interface {
    fn from(way: Way) -> Self {
        match way {
            Way::Contact => Self::Contact,
            Way::Contactless => Self::Contactless,
        }
    }
}

impl From<Point> for FaultPoint {
    fn from(point: Point) -> Self {
        match point {
            Point::BeforeCommand => Self::BeforeCommand,
            Point::AnswerLost => Self::AnswerLost,
            Point::AfterAnswer => Self::AfterAnswer,
        }
    }
}

/// The hand, and what programs see of it: cards that are pulled, slow, swapped, silent.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::pcsclite::code::{Code, protocol, state};
    use crate::doors::pcsclite::setup::Setup;
    use crate::doors::pcsclite::watch::Watched;
    use proptest::prelude::*;

    const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 8, 0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x06, 0x00];
    const BALANCE: &[u8] = &[0x80, 0xCA, 0x9F, 0x79, 0x00];
    const SHARED: u64 = 2;
    const ROOM: usize = 258;

    struct Desk {
        service: Service,
        control: Control,
        context: i64,
    }

    impl Desk {
        fn new(readers: &str) -> Self {
            let (service, cards) = Setup::seeded(readers, 7).open().unwrap();
            let context = service.establish(2).unwrap();
            Self { service, control: Control::new(cards), context }
        }

        fn ask(&self, request: &Value) -> Value {
            serde_json::from_str(&self.control.answer(&self.service, &request.to_string())).unwrap()
        }

        fn done(&self, request: &Value) {
            let told = self.ask(request);
            assert_eq!(told["ok"], json!(true), "{told}");
        }

        fn connect(&self) -> i64 {
            let both = protocol::T0 | protocol::T1;
            self.service.connect(self.context, "Cardwright 00 00", SHARED, both).unwrap().0
        }

        fn send(&self, card: i64, command: &[u8]) -> Result<Vec<u8>, Code> {
            self.service.transmit(card, protocol::T1, command, ROOM)
        }

        fn watch(&self, thought: u64, timeout: Option<Duration>) -> (Result<(), Code>, u64) {
            let reader = "Cardwright 00 00".into();
            let mut watched = [Watched { reader, thought, event: 0, atr: Vec::new() }];
            let result = self.service.watch(self.context, timeout, &mut watched);
            (result, watched[0].event)
        }
    }

    #[test]
    fn a_card_pulled_in_a_transaction_is_gone_until_it_is_put_back() {
        let desk = Desk::new("sim:ecash");
        let card = desk.connect();
        desk.service.begin(card).unwrap();
        desk.done(&json!({"do": "pull", "exchange": 1, "at": "answer-lost"}));
        assert!(desk.send(card, SELECT).unwrap().ends_with(&[0x90, 0x00]));
        assert_eq!(desk.send(card, BALANCE), Err(Code::NOT_TRANSACTED));
        assert_eq!(desk.send(card, BALANCE), Err(Code::REMOVED_CARD));
        assert_eq!(desk.service.end(card, 0), Err(Code::REMOVED_CARD));
        assert_eq!(desk.watch(state::PRESENT, Some(Duration::ZERO)), (Ok(()), 0x2_0012));
        assert_eq!(desk.service.reconnect(card, SHARED, protocol::T1, 0), Err(Code::NO_SMARTCARD));
        // The card acted, though nobody heard it.
        let seen = desk.ask(&json!({"do": "events"}));
        let commands = seen["events"].as_array().unwrap().iter().filter(|event| event["event"] == "command");
        assert_eq!(commands.count(), 2);

        desk.done(&json!({"do": "insert"}));
        assert_eq!(desk.send(card, SELECT), Err(Code::REMOVED_CARD), "until it is connected again");
        assert_eq!(desk.service.reconnect(card, SHARED, protocol::T1, 0), Ok(protocol::T1));
        assert_eq!(desk.send(card, BALANCE), Ok(vec![0x69, 0x85]), "nothing is selected any more");
        desk.send(card, SELECT).unwrap();
        assert!(desk.send(card, BALANCE).unwrap().starts_with(&[0x9F, 0x79]));
    }

    #[test]
    fn a_card_pulled_at_other_points_has_not_seen_the_command_or_has_answered_it() {
        let desk = Desk::new("sim:ecash");
        for (at, answers, seen) in [("before-command", false, 0), ("after-answer", true, 1)] {
            let card = desk.connect();
            let since = desk.ask(&json!({"do": "events"}))["next"].clone();
            desk.done(&json!({"do": "pull", "at": at}));
            assert_eq!(desk.send(card, SELECT).is_ok(), answers, "{at}");
            assert_eq!(desk.send(card, SELECT), Err(Code::REMOVED_CARD), "{at}");
            let events = desk.ask(&json!({"do": "events", "since": since}));
            let answered =
                events["events"].as_array().unwrap().iter().filter(|event| event["event"] == "response");
            assert_eq!(answered.count(), seen, "{at}");
            desk.done(&json!({"do": "insert"}));
        }
    }

    #[test]
    fn a_card_can_be_taken_out_while_a_command_is_slow_to_reach_it() {
        let desk = Desk::new("sim:ecash");
        let card = desk.connect();
        desk.done(&json!({"do": "delay", "ms": 600_000}));
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| desk.send(card, SELECT));
            while desk.ask(&json!({"do": "readers"}))["readers"][0]["exchanges"] == 0 {
                std::thread::yield_now();
            }
            desk.done(&json!({"do": "remove"}));
            assert_eq!(sending.join().unwrap(), Err(Code::NOT_TRANSACTED));
        });
        let seen = desk.ask(&json!({"do": "events"}));
        assert_eq!(seen["events"], json!([]), "the card never saw the command");
    }

    #[test]
    fn an_answer_can_be_another_or_none() {
        let desk = Desk::new("sim:ecash");
        let card = desk.connect();
        desk.done(&json!({"do": "answer", "bytes": "6F00"}));
        desk.done(&json!({"do": "mute", "exchange": 1}));
        desk.done(&json!({"do": "mute", "exchange": 2}));
        assert_eq!(desk.send(card, SELECT), Ok(vec![0x6F, 0x00]));
        assert_eq!(desk.send(card, SELECT), Err(Code::NOT_TRANSACTED));
        desk.done(&json!({"do": "forget"}));
        assert!(desk.send(card, SELECT).is_ok(), "the card is there all the time");
    }

    #[test]
    fn a_host_is_told_its_next_answer() {
        let desk = Desk::new("sim:ecash");
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("host");
        let request = json!({"do": "host", "at": at, "ask": {"do": "answer", "rule": {"code": "51"}}});
        let told = desk.ask(&request);
        assert!(told["error"].as_str().unwrap().contains("host serve --control"), "{told}");
        let heard = std::sync::Arc::new(Mutex::new(Vec::new()));
        let hears = std::sync::Arc::clone(&heard);
        let host = move |line: &str| {
            hears.lock().unwrap().push(line.to_owned());
            json!({"ok": true}).to_string()
        };
        crate::air::link::answer_lines(&at, std::sync::Arc::new(host)).unwrap();
        desk.done(&request);
        assert_eq!(*heard.lock().unwrap(), [request["ask"].to_string()]);
    }

    #[test]
    fn a_card_is_swapped_for_another() {
        let desk = Desk::new("sim:ecash");
        let pan = || desk.ask(&json!({"do": "card", "unmask": true}))["card"]["pan"].clone();
        let (first, card) = (pan(), desk.connect());
        desk.done(&json!({"do": "swap", "card": "sim:debit", "interface": "contact"}));
        assert_ne!(pan(), first);
        assert_eq!(desk.send(card, SELECT), Err(Code::REMOVED_CARD));
        assert_eq!(
            desk.watch(0x1_0020, None),
            (Ok(()), 0x3_0122),
            "two changes, and the handle is still there"
        );
        assert_eq!(desk.ask(&json!({"do": "card"}))["interface"], "contact");
    }

    #[test]
    fn a_wait_ends_with_a_card_or_when_it_is_cancelled() {
        let desk = Desk::new("empty");
        let waiting = || desk.service.state().contexts.values().any(|context| context.waiting > 0);
        std::thread::scope(|scope| {
            let wait = || desk.watch(state::EMPTY, None);
            let watching = scope.spawn(wait);
            while !waiting() {
                std::thread::yield_now();
            }
            desk.done(&json!({"do": "insert", "card": "sim:ecash"}));
            assert_eq!(watching.join().unwrap(), (Ok(()), 0x1_0022));
            desk.done(&json!({"do": "remove"}));
            let watching = scope.spawn(wait);
            while !waiting() {
                std::thread::yield_now();
            }
            desk.service.cancel(desk.context).unwrap();
            assert_eq!(watching.join().unwrap().0, Err(Code::CANCELLED));
        });
        assert_eq!(desk.watch(state::EMPTY, Some(Duration::from_millis(1))), (Err(Code::TIMEOUT), 0x2_0010));
    }

    #[test]
    fn what_the_hand_cannot_do_it_says() {
        let desk = Desk::new("sim:ecash,empty");
        for (request, words) in [
            (json!({"do": "fly"}), "unknown variant"),
            (json!({"do": "remove", "raeder": 1}), "unknown field"),
            (json!({"do": "remove", "reader": 7}), "a reader from 0 to 1"),
            (json!({"do": "remove", "reader": 1}), "holds no card"),
            (json!({"do": "insert"}), "holds a card"),
            (json!({"do": "insert", "reader": 1}), "name one"),
            (json!({"do": "insert", "reader": 1, "card": "pcsc"}), "sim:PROFILE"),
            (json!({"do": "insert", "reader": 1, "card": "sim:none.card"}), "there is no file"),
            (json!({"do": "answer", "bytes": "9"}), "bytes"),
            (json!({"do": "delay", "ms": u64::MAX}), "at most"),
            (json!("remove"), "expected a request"),
        ] {
            let told = desk.ask(&request);
            let error = told["error"].as_str().unwrap_or_default();
            assert!(told["ok"] == json!(false) && error.contains(words), "{request}: {told}");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_card() {
        let pan =
            || Desk::new("sim:ecash").ask(&json!({"do": "card", "unmask": true}))["card"]["pan"].clone();
        assert_eq!(pan(), pan());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_line_is_answered_and_any_command_too(line in ".{0,60}", command in prop::collection::vec(any::<u8>(), 0..20)) {
            thread_local!(static DESK: Desk = Desk::new("sim:ecash"));
            DESK.with(|desk| {
                let told: Value = serde_json::from_str(&desk.control.answer(&desk.service, &line)).unwrap();
                assert!(told["ok"].is_boolean());
                let card = desk.connect();
                assert!(desk.send(card, &command).is_ok_and(|answer| answer.len() >= 2));
                desk.service.disconnect(card, 0).unwrap();
            });
        }
    }
}
