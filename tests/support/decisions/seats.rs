//! Who sits around the terminal: the card behind a faulty line, the person, the host.

use super::row::{AnswerRow, CardRow, HostRow, Row, Turn};
use cardwright::air::host::{Answer, Host, HostError, MessageClass, Request, ResponseCode};
use cardwright::air::link::{Endpoint, Interface, LinkError};
use cardwright::base::bytes::{Secret, parse_hex};
use cardwright::base::context::Context;
use cardwright::roles::card::{Device, DeviceLine, Simulator};
use cardwright::roles::terminal::{ApplicationName, Cardholder, Message, PinCheck, PinPrompt};
use cardwright::words::emv::IssuerScript;
use cardwright::words::tlv::{Tag, TlvStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What is other on the line than what was said.
#[derive(Default)]
pub(super) struct Faults {
    answers: Vec<Fault<Said>>,
    corrupted: Vec<Fault<Turn>>,
    misheard: Vec<Fault<Turn>>,
    slow: Vec<Fault<u64>>,
}

/// What comes in place of an answer.
#[derive(Clone)]
enum Said {
    Other(Vec<u8>),
    /// Nothing, though the card acted.
    Mute,
    /// Nothing, and the card never heard of it.
    Deaf,
}

/// A fault of commands that begin so; of the nth of them alone, where that is said.
struct Fault<T> {
    begins: Vec<u8>,
    nth: Option<usize>,
    met: usize,
    what: T,
}

impl<T> Fault<T> {
    fn all(rows: &BTreeMap<String, T>) -> Result<Vec<Fault<T>>, String>
    where
        T: Clone,
    {
        let fault = |(key, what): (&String, &T)| {
            let (begins, nth) = key.split_once('#').map_or((key.as_str(), None), |(a, b)| (a, Some(b)));
            let nth = nth.map(|nth| nth.parse().map_err(|_| format!("no number in {key}"))).transpose()?;
            let begins = parse_hex(begins).map_err(|error| error.to_string())?;
            Ok(Fault { begins, nth, met: 0, what: what.clone() })
        };
        rows.iter().map(fault).collect()
    }

    /// What befalls this command.
    fn of<'a>(faults: &'a mut [Self], command: &[u8]) -> Option<&'a T> {
        let mut found = None;
        for fault in faults.iter_mut().filter(|fault| command.starts_with(&fault.begins)) {
            fault.met += 1;
            if found.is_none() && fault.nth.is_none_or(|nth| nth == fault.met) {
                found = Some(&fault.what);
            }
        }
        found
    }
}

impl Faults {
    pub(super) fn of(card: &CardRow) -> Result<Self, String> {
        let answer = |(key, text): (&String, &String)| {
            let bytes = match text.as_str() {
                "mute" => Said::Mute,
                "deaf" => Said::Deaf,
                hex => Said::Other(parse_hex(hex).map_err(|error| format!("{key}: {error}"))?),
            };
            Ok::<_, String>((key.clone(), bytes))
        };
        let answers = card.answers.iter().map(answer).collect::<Result<_, String>>()?;
        Ok(Self {
            answers: Fault::all(&answers)?,
            corrupted: Fault::all(&card.corrupted)?,
            misheard: Fault::all(&card.misheard)?,
            slow: Fault::all(&card.slow)?,
        })
    }
}

/// The card behind a line on which some bytes are not what was said.
pub(super) struct Replaced {
    pub(super) card: Simulator,
    pub(super) faults: Arc<Mutex<Faults>>,
}

/// Turns bits of a byte in the first `length` ones.
fn turn_bits(bytes: &mut [u8], Turn { at, bits }: Turn, length: usize) {
    let place = if at < 0 { length.checked_add_signed(at) } else { usize::try_from(at).ok() };
    let byte = place.filter(|place| *place < length).and_then(|place| bytes.get_mut(place));
    assert!(byte.is_some(), "a row turns a bit of byte {at}, and {length} came");
    byte.into_iter().for_each(|byte| *byte ^= bits);
}

impl Endpoint for Replaced {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let said = Fault::of(&mut faults.answers, command).cloned();
        let gone = || LinkError::Removed { during: "in a row's transaction".into() };
        if matches!(said, Some(Said::Deaf)) {
            return Err(gone());
        }
        let mut heard = command.to_vec();
        if let Some(turn) = Fault::of(&mut faults.misheard, command) {
            turn_bits(&mut heard, *turn, command.len());
        }
        let mut answer = self.card.process(&heard, context)?;
        if let Some(turn) = Fault::of(&mut faults.corrupted, command) {
            let length = answer.len() - 2;
            turn_bits(&mut answer, *turn, length);
        }
        if let Some(ms) = Fault::of(&mut faults.slow, command) {
            context.elapse(Duration::from_millis(*ms));
        }
        match said {
            None => Ok(answer),
            Some(Said::Other(other)) => Ok(other),
            Some(Said::Mute | Said::Deaf) => Err(gone()),
        }
    }
}

