//! What a planted fault is, and the wrapper that carries it out on what a card answers.

use super::answer::{self, Edit};
use super::card::CARD_FAULTS;
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
    ins: u8,
    p1: Option<u8>,
    p2: Option<u8>,
    data: &'static [u8],
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
    /// The card hears the command twice.
    Twice,
    /// The card is given other data: the last byte of it is another one.
    Misheard,
}

impl Fault {
    /// The fault of this name.
    pub fn called(name: &str) -> Result<&'static Self, WorldError> {
        let found = CARD_FAULTS.iter().find(|fault| fault.name == name);
        found.ok_or_else(|| WorldError::NoFault { name: name.to_owned() })
    }
}

impl On {
    /// At every command with this instruction.
    pub const fn ins(ins: u8) -> Self {
        Self { ins, p1: None, p2: None, data: &[] }
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

    fn fits(self, command: &CommandApdu) -> bool {
        let at = |wanted: Option<u8>, found: u8| wanted.is_none_or(|wanted| wanted == found);
        self.ins == command.ins
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
}

impl<C: Card> Planted<C> {
    /// The card with the fault.
    pub fn new(card: C, fault: &'static Fault) -> Self {
        Self { card, fault, first: None }
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
            Change::Repeat => first.clone(),
            Change::Keep(tag) => {
                let kept = answer::value(command, &first.data, tag);
                edited(Edit { tag, change: &|value| Some(kept.clone().unwrap_or_else(|| value.to_vec())) })
            }
            Change::Instead { .. } | Change::Ignored | Change::Twice | Change::Misheard => honest,
        }
    }
}

impl<C: Card> Card for Planted<C> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        if !self.fault.on.fits(command) {
            return self.card.transmit(command, context);
        }
        match self.fault.change {
            Change::Ignored => return Ok(ResponseApdu { data: Vec::new(), status: StatusWord(0x9000) }),
            Change::Twice => {
                self.card.transmit(command, context)?;
            }
            Change::Misheard => {
                let data = flipped(&command.data, usize::MAX, 1);
                return self.card.transmit(&CommandApdu { data, ..command.clone() }, context);
            }
            _ => {}
        }
        let honest = self.card.transmit(command, context)?;
        Ok(self.changed(command, honest))
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.card.reset(context)
    }
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
