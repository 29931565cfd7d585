//! What a planted fault is, and the wrapper that carries it out on what a card answers, or
//! on what a terminal sends it.

use super::answer::{self, Edit};
use super::card::CARD_FAULTS;
use super::lists::Lists;
use super::terminal::TERMINAL_FAULTS;
use crate::air::host::Verb;
use crate::air::link::{Activation, Card, LinkError};
use crate::base::context::Context;
use crate::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};
use crate::words::tlv::Tag;
use crate::world::error::WorldError;

/// A fault: a row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// What it breaks, as a sentence of the one who has it.
    pub breaks: &'static str,
    /// At which commands.
    pub on: On,
    /// What is changed.
    pub change: Change,
}

/// At which commands a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct On {
    /// None stands for every command that answers a list of the card.
    ins: Option<u8>,
    p1: Option<u8>,
    p2: Option<u8>,
    data: &'static [u8],
    nth: Option<usize>,
}

/// What a fault does.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// The answer is this status word alone.
    Status(u16),
    /// Where the status word fits the first pattern (a mask and a value), it is the second
    /// one; data stays.
    Instead {
        /// Bits of the status word that are looked at.
        mask: u16,
        /// Their value.
        of: u16,
        /// What is said.
        with: u16,
    },
    /// The data object is left out.
    Without(Tag),
    /// The data object has this value.
    Value(Tag, &'static [u8]),
    /// The last bit of the last byte of a data object is another one.
    Flip(Tag),
    /// A bit of a data object is another one: byte from 0, mask.
    FlipBit(Tag, usize, u8),
    /// The answer's data is these bytes.
    Data(&'static [u8]),
    /// What was answered the first time is answered for good.
    Repeat,
    /// The data object keeps the value that it had the first time.
    Keep(Tag),
    /// The card never hears the command; it is answered with 9000 alone.
    Ignored,
    /// Data objects that are missing or come twice are made good: the terminal goes on.
    Mended,
    /// The command is sent twice.
    Twice,
    /// The card never hears the command; it is answered with this status word alone.
    Kept(u16),
    /// What the list of the card (PDOL, CDOL, DDOL) asks for is sent with another value.
    Sent(Tag, &'static [u8]),
    /// Bits of what the list asks for are sent as 0: byte from 0, mask.
    Cleared(Tag, usize, u8),
    /// Bits of what the list asks for are sent as 1: byte from 0, mask.
    Set(Tag, usize, u8),
    /// The first parameter is sent otherwise: the bits that stay, and those that are set.
    Parameter(u8, u8),
    /// The data is sent otherwise.
    SentData(&'static [u8]),
    /// Messages to the host.
    Message(MessageChange),
}

/// What a fault does to messages of a terminal to its host.
#[derive(Debug, Clone, Copy)]
pub enum MessageChange {
    /// Messages of this verb never leave the terminal, which takes them for done.
    Unsent(Verb),
    /// One minor unit more.
    Amount,
    /// An element of field 55 is left out.
    Without(Tag),
    /// No PIN.
    WithoutPin,
    /// A PIN that the host has no business with.
    WithPin,
}

impl Fault {
    /// Every fault, of cards and of terminals.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        CARD_FAULTS.iter().chain(TERMINAL_FAULTS)
    }

    /// The fault of this name.
    pub fn called(name: &str) -> Result<&'static Self, WorldError> {
        let found = Self::all().find(|fault| fault.name == name);
        found.ok_or_else(|| WorldError::NoFault { name: name.to_owned() })
    }
}

impl On {
    /// At every command with this instruction.
    pub const fn ins(ins: u8) -> Self {
        Self { ins: Some(ins), p1: None, p2: None, data: &[], nth: None }
    }

    /// At every command that answers a list of the card: PDOL, CDOL, DDOL.
    pub const fn lists() -> Self {
        Self { ins: None, ..Self::ins(0) }
    }

    /// Only with this first parameter.
    #[must_use]
    pub const fn p1(self, p1: u8) -> Self {
        Self { p1: Some(p1), ..self }
    }

    /// Only with this second parameter.
    #[must_use]
    pub const fn p2(self, p2: u8) -> Self {
        Self { p2: Some(p2), ..self }
    }

    /// Only where the data begins so.
    #[must_use]
    pub const fn data(self, data: &'static [u8]) -> Self {
        Self { data, ..self }
    }

    /// Only the command of this number among those that fit, from 1.
    #[must_use]
    pub const fn nth(self, nth: usize) -> Self {
        Self { nth: Some(nth), ..self }
    }

    fn fits(self, command: &CommandApdu) -> bool {
        let at = |wanted: Option<u8>, found: u8| wanted.is_none_or(|wanted| wanted == found);
        self.ins.map_or([0xA8, 0xAE, 0x88].contains(&command.ins), |ins| ins == command.ins)
            && at(self.p1, command.p1)
            && at(self.p2, command.p2)
            && command.data.starts_with(self.data)
    }
}

/// Wraps a card that has a fault.
pub struct Planted<C> {
    card: C,
    fault: &'static Fault,
    first: Option<ResponseApdu>,
    lists: Lists,
    /// Commands at which it could show, so far.
    fitting: usize,
}

impl<C: Card> Planted<C> {
    /// The card with the fault.
    pub fn new(card: C, fault: &'static Fault) -> Self {
        Self { card, fault, first: None, lists: Lists::default(), fitting: 0 }
    }

    fn changed(&mut self, command: &CommandApdu, honest: ResponseApdu) -> ResponseApdu {
        let status_alone = |status| ResponseApdu { data: Vec::new(), status: StatusWord(status) };
        let edited = |edit: Edit<'_>| ResponseApdu {
            data: answer::edited(command, &honest.data, edit),
            status: honest.status,
        };
        let first = self.first.get_or_insert_with(|| honest.clone());
        match self.fault.change {
            Change::Status(status) => status_alone(status),
            Change::Instead { mask, of, with } if honest.status.0 & mask == of => {
                ResponseApdu { data: honest.data, status: StatusWord(with) }
            }
            Change::Without(tag) => edited(Edit { tag, change: &|_| None }),
            Change::Value(tag, value) => edited(Edit { tag, change: &|_| Some(value.to_vec()) }),
            Change::Flip(tag) => edited(Edit { tag, change: &|value| Some(flipped(value, usize::MAX, 1)) }),
            Change::FlipBit(tag, at, mask) => {
                edited(Edit { tag, change: &|value| Some(flipped(value, at, mask)) })
            }
            Change::Data(data) => ResponseApdu { data: data.to_vec(), status: honest.status },
            Change::Mended => ResponseApdu { data: answer::mended(&honest.data), status: honest.status },
            Change::Repeat => first.clone(),
            Change::Keep(tag) => {
                let kept = answer::value(command, &first.data, tag);
                edited(Edit { tag, change: &|value| Some(kept.clone().unwrap_or_else(|| value.to_vec())) })
            }
            _ => honest,
        }
    }

    fn exchange(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        if !self.fault.on.fits(command) {
            return self.card.transmit(command, context);
        }
        self.fitting += 1;
        if self.fault.on.nth.is_some_and(|nth| nth != self.fitting) {
            return self.card.transmit(command, context);
        }
        let sent = match self.sent(command) {
            Ok(sent) => sent,
            Err(answer) => return Ok(answer),
        };
        if matches!(self.fault.change, Change::Twice) {
            self.card.transmit(&sent, context)?;
        }
        let honest = self.card.transmit(&sent, context)?;
        Ok(self.changed(command, honest))
    }

    /// What is sent of a command; none where nothing is.
    fn sent(&self, command: &CommandApdu) -> Result<CommandApdu, ResponseApdu> {
        let answered = |status| Err(ResponseApdu { data: Vec::new(), status: StatusWord(status) });
        let with = |tag, change: &dyn Fn(&[u8]) -> Vec<u8>| {
            let data = self.lists.changed(command, tag, change).unwrap_or_else(|| command.data.clone());
            Ok(CommandApdu { data, ..command.clone() })
        };
        match self.fault.change {
            Change::Ignored => answered(0x9000),
            Change::Kept(status) => answered(status),
            Change::Sent(tag, value) => with(tag, &|_| value.to_vec()),
            Change::Cleared(tag, at, mask) => with(tag, &|value| masked(value, at, |byte| byte & !mask)),
            Change::Set(tag, at, mask) => with(tag, &|value| masked(value, at, |byte| byte | mask)),
            Change::Parameter(stay, set) => {
                Ok(CommandApdu { p1: command.p1 & stay | set, ..command.clone() })
            }
            Change::SentData(data) => Ok(CommandApdu { data: data.to_vec(), ..command.clone() }),
            _ => Ok(command.clone()),
        }
    }
}

impl<C: Card> Card for Planted<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let response = self.exchange(command, context)?;
        self.lists.learn(command, &response);
        Ok(response)
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.card.reset(context)
    }
}

/// Bytes with one of them otherwise; a place behind the end changes nothing.
fn masked(bytes: &[u8], at: usize, change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte);
    }
    bytes
}

/// Bytes with some bits of one byte changed; a place behind the end is the last byte.
fn flipped(bytes: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let last = bytes.len().saturating_sub(1);
    if let Some(byte) = bytes.get_mut(at.min(last)) {
        *byte ^= mask;
    }
    bytes
}
