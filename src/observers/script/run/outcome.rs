//! What came of a case: its end, every exchange, and what was not as expected. Values are
//! as they were on the wire; whoever tells them masks them.

use crate::observers::script::source::Place;
use crate::words::iso7816::{CommandApdu, Effect, ResponseApdu};
use crate::words::iso8583::Message;
use crate::words::tlv::{Tag, TlvStore};

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRun {
    /// How it ended.
    pub outcome: Outcome,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// The worst that it did to the card.
    pub effect: Effect,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was as expected.
    Passed,
    /// Something was not as expected: all that was wrong with one answer.
    Failed(Vec<Failure>),
    /// The script could not go on: what it asks for cannot be worked out.
    Broken {
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
    /// Who was to do something was not there, or was not allowed to.
    NotRun {
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
    /// The card could not be reached any more.
    Unreachable {
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
}

/// Something that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which line expects it.
    pub place: Place,
    /// What is looked at: `9F79`, `the status word`.
    pub subject: String,
    /// What was expected.
    pub expected: Shown,
    /// What came.
    pub received: Shown,
    /// The exchange, counted among the moments.
    pub moment: Option<usize>,
    /// What an expectation could say instead, where it is a value as it stands: its place
    /// and the text of what came.
    pub update: Option<(Place, String)>,
}

/// A value of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Words that hold no card data.
    Words(String),
    /// A data element's value.
    Element(Tag, Vec<u8>),
    /// Bytes of an answer that are no single element.
    Answer(Vec<u8>),
    /// A value that was worked out of card data.
    Derived(String),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A command and its answer.
    Exchange {
        /// The line, from 1, of the script that sent it.
        line: usize,
        /// The command.
        command: CommandApdu,
        /// The answer.
        response: ResponseApdu,
        /// How long it took.
        micros: u64,
    },
    /// A command that got no answer.
    Lost {
        /// The line, from 1, of the script that sent it.
        line: usize,
        /// The command.
        command: CommandApdu,
    },
    /// A message to a host.
    Message(Box<HostMoment>),
    /// What came of something that the terminal under test, a person or a program was asked.
    Note {
        /// The line, from 1, of the script that asked.
        line: usize,
        /// What was asked, and what came of it; no card data.
        text: String,
    },
    /// The card was reset.
    Reset {
        /// The line, from 1, of the script that asked for it.
        line: usize,
    },
}

/// A message to a host and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMoment {
    /// The line, from 1, of the script.
    pub line: usize,
    /// What kind of message: `purchase`.
    pub words: &'static str,
    /// The amount, with its currency.
    pub amount: String,
    /// Its fields.
    pub fields: Option<Message>,
    /// Field 55.
    pub sent: TlvStore,
    /// The code that it was answered with, in words, and field 55; none where no answer came.
    pub answer: Option<(String, TlvStore)>,
    /// How long it took.
    pub micros: u64,
}

impl Outcome {
    /// Whether everything was as expected.
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Passed)
    }
}
