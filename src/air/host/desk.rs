//! What a host's server does with one message: keys, code and PIN on the way in,
//! the host, the code on the way out. Knows no socket.

use super::answer_message::answer_frame;
use super::batch_message::is_totals;
use super::kinds::{Verb, verb};
use super::place::batch_of;
use super::security::{MasterKey, WorkingKeys, is_sign_on, sign_on_answer};
use super::{
    Answer, Delivery, Host, HostError, ResponseCode, Sender, WireError, answer_to_message, from_message,
    totals_from_message,
};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::iso8583::{Dialect, Frame, Message, Mti, encode, parse};
use std::sync::Arc;
use std::time::Duration;

/// Finds the master key of a terminal or a line; none, and it is unknown.
pub type MasterKeys = Arc<dyn Fn(&Sender) -> Result<Option<MasterKey>, HostError> + Send + Sync>;

/// What became of one message.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// The frame to send back.
    Answer(Vec<u8>),
    /// The frame to send back, in the way that the host wants.
    AsTold(Vec<u8>, Delivery),
    /// The frame to send back to someone who failed to prove who it is.
    Refusal(Vec<u8>),
    /// Nothing may be said, since the host failed and may or may not have acted: the
    /// terminal must learn that it has no answer.
    Silence,
    /// It is no message: the line is of no more use.
    Hang(WireError),
}

/// Takes messages apart for a host. One per worker thread.
pub struct Desk {
    dialect: Dialect,
    masters: MasterKeys,
    seed: Secret<[u8; 16]>,
    host: Box<dyn Host>,
}

impl Desk {
    /// A desk before `host`. Working keys come from `seed`, day, and who is at the other end.
    pub fn new(dialect: Dialect, masters: MasterKeys, seed: Secret<[u8; 16]>, host: Box<dyn Host>) -> Self {
        Self { dialect, masters, seed, host }
    }

    /// Acts on what followed a frame's length.
    pub fn handle(&mut self, bytes: &[u8], context: &mut Context) -> Reply {
        self.try_handle(bytes, context).unwrap_or_else(|error| {
            context.emit(Event::new("host", "Message Unreadable").because(error.to_string()));
            Reply::Hang(error)
        })
    }

    fn try_handle(&mut self, bytes: &[u8], context: &mut Context) -> Result<Reply, WireError> {
        let frame = Frame::open(bytes, &self.dialect)?;
        let message = parse(frame.message, &self.dialect)?;
        if message.mti.is_answer() {
            return Err(WireError::NotItsAnswer { what: "message type" });
        }
        // Whatever cannot be answered under a key has to name who it is from.
        let sender = Sender::of(&message, &self.dialect)?;
        // Whether it is known cannot be told while the store is away.
        let Ok(master) = (self.masters)(&sender).map_err(|error| context.emit(failed(&error))) else {
            return Ok(Reply::Silence);
        };
        if matches!(message.mti, Mti::NETWORK | Mti::NETWORK_ADVICE) {
            return self.manage(&frame, &message, (&sender, master), context);
        }
        let plain = |reply: &Message| -> Result<Vec<u8>, WireError> {
            Ok(frame.answer(&encode(reply, &self.dialect)?).to_bytes(&self.dialect)?)
        };
        let refuse = |code| answer_frame(&message, code, &self.dialect);
        if master.is_none() {
            context.emit(refused("its sender is unknown, or a terminal of another merchant", &sender));
            return Ok(Reply::Refusal(plain(&refuse(ResponseCode::UNKNOWN_TERMINAL))?));
        }
        let Some(keys) = self.keys_of(frame.message, &message, &sender, context) else {
            context.emit(refused("its authentication code is under no key of its sender", &sender));
            return Ok(Reply::Refusal(plain(&refuse(ResponseCode::MAC_FAILED))?));
        };
        let begun = context.now();
        let answer = self.decide(&message, &keys, context);
        context.emit(handled(&message, &self.dialect, answer.as_ref(), (begun, context.now())));
        let Some(answer) = answer else { return Ok(Reply::Silence) };
        let sealed = keys.seal(answer_to_message(&answer, &message, &self.dialect), None, &self.dialect);
        // An answer that no message holds is as good as none.
        let Ok(sealed) = sealed else { return Ok(Reply::Silence) };
        let bytes = frame.answer(&sealed).to_bytes(&self.dialect)?;
        Ok(match self.host.delivery() {
            usual if usual == Delivery::default() => Reply::Answer(bytes),
            told => Reply::AsTold(bytes, told),
        })
    }

