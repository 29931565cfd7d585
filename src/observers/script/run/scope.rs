//! What a case knows while it is played: variables, the terminal's data, what the card has
//! given, the last answer.

use super::evaluate::Trouble;
use crate::base::bytes::bcd_to_u64;
use crate::base::context::Context;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::source::Span;
use crate::observers::script::value::Value;
use crate::words::decode::command_row;
use crate::words::dictionary::tag;
use crate::words::iso4217::Currency;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::{self, Tag, Tlv, TlvStore};
use crate::world::Seat;
use std::time::Duration;

/// Deepest nesting that is looked into.
const DEPTH_LIMIT: usize = 16;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that a case knows.
pub(super) struct Scope<'a> {
    pub seat: &'a mut Seat,
    pub context: &'a mut Context,
    /// What the card has given since its application was selected.
    pub card: TlvStore,
    /// The last answer.
    pub answer: Option<Answer>,
    variables: Vec<(String, Value)>,
    /// GENERATE AC commands that were answered since GET PROCESSING OPTIONS.
    pub cryptograms: usize,
    first_cryptogram: Option<[u8; 8]>,
    /// Whether the script has chosen the unpredictable number itself.
    pub chose_number: bool,
}

/// An answer.
pub(super) struct Answer {
    pub response: ResponseApdu,
    /// The data objects that the command's row reads from it, where they are no TLV.
    pub elements: TlvStore,
    pub micros: u64,
    /// Counted among the moments.
    pub moment: usize,
}

impl<'a> Scope<'a> {
    pub(super) fn new(seat: &'a mut Seat, context: &'a mut Context) -> Self {
        Self {
            seat,
            context,
            card: TlvStore::new(),
            answer: None,
            variables: Vec::new(),
            cryptograms: 0,
            first_cryptogram: None,
            chose_number: false,
        }
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

    /// Gives a data element of the terminal a value.
    pub(super) fn set(&mut self, tag: Tag, value: &Value, span: Span) -> Result<(), Trouble> {
        let bytes = value.element(tag, self.currency()).map_err(|cause| Trouble::new(span, cause))?;
        self.chose_number |= tag == tag::UNPREDICTABLE_NUMBER;
        // An amount stands twice among the data: its digits, and four bytes.
        let binary = match tag {
            tag::AMOUNT_AUTHORISED => Some(tag::AMOUNT_AUTHORISED_BINARY),
            tag::AMOUNT_OTHER => Some(tag::AMOUNT_OTHER_BINARY),
            _ => None,
        };
        let minor = bcd_to_u64(&bytes).ok().and_then(|minor| u32::try_from(minor).ok());
        if let Some((binary, minor)) = binary.zip(minor) {
            self.seat.data.put(binary, minor.to_be_bytes());
        }
        self.seat.data.put(tag, bytes);
        Ok(())
    }

    /// Terminal's and card's data together; the terminal's own counts first.
    pub(super) fn everything(&self) -> TlvStore {
        let mut all = self.card.clone();
        for (tag, value) in self.seat.data.iter() {
            all.put(tag, value);
        }
        all
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
        let row = command_row(command);
        let told = row.and_then(|row| (row.response_elements)(command, &response.data).ok());
        let mut elements = TlvStore::new();
        for element in told.unwrap_or_default() {
            if let crate::base::event::ElementKey::Tag(tag) = element.key {
                elements.put(Tag(tag), element.value);
            }
        }
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

impl Surroundings for Scope<'_> {
    fn element(&self, tag: Tag) -> Option<Vec<u8>> {
        self.seat.data.value(tag).or_else(|| self.card.value(tag)).map(<[u8]>::to_vec)
    }

    fn first_cryptogram(&self) -> Option<[u8; 8]> {
        self.first_cryptogram
    }

    fn currency(&self) -> Currency {
        let currency = self.seat.data.value(tag::TRANSACTION_CURRENCY_CODE);
        currency.and_then(Currency::from_bcd).unwrap_or(Currency::CNY)
    }

    fn date(&self, days: u32) -> [u8; 3] {
        self.context.now().plus(DAY * days).yymmdd()
    }

    fn random(&mut self, length: usize) -> Vec<u8> {
        (0..length).flat_map(|_| self.context.random::<1>()).collect()
    }
}
