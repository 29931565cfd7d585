//! The card that replays a recording: it answers what was asked then, found by what a
//! command asks for, not by its place. It knows no key, and no money is on it.

use super::simulator::{Simulated, sealed};
use crate::air::link::{Endpoint, Interface, LinkError};
use crate::air::trace::{Meaning, Meanings, Trace};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::iso7816::{Atr, CommandApdu, ResponseApdu, StatusWord};
use crate::words::tlv;

/// A recorded card.
pub struct Replay {
    place: String,
    /// How its card was reached, where the recording says.
    interface: Option<Interface>,
    atr: Vec<u8>,
    masked: bool,
    exchanges: Vec<Recorded>,
    /// What the session that is played has asked for so far.
    meanings: Meanings,
    /// The name of the selected application, as it was recorded.
    selected: Option<Vec<u8>>,
    /// Behind the exchange that was answered last.
    at: usize,
}

/// A recorded command with its answer.
struct Recorded {
    meaning: Meaning,
    command: CommandApdu,
    answer: ResponseApdu,
    /// The application that was selected then; for SELECT the one that it selected.
    application: Option<Vec<u8>>,
}

/// How well a recorded exchange fits a command, best first.
const FITS: &[(&str, Fits)] = &[
    ("the same command", |recorded, command, _| recorded.command == *command),
    ("the same request with other data", |recorded, _, meaning| recorded.meaning == *meaning),
    ("the same step, another cryptogram", |recorded, _, meaning| recorded.meaning.is_same_step(meaning)),
    ("an application whose name begins so", |recorded, _, meaning| recorded.begins_with(meaning)),
];

/// The bits that say which cryptogram it is (EMV Book 3 6.5.5).
const CRYPTOGRAM_TYPE: u8 = 0xC0;
/// Where only a cryptogram of more was recorded, or of another step.
const LOWERED: &str = "another cryptogram, given as the type that was asked for: no issuer takes it";

type Fits = fn(&Recorded, &CommandApdu, &Meaning) -> bool;

impl Replay {
    /// The card of a recording; `None` where it holds no exchange.
    pub fn of(trace: &Trace, place: impl Into<String>) -> Option<Self> {
        let mut meanings = Meanings::default();
        let mut application = None;
        let mut exchanges = Vec::new();
        let mut resets = trace.events.iter().enumerate().filter(|(_, event)| event.is_reset()).peekable();
        for exchange in trace.exchanges() {
            while resets.next_if(|(index, _)| *index < exchange.event).is_some() {
                meanings.reset();
                application = None;
            }
            let (Some(command), Some(answer)) = (exchange.command_apdu(), exchange.response_apdu()) else {
                continue;
            };
            let meaning = meanings.of(&command);
            if let Some((name, _)) = meaning.selected_name().filter(|_| answer.status.is_ok()) {
                application = Some(df_name(&answer.data).unwrap_or(name).to_vec());
            }
            exchanges.push(Recorded { meaning, command, answer, application: application.clone() });
        }
        (!exchanges.is_empty()).then(|| Self {
            place: place.into(),
            interface: interface_of(trace),
            atr: trace.header.atr.clone(),
            masked: trace.header.masked,
            exchanges,
            meanings: Meanings::default(),
            selected: None,
            at: 0,
        })
    }

    /// How its card was reached, where the recording says.
    pub const fn interface(&self) -> Option<Interface> {
        self.interface
    }

    /// The place of the recorded answer to a command, and why it is that one.
    fn find(&self, command: &CommandApdu, meaning: &Meaning) -> Option<(&'static str, usize)> {
        let is_select = meaning.selected_name().is_some();
        let is_here = |recorded: &Recorded| is_select || recorded.application == self.selected;
        let nearest = |fits: &dyn Fn(&Recorded) -> bool| {
            let fits = |(_, recorded): &(usize, &Recorded)| is_here(recorded) && fits(recorded);
            let all = || self.exchanges.iter().enumerate();
            // What comes next is better than what was; of that the last is.
            let next = all().skip(self.at).find(fits);
            next.or_else(|| all().take(self.at).rfind(fits)).map(|(index, _)| index)
        };
        let found = FITS.iter().find_map(|(why, fits)| {
            let fits = |recorded: &Recorded| recorded.may_answer(meaning) && fits(recorded, command, meaning);
            Some((*why, nearest(&fits)?))
        });
        let is_cryptogram = |recorded: &Recorded| recorded.meaning.cryptogram_type().is_some();
        let asks_for_one = meaning.cryptogram_type().is_some();
        found.or_else(|| Some((LOWERED, nearest(&is_cryptogram).filter(|_| asks_for_one)?)))
    }
}