    /// The keys under which the message proves itself: today's, or yesterday's for a
    /// terminal that signed on before midnight.
    fn keys_of(
        &self,
        bytes: &[u8],
        message: &Message,
        sender: &Sender,
        context: &Context,
    ) -> Option<WorkingKeys> {
        let now = context.now();
        let yesterday = Timestamp::from_micros(now.micros().saturating_sub(DAY_MICROS));
        [now, yesterday].into_iter().find_map(|at| {
            let keys =
                WorkingKeys::of_day(&self.seed, &sender.label(), at.date_number(), &self.dialect).ok()?;
            keys.check(bytes, message, &self.dialect).is_ok().then_some(keys)
        })
    }

    /// The host's answer, or a refusal of what is no request; none if the host failed.
    fn decide(&mut self, message: &Message, keys: &WorkingKeys, context: &mut Context) -> Option<Answer> {
        let refuse = |error: WireError| {
            let code = match &error {
                WireError::UnknownKind { .. } => ResponseCode::INVALID_TRANSACTION,
                _ => ResponseCode::FORMAT_ERROR,
            };
            Some(Answer::new(code, error.to_string()))
        };
        let result = if is_totals(message, &self.dialect) {
            match totals_from_message(message, &self.dialect) {
                Ok(totals) => self.host.settle(&totals, context),
                Err(error) => return refuse(error),
            }
        } else {
            let request = from_message(message, &self.dialect, context.now())
                .and_then(|request| Ok(super::Request { pin: keys.pin(message)?, ..request }));
            match request {
                Ok(request) => match verb(&request) {
                    Verb::Authorise => self.host.authorise(&request, context),
                    Verb::Advise => self.host.advise(&request, context),
                    Verb::Reverse => self.host.reverse(&request, context),
                },
                Err(error) => return refuse(error),
            }
        };
        result.map_err(|error: HostError| context.emit(failed(&error))).ok()
    }

    fn manage(
        &self,
        frame: &Frame<'_>,
        message: &Message,
        (sender, master): (&Sender, Option<MasterKey>),
        context: &Context,
    ) -> Result<Reply, WireError> {
        let answer = if message.mti == Mti::NETWORK_ADVICE {
            answer_frame(message, ResponseCode::APPROVED, &self.dialect)
        } else if !is_sign_on(message, &self.dialect) {
            answer_frame(message, ResponseCode::INVALID_TRANSACTION, &self.dialect)
        } else {
            let today = context.now().date_number();
            let keys = master.and_then(|master| {
                let keys = WorkingKeys::of_day(&self.seed, &sender.label(), today, &self.dialect).ok()?;
                keys.to_download(&master, &self.dialect).ok()
            });
            sign_on_answer(message, keys, ResponseCode::UNKNOWN_TERMINAL, &self.dialect)
        };
        let is_known = answer.bytes(39) != Some(&ResponseCode::UNKNOWN_TERMINAL.0[..]);
        let bytes = frame.answer(&encode(&answer, &self.dialect)?).to_bytes(&self.dialect)?;
        Ok(if is_known { Reply::Answer(bytes) } else { Reply::Refusal(bytes) })
    }
}

const DAY_MICROS: i64 = Duration::from_secs(86_400).as_micros() as i64;

fn failed(error: &HostError) -> Event {
    Event::new("host", "No Answer").because(error.to_string())
}

fn refused(why: &'static str, sender: &Sender) -> Event {
    let event = Event::new("host", "Message Refused").because(why);
    match sender {
        Sender::Terminal { terminal, merchant } => {
            event.with_named("merchant", merchant.as_str()).with_named("terminal", terminal.as_str())
        }
        Sender::Link { institution } => event.with_named("institution", institution.as_str()),
    }
}

/// One message as a log tells it: whose it was and what became of it, and nothing of a card.
fn handled(
    message: &Message,
    dialect: &Dialect,
    answer: Option<&Answer>,
    (begun, ended): (Timestamp, Timestamp),
) -> Event {
    let text = |field| message.text(field).unwrap_or_default().to_owned();
    let micros = ended.micros().saturating_sub(begun.micros()).max(0);
    let event = Event::new("host", "Message")
        .with_named("message type", message.mti.to_string())
        .with_named("processing code", text(3))
        .with_named("merchant", text(42))
        .with_named("terminal", text(41))
        .with_named("batch", batch_of(message, dialect).unwrap_or_default().to_owned())
        .with_named("trace", text(11))
        .with_named("duration_us", micros.to_string());
    match answer {
        Some(answer) => event.with_named("response code", answer.code.0),
        None => event,
    }
}
