//! What a case knows while it is played: variables, the terminal's data, what the card has
//! given, the last answer. It learns from exchanges, and sends nothing.

use super::layout::{answered_elements, gathered_elements};
use crate::observers::script::errand::Ran;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::iso8583::Message;
use crate::words::tlv::{self, Tlv, TlvStore};

/// Deepest nesting that is looked into.
const DEPTH_LIMIT: usize = 16;

/// Everything that a case knows.
#[derive(Default)]
pub(in crate::observers::script) struct Knowledge {
    /// The terminal's data elements.
    pub data: TlvStore,
    /// The list by which a card without a DDOL (9F49) signs.
    pub default_ddol: Vec<u8>,
    /// What the card has given since its application was selected.
    pub card: TlvStore,
    /// The last answer, or the one that is looked at.
    pub answer: Option<Answer>,
    /// What came of the last transaction of a terminal under test.
    pub ended: Option<End>,
    /// What came of the last program.
    pub ran: Option<Ran>,
    variables: Vec<(String, Value)>,
    /// GENERATE AC commands that were answered since GET PROCESSING OPTIONS.
    pub cryptograms: usize,
    pub first_cryptogram: Option<[u8; 8]>,
    /// Whether the script has chosen the unpredictable number itself.
    pub chose_number: bool,
}

/// An answer, and what it answers.
#[derive(Debug, Clone)]
pub(in crate::observers::script) struct Answer {
    /// The data elements that were sent, where the script plays the other side.
    pub sent: TlvStore,
    /// The message that was sent, and its answer, where it was one.
    pub messages: Option<Messages>,
    pub response: ResponseApdu,
    /// The data objects that the command's row reads from it, where they are no TLV.
    pub elements: TlvStore,
    pub micros: u64,
    /// Counted among the moments.
    pub moment: usize,
}

/// A message to a host and what it answered.
#[derive(Debug, Clone)]
pub(in crate::observers::script) struct Messages {
    pub request: Message,
    pub answer: Option<Message>,
    pub amount_minor: u64,
    pub has_pin: bool,
}

/// What came of a transaction, as a script looks at it.
#[derive(Debug, Clone)]
pub(in crate::observers::script) struct End {
    /// The words of the end that says most.
    pub words: Vec<&'static str>,
    pub reason: String,
    pub shown: String,
    pub told: String,
    pub balance_minor: Option<u64>,
    pub moment: usize,
}

impl Knowledge {
    /// What is known before anything was said.
    pub(super) fn new(data: TlvStore, default_ddol: Vec<u8>) -> Self {
        Self { data, default_ddol, ..Self::default() }
    }

    /// Gives a variable a value.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some(slot) => slot.1 = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Terminal's and card's data together; the terminal's own counts first.
    pub(super) fn everything(&self) -> TlvStore {
        let mut all = self.card.clone();
        for (tag, value) in self.data.iter() {
            all.put(tag, value);
        }
        all
    }

    /// The data elements of a command that the terminal under test has sent; they are its
    /// data from then on.
    pub(super) fn hear(&mut self, command: &CommandApdu) -> TlvStore {
        let sent = gathered_elements(command, self);
        for (tag, value) in sent.iter() {
            self.data.put(tag, value);
        }
        sent
    }

    /// A card was reset, and has forgotten what was selected.
    pub(super) fn forget(&mut self) {
        self.card = TlvStore::new();
        self.cryptograms = 0;
        self.first_cryptogram = None;
    }

    /// Learns from an answer what the card gives.
    pub(super) fn learn(&mut self, command: &CommandApdu, response: &ResponseApdu) -> TlvStore {
        if !response.status.is_ok() && response.status.sw1() != 0x62 {
            return TlvStore::new();
        }
        match (command.cla, command.ins) {
            (0x00, 0xA4) => self.forget(),
            (0x80, 0xA8) => {
                self.cryptograms = 0;
                self.first_cryptogram = None;
            }
            (0x80, 0xAE) => self.cryptograms += 1,
            _ => {}
        }
        let elements = answered_elements(command, response);
        // A log's record is no TLV, though it may look like one.
        if let Ok(list) = tlv::parse(&response.data) {
            self.learn_list(&list, 0);
        }
        for (tag, value) in elements.iter() {
            self.card.put(tag, value);
        }
        if self.first_cryptogram.is_none() {
            self.first_cryptogram = self.card.array(tag::APPLICATION_CRYPTOGRAM);
        }
        elements
    }

    fn learn_list(&mut self, list: &[Tlv<'_>], depth: usize) {
        for element in list.iter().filter(|_| depth < DEPTH_LIMIT) {
            if element.tag.is_constructed() {
                self.learn_list(&element.children().unwrap_or_default(), depth + 1);
            } else {
                self.card.put(element.tag, element.value);
            }
        }
    }
}

impl Answer {
    /// An answer to a command of the script's own.
    pub(super) fn to_own(response: ResponseApdu, elements: TlvStore, micros: u64, moment: usize) -> Self {
        Self { sent: TlvStore::new(), messages: None, response, elements, micros, moment }
    }
}