impl Recorded {
    /// A card may give a cryptogram that was asked for, or one of less; never one of more
    /// (EMV Book 3 9.3).
    fn may_answer(&self, meaning: &Meaning) -> bool {
        let (Some(asked), Some(given)) = (meaning.cryptogram_type(), cryptogram_type(&self.answer.data))
        else {
            return true;
        };
        rank(given) <= rank(asked)
    }

    fn begins_with(&self, meaning: &Meaning) -> bool {
        let wanted = meaning.selected_name();
        let own = self.meaning.selected_name().and(self.application.as_deref());
        matches!((wanted, own), (Some((wanted, false)), Some(own)) if !wanted.is_empty() && own.starts_with(wanted))
    }
}

impl Endpoint for Replay {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.power_off();
        if self.masked {
            let why = "its numbers are pseudonyms: offline data authentication cannot succeed";
            context.emit(Event::new("card", "masked recording").because(why));
        }
        match (self.atr.is_empty(), interface) {
            (false, _) => self.atr.clone(),
            (true, Interface::Contactless) => Atr::contactless(&[]),
            // T=1 offered, no historical bytes (ISO/IEC 7816-3 8.2).
            (true, Interface::Contact) => vec![0x3B, 0x80, 0x01, 0x81],
        }
    }

    fn power_off(&mut self) {
        self.meanings.reset();
        self.selected = None;
        self.at = 0;
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let Ok(command) = CommandApdu::parse(command) else {
            return Ok(ResponseApdu::status(StatusWord::WRONG_LENGTH).to_bytes());
        };
        let meaning = self.meanings.of(&command);
        let found = self.find(&command, &meaning);
        let Some((why, index, recorded)) =
            found.and_then(|(why, index)| Some((why, index, self.exchanges.get(index)?)))
        else {
            let status = unknown(&command);
            let why = format!("{status}: the recording holds no answer to such a command");
            context.emit(Event::new("card", "refused").because(why));
            return Ok(ResponseApdu::status(status).to_bytes());
        };
        self.at = index + 1;
        if recorded.meaning.selected_name().is_some() && recorded.answer.status.is_ok() {
            self.selected = recorded.application.clone();
        }
        let event = Event::new("card", "answered from the recording");
        context.emit(event.because(format!("exchange {}: {why}", index + 1)));
        let mut answer = recorded.answer.clone();
        if let Some(asked) = meaning.cryptogram_type() {
            lower(&mut answer.data, asked);
        }
        Ok(answer.to_bytes())
    }
}

impl sealed::Sealed for Replay {}
impl Simulated for Replay {
    fn is_recording(&self) -> bool {
        true
    }
}

fn interface_of(trace: &Trace) -> Option<Interface> {
    let named = trace.header.interface.as_deref()?;
    [Interface::Contact, Interface::Contactless].into_iter().find(|known| known.to_string() == named)
}

/// What a card says that does not have what is asked for.
fn unknown(command: &CommandApdu) -> StatusWord {
    match command.ins {
        0xA4 => StatusWord::FILE_NOT_FOUND,
        0xB2 => StatusWord::RECORD_NOT_FOUND,
        0xCA => StatusWord::DATA_NOT_FOUND,
        0xA8 | 0xAE | 0x82 | 0x88 => StatusWord::CONDITIONS_NOT_SATISFIED,
        _ => StatusWord::INS_NOT_SUPPORTED,
    }
}

/// The DF name in file control information.
fn df_name(answer: &[u8]) -> Option<&[u8]> {
    let fci = tlv::find(answer, tag::FCI_TEMPLATE).ok().flatten()?;
    Some(tlv::find(fci.value, tag::DF_NAME).ok().flatten()?.value)
}

/// The type of a cryptogram: its two bits in the cryptogram information data.
fn cryptogram_type(answer: &[u8]) -> Option<u8> {
    Some(answer.get(information_at(answer)?)? & CRYPTOGRAM_TYPE)
}

