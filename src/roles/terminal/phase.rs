//! A transaction is a row of phases. Each waits for one reply, is consumed by it,
//! and names what to do next; it does no input or output itself.

use super::cardholder::{ApplicationName, PinPrompt};
use super::error::TerminalError;
use super::journal::{CardMark, Change, Torn};
use super::message::Message;
use super::outcome::Outcome;
use super::session::Session;
use crate::air::host::{Answer, HostError, Request};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::iso4217::Amount;
use crate::words::iso7816::{CommandApdu, ResponseApdu};

/// One piece of input and output.
#[derive(Debug)]
pub(super) enum Io {
    /// A command to the card.
    Transmit(CommandApdu),
    /// A command to a card that may have left: nothing hangs on its answer.
    TryTransmit(CommandApdu),
    /// Commands go to the card that pays from here on.
    TurnToPayer,
    /// Commands go to the card that the transaction is of from here on.
    TurnToCard,
    /// A PIN from the cardholder.
    EnterPin(PinPrompt),
    /// One of several applications, chosen by the cardholder.
    Choose(Vec<ApplicationName>),
    /// The cardholder's word on the only application.
    Confirm(ApplicationName),
    /// The card, taken away and presented again, for the reason that the person is told.
    PresentAgain(Message),
    /// A request to the host.
    Authorise(Box<Request>),
    /// A notice to the host.
    Advise(Box<Request>),
    /// A reversal to the host.
    Reverse(Box<Request>),
    /// The torn transaction of this card, and of this amount where one is named, if the
    /// journal keeps one.
    FindTorn { card: CardMark, amount: Option<Amount>, since: Timestamp, most: usize },
    /// Nothing: only the journal is written.
    Nothing,
}

/// What comes of it.
#[derive(Debug)]
pub(super) enum Reply {
    Response(ResponseApdu),
    /// The card has left.
    Gone,
    Pin(Option<Secret<String>>),
    Choice(Option<usize>),
    Confirmed(bool),
    Presented(bool),
    Answer(Result<Answer, HostError>),
    Torn(Option<Box<Torn>>),
    Nothing,
}

/// What a phase wants done: the journal first, durably, then what the cardholder sees,
/// then the input or output.
pub(super) struct Ask {
    pub(super) first: Vec<Change>,
    /// The message and its language.
    pub(super) show: Option<(Message, String)>,
    pub(super) io: Io,
}

/// What follows a phase.
pub(super) enum Next {
    Wait(Ask, Box<dyn Phase>),
    Done(Box<Outcome>),
}

/// A phase that waits for one reply.
pub(super) trait Phase: Send {
    /// The section title of its step.
    fn name(&self) -> &'static str;

    /// Takes the reply.
    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError>;

    /// The session, where the reply may be lost without harm: over contactless the card is
    /// then presented again and asked anew. `None` where what was lost may have moved money.
    fn release(self: Box<Self>) -> Option<Session> {
        None
    }
}

impl Next {
    /// Sends a command and waits in `phase`.
    pub(super) fn transmit(command: CommandApdu, phase: impl Phase + 'static) -> Self {
        Self::wait(Io::Transmit(command), phase)
    }

    /// Does something and waits in `phase`.
    pub(super) fn wait(io: Io, phase: impl Phase + 'static) -> Self {
        Self::Wait(Ask { first: Vec::new(), show: None, io }, Box::new(phase))
    }

    /// Writes the journal before anything else of this step.
    pub(super) fn after(self, change: Change) -> Self {
        match self {
            Self::Wait(mut ask, phase) => {
                ask.first.insert(0, change);
                Self::Wait(ask, phase)
            }
            // A transaction that is over still writes its last state.
            Self::Done(outcome) => {
                let ask = Ask { first: vec![change], show: None, io: Io::Nothing };
                Self::Wait(ask, Box::new(Over(outcome)))
            }
        }
    }

    /// Shows a message before this step. What is over shows its own.
    pub(super) fn showing(self, message: Message, language: &str) -> Self {
        match self {
            Self::Wait(ask, phase) => {
                Self::Wait(Ask { show: Some((message, language.to_owned())), ..ask }, phase)
            }
            done => done,
        }
    }

    /// The end.
    pub(super) fn done(outcome: Outcome) -> Self {
        Self::Done(Box::new(outcome))
    }
}

/// Tells that a step begins; `title` is the section title of the specification.
pub(super) fn step(title: &'static str, context: &mut Context) {
    context.emit(Event::new("terminal", "step").because(title));
}

impl Reply {
    pub(super) fn response(self, step: &'static str) -> Result<ResponseApdu, TerminalError> {
        match self {
            Self::Response(response) => Ok(response),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn pin(self, step: &'static str) -> Result<Option<Secret<String>>, TerminalError> {
        match self {
            Self::Pin(pin) => Ok(pin),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn torn(self, step: &'static str) -> Result<Option<Box<Torn>>, TerminalError> {
        match self {
            Self::Torn(torn) => Ok(torn),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn choice(self, step: &'static str) -> Result<Option<usize>, TerminalError> {
        match self {
            Self::Choice(choice) => Ok(choice),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn confirmed(self, step: &'static str) -> Result<bool, TerminalError> {
        match self {
            Self::Confirmed(word) => Ok(word),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn presented(self, step: &'static str) -> Result<bool, TerminalError> {
        match self {
            Self::Presented(there) => Ok(there),
            _ => Err(TerminalError::Reply { step }),
        }
    }

    pub(super) fn answer(self, step: &'static str) -> Result<Result<Answer, HostError>, TerminalError> {
        match self {
            Self::Answer(answer) => Ok(answer),
            _ => Err(TerminalError::Reply { step }),
        }
    }
}

struct Over(Box<Outcome>);

impl Phase for Over {
    fn name(&self) -> &'static str {
        "Completion"
    }

    fn take(self: Box<Self>, _reply: Reply, _context: &mut Context) -> Result<Next, TerminalError> {
        Ok(Next::Done(self.0))
    }
}