/// A phone around the card that somebody can unlock between two presentments.
#[derive(Clone)]
pub(super) struct Phone(Arc<Mutex<Device>>);

impl Phone {
    pub(super) fn new(device: Device) -> Self {
        Self(Arc::new(Mutex::new(device)))
    }
}

impl DeviceLine for Phone {
    fn now(&mut self) -> Device {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A person who does what the row says.
#[derive(Default)]
pub(super) struct Person {
    pins: Vec<String>,
    chooses: i8,
    declines: bool,
    presents_again: usize,
    device: Option<Phone>,
    pub(super) prompts: usize,
    pub(super) offered: Vec<String>,
    pub(super) shown: Vec<String>,
}

impl Person {
    /// With the phone that holds the card, if one does.
    pub(super) fn of(row: &Row, device: Option<Phone>) -> Self {
        let Row { pins, chooses, declines, presents_again, .. } = row;
        Self {
            pins: pins.clone(),
            chooses: *chooses,
            declines: *declines,
            presents_again: *presents_again,
            device,
            ..Self::default()
        }
    }
}

impl Cardholder for Person {
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        self.prompts += 1;
        assert!(prompt.attempt == 1 || prompt.check != PinCheck::Online);
        (!self.pins.is_empty()).then(|| Secret::new(self.pins.remove(0)))
    }

    fn choose(&mut self, applications: &[ApplicationName]) -> Option<usize> {
        self.offered.extend(applications.iter().map(|application| application.text.clone()));
        usize::try_from(self.chooses).ok()
    }

    fn confirm(&mut self, application: &ApplicationName) -> bool {
        self.offered.push(application.text.clone());
        !self.declines
    }

    fn present_again(&mut self, _message: Message) -> bool {
        let does = self.presents_again > 0;
        self.presents_again = self.presents_again.saturating_sub(1);
        if let Some(device) = self.device.as_ref().filter(|_| does) {
            *device.0.lock().unwrap_or_else(PoisonError::into_inner) = Device::Unlocked;
        }
        does
    }

    fn show(&mut self, message: Message, language: &str) {
        self.shown.push(message.words_in(language).to_owned());
    }
}

/// The host, and what it was sent.
pub(super) struct Line<'a> {
    issuer: Box<dyn Host>,
    row: HostRow,
    answer: &'a AnswerRow,
    scripts: TlvStore,
    pub(super) messages: Vec<(&'static str, TlvStore)>,
}

impl<'a> Line<'a> {
    pub(super) fn of(row: &'a Row, issuer: Box<dyn Host>) -> Result<Self, String> {
        let bytes = parse_hex(&row.script).map_err(|error| error.to_string())?;
        let scripts = TlvStore::parse_repeating(&bytes, &IssuerScript::TEMPLATES);
        let scripts = scripts.map_err(|error| error.to_string())?;
        Ok(Self { issuer, row: row.host, answer: &row.answer, scripts, messages: Vec::new() })
    }

    fn pass(
        &mut self,
        request: &Request,
        context: &mut Context,
        issuer: fn(&mut dyn Host, &Request, &mut Context) -> Result<Answer, HostError>,
    ) -> Result<Answer, HostError> {
        if self.row == HostRow::Unreachable {
            return Err(HostError::Unreachable { cause: "there is no line".into() });
        }
        let word = match request.key.class {
            MessageClass::Request => "request",
            MessageClass::Reversal => "reversal",
            MessageClass::Notice => "notice",
            MessageClass::Batch => "batch",
        };
        self.messages.push((word, request.chip.clone()));
        let answer = issuer(self.issuer.as_mut(), request, context)?;
        if self.row == HostRow::Silent && word == "request" {
            return Err(HostError::NoAnswer { timeout_ms: 1 });
        }
        Ok(if word == "request" { self.other(answer) } else { answer })
    }

    #[expect(clippy::expect_used, reason = "a row that is written wrongly fails its test")]
    fn other(&self, mut answer: Answer) -> Answer {
        if let Some(code) = &self.answer.code {
            answer.code = ResponseCode(code.as_bytes().try_into().expect("a code has two characters"));
        }
        let tag = |text: &String| Tag(u32::from_str_radix(text, 16).expect("a tag is hexadecimal"));
        self.scripts.iter().for_each(|(tag, value)| answer.chip.push(tag, value));
        for name in &self.answer.without {
            assert!(answer.chip.remove(tag(name)).is_some(), "the answer has no {name}");
        }
        for (name, value) in &self.answer.data {
            answer.chip.put(tag(name), parse_hex(value).expect("a value is hexadecimal"));
        }
        answer
    }
}

impl Host for Line<'_> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.pass(request, context, |host, request, context| host.authorise(request, context))
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.pass(request, context, |host, request, context| host.advise(request, context))
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.pass(request, context, |host, request, context| host.reverse(request, context))
    }
}