/// Makes a cryptogram of more than what is asked for one of the type that is.
fn lower(answer: &mut [u8], asked: u8) {
    let given = cryptogram_type(answer).filter(|given| rank(*given) > rank(asked));
    let at = given.and_then(|_| information_at(answer));
    if let Some(information) = at.and_then(|at| answer.get_mut(at)) {
        *information = *information & !CRYPTOGRAM_TYPE | asked;
    }
}

/// Where the cryptogram information data stands: in 9F27, or first in format 1.
fn information_at(answer: &[u8]) -> Option<usize> {
    let template = tlv::parse_one(answer).ok()?;
    match template.tag {
        tag::RESPONSE_TEMPLATE_FORMAT_1 => Some(template.value_offset),
        _ => {
            let found = tlv::find(template.value, tag::CRYPTOGRAM_INFORMATION_DATA).ok()??;
            Some(template.value_offset + found.value_offset)
        }
    }
}

/// AAC below ARQC below TC.
const fn rank(cryptogram_type: u8) -> u8 {
    match cryptogram_type {
        0x40 => 2,
        0x80 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::{TraceEvent, TraceHeader};
    use crate::base::bytes::{Hex, parse_hex};
    use crate::base::env::Timestamp;
    use crate::base::event::Discard;

    fn card(exchanges: &[(&str, &str)]) -> Replay {
        let link = |name: &'static str, key, hex: &str| {
            TraceEvent::from(Event::new("link", name).with_named(key, parse_hex(hex).unwrap()))
        };
        let events = exchanges.iter().flat_map(|(command, answer)| {
            [link("command", "C-APDU", command), link("response", "R-APDU", answer)]
        });
        let header = TraceHeader::new(Timestamp::default(), "sim:test");
        Replay::of(&Trace { header, events: events.collect(), cut: false }, "a recording").unwrap()
    }

    fn ask(card: &mut Replay, command: &str) -> String {
        let answer = card.process(&parse_hex(command).unwrap(), &mut Context::simulated(1, Discard)).unwrap();
        Hex(&answer).to_string()
    }

    const FCI: &str = "6F0A 8408A000000333010106 9000";

    #[test]
    fn order_and_changing_data_do_not_matter_and_the_next_answer_is_better_than_the_last() {
        let mut card = card(&[
            ("00A4040008A00000033301010600", FCI),
            ("80CA9F7900", "9F7906000000010000 9000"),
            ("80A8000004830200 0100", "8006 1C00 08010100 9000"),
            ("00B2010C00", "7003 5F3401 9000"),
            ("80CA9F7900", "9F7906000000009000 9000"),
        ]);
        assert_eq!(ask(&mut card, "00B2010C00"), "6A83", "nothing is selected");
        assert_eq!(ask(&mut card, "00A4040007A000000333010100"), Hex(&parse_hex(FCI).unwrap()).to_string());
        assert_eq!(ask(&mut card, "80CA9F7900"), "9F79060000000100009000");
        assert_eq!(ask(&mut card, "00B2010C00"), "70035F34019000");
        assert_eq!(ask(&mut card, "80A800000483029999 00"), "80061C00080101009000");
        assert_eq!(ask(&mut card, "80CA9F7900"), "9F79060000000090009000");
        assert_eq!(ask(&mut card, "80CA9F7900"), "9F79060000000090009000");
        assert_eq!(ask(&mut card, "80CA9F1700"), "6A88");
        assert_eq!(ask(&mut card, "00A4040007A000000003101000"), "6A82");
        assert_eq!(ask(&mut card, "00"), "6700");
    }

    #[test]
    fn no_cryptogram_above_the_one_that_is_asked_for() {
        let generate = |kind: &str| format!("80AE{kind}0001 07 00");
        let mut card = card(&[
            ("00A4040008A00000033301010600", FCI),
            (&generate("40"), "8003 400001 9000"),
            ("80A8000002830000", "8006 1C00 08010100 9000"),
            (&generate("80"), "8003 800002 9000"),
            (&generate("40"), "8003 400002 9000"),
        ]);
        ask(&mut card, "00A4040008A00000033301010600");
        assert_eq!(ask(&mut card, &generate("80")), "80038000029000");
        ask(&mut card, "80A8000002830000");
        assert_eq!(ask(&mut card, &generate("00")), "80030000029000", "a card may always decline");
    }

    #[test]
    fn a_recording_without_exchanges_is_no_card() {
        let header = TraceHeader::new(Timestamp::default(), "");
        assert!(Replay::of(&Trace { header, events: Vec::new(), cut: false }, "").is_none());
    }
}
