//! What happens while a terminal under test is at work: what it sends is matched with the
//! blocks of the script, which judge it and change what it gets back.

use super::evaluate::{Trouble, evaluate};
use super::expectation::Unmet;
use super::knowledge::{Answer as Seen, Knowledge, Messages};
use super::layout::answered_elements;
use super::lua::OnFunction;
use super::matching::{Sent, is_meant};
use super::outcome::{HostMoment, Moment};
use super::scope::Scope;
use crate::air::host::{
    Answer, Delivery, Host, HostError, Inbox, Request, ResponseCode, Verb, answer_to_message, send,
    to_message,
};
use crate::air::link::{Endpoint, LinkError};
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::observers::script::part::{Action, MessageWord, On};
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Statement, Step};
use crate::observers::script::value::Value;
use crate::roles::card::CardHand;
use crate::words::decode::judge as judge_effect;
use crate::words::iso7816::{CommandApdu, Effect, ResponseApdu};
use crate::words::iso8583::dialect;
use crate::words::tlv::TlvStore;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most things that a terminal sends in one case.
const SENT_LIMIT: usize = 10_000;
/// The longest delay, milliseconds.
const DELAY_LIMIT_MS: i64 = 600_000;
/// How long a host hears nothing before its terminal counts as done.
const QUIET: Duration = Duration::from_secs(2);
/// The dialect in which fields of messages have their numbers.
const DIALECT: &str = "pos";

/// Card and host before a terminal under test; clones are the same.
#[derive(Clone, Default)]
pub struct Puppet(Arc<Mutex<Strings>>);

/// By what the puppet hangs.
#[derive(Default)]
pub(super) struct Strings {
    /// What the case knows; with the player while no terminal is at work.
    pub known: Knowledge,
    pub blocks: Vec<Block>,
    pub log: Vec<Entry>,
    pub moments: Vec<Moment>,
    pub failures: Vec<(Unmet, Span, usize)>,
    pub trouble: Option<Trouble>,
    pub effect: Effect,
    /// The line of the script that the terminal is at work for.
    pub line: usize,
    /// Whether the card has been taken away.
    away: bool,
    /// Whether a command has come since the terminal was asked.
    is_heard: bool,
    /// Whether the card has lost power after that: a terminal elsewhere is done with it.
    is_over: bool,
    /// When the last message came since the terminal was asked.
    last_message: Option<Timestamp>,
    delivery: Delivery,
}

/// A block of the script.
pub(super) struct Block {
    on: Arc<On>,
    seen: usize,
    /// Lines that change an element, and whether they ever did.
    acted: Vec<(Span, bool)>,
    /// What gives lines of Lua's, each time anew, and those of this time.
    function: Option<OnFunction>,
    given: Vec<Statement>,
}

/// Something that the terminal has sent, and what it got.
pub(super) struct Entry {
    pub what: SentThing,
    pub seen: Seen,
}

/// What it was.
pub(super) enum SentThing {
    Command(CommandApdu),
    Message(Box<Request>),
}

impl Entry {
    /// As what it is looked for.
    pub(super) fn sent(&self) -> Sent<'_> {
        match &self.what {
            SentThing::Command(apdu) => Sent::Command(apdu, &self.seen.sent),
            SentThing::Message(request) => Sent::Message(request.kind, request.key.class),
        }
    }
}

impl Block {
    pub(super) fn new(on: &Arc<On>) -> Self {
        let edits = on.statements.iter().filter(|line| matches!(line.step, Step::Action(Action::Edit(_))));
        let acted = edits.map(|line| (line.span, false)).collect();
        Self { on: Arc::clone(on), seen: 0, acted, function: None, given: Vec::new() }
    }

    /// A block whose lines a function gives.
    pub(super) fn of_function(on: &Arc<On>, function: OnFunction) -> Self {
        Self { function: Some(function), ..Self::new(on) }
    }

    /// A line that was to change an element and never found one, though its block was played.
    pub(super) fn idle(&self) -> Option<Span> {
        let is_played = self.seen >= self.on.nth.unwrap_or(1);
        self.acted.iter().find(|(_, acted)| is_played && !acted).map(|(span, _)| *span)
    }
}

/// What blocks have said of one thing that was sent.
#[derive(Default)]
struct Orders {
    answer: Option<(Span, Value, Option<Value>)>,
    lost: Option<bool>,
    delay_ms: u64,
    is_twice: bool,
}

impl Puppet {
    pub(super) fn strings(&self) -> MutexGuard<'_, Strings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strings {
    /// The terminal is asked again, for this line of the script.
    pub(super) fn begin(&mut self, line: usize) {
        (self.line, self.is_heard, self.is_over) = (line, false, false);
        self.last_message = None;
    }

    /// Whether a terminal elsewhere is done: with the card, where it has asked one, and with
    /// its host, which has heard nothing for a while.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let is_card_done = self.is_over || !self.is_heard && self.last_message.is_some();
        is_card_done && self.last_message.is_none_or(|last| now >= last.plus(QUIET))
    }
}

impl CardHand for Puppet {
    fn powered(&mut self) {
        let mut strings = self.strings();
        strings.away = false;
        strings.known.forget();
        strings.is_over |= strings.is_heard;
    }

    fn unpowered(&mut self) {
        let mut strings = self.strings();
        strings.is_over |= strings.is_heard;
    }

    fn answer(
        &mut self,
        card: &mut dyn Endpoint,
        command: &[u8],
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        self.strings().command(card, command, context)
    }
}

impl Inbox for Puppet {
    fn receive(
        &mut self,
        behind: &mut dyn Host,
        verb: Verb,
        request: &Request,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        self.strings().message(behind, verb, request, context)
    }

    fn delivery(&mut self) -> Delivery {
        self.strings().delivery
    }
}

impl Strings {
    fn command(
        &mut self,
        card: &mut dyn Endpoint,
        bytes: &[u8],
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        self.is_heard = true;
        if self.away {
            return Err(LinkError::Removed { during: "earlier and is not back".into() });
        }
        let Ok(command) = CommandApdu::parse(bytes) else { return card.process(bytes, context) };
        self.effect = self.effect.max(judge_effect(&command).1);
        let begin = context.now().micros();
        let sent = self.known.hear(&command);
        let blocks = self.blocks_for(&Sent::Command(&command, &sent), context);
        self.look_at(sent, None, ResponseApdu::ok([]));
        let orders = self.orders(&blocks, context);
        let asked = match (&orders.lost, &orders.answer) {
            (Some(false), _) => Err(removed()),
            (_, Some((span, status, data))) => Ok(self.own_answer(*span, status, data.as_ref())),
            _ => card.process(bytes, context).and_then(|bytes| {
                ResponseApdu::parse(&bytes)
                    .map_err(|source| LinkError::Garbled { during: "of the card".into(), source })
            }),
        };
        context.elapse(Duration::from_millis(orders.delay_ms));
        let micros = u64::try_from(context.now().micros() - begin).unwrap_or(0);
        let response = asked.map(|response| self.changed(&blocks, response, &command, context));
        let response = if orders.lost == Some(true) { response.and(Err(removed())) } else { response };
        self.note_command(command, response.as_ref().ok(), micros);
        self.away |= orders.lost.is_some();
        response.map(|response| response.to_bytes())
    }

    fn message(
        &mut self,
        behind: &mut dyn Host,
        verb: Verb,
        request: &Request,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        let begin = context.now().micros();
        self.delivery = Delivery::default();
        self.last_message = Some(context.now());
        for (tag, value) in request.chip.iter() {
            self.known.data.put(tag, value);
        }
        let message = dialect(DIALECT).ok().and_then(|dialect| to_message(request, dialect).ok());
        let messages = message.map(|message| Messages {
            request: message,
            answer: None,
            amount_minor: request.amount.minor,
            has_pin: request.pin.is_some(),
        });
        let blocks = self.blocks_for(&Sent::Message(request.kind, request.key.class), context);
        self.look_at(request.chip.clone(), messages, ResponseApdu::ok([]));
        let orders = self.orders(&blocks, context);
        let asked = match (&orders.lost, &orders.answer) {
            (Some(false), _) => Ok(Answer::new(ResponseCode::MALFUNCTION, "lost on its way")),
            (_, Some((span, code, _))) => self.coded(*span, request, code),
            _ => send(verb, behind, request, context),
        };
        let answer = asked.map(|answer| self.changed_answer(&blocks, answer, context));
        self.delivery = Delivery {
            copies: match (orders.lost, orders.is_twice) {
                (Some(_), _) => 0,
                (None, true) => 2,
                (None, false) => 1,
            },
            after_ms: orders.delay_ms,
        };
        let micros = u64::try_from(context.now().micros() - begin).unwrap_or(0);
        self.note_message(request, answer.as_ref().ok().filter(|_| orders.lost.is_none()), micros);
        answer
    }

    /// The blocks that what was sent is meant by, counted.
    fn blocks_for(&mut self, sent: &Sent<'_>, context: &mut Context) -> Vec<usize> {
        let mut found = Vec::new();
        for index in 0..self.blocks.len() {
            let on = Arc::clone(&self.blocks[index].on);
            let meant = self.with_scope(context, |scope| is_meant(&on.what, sent, scope)).unwrap_or(false);
            if meant {
                self.blocks[index].seen += 1;
                if on.nth.is_none_or(|nth| nth == self.blocks[index].seen) {
                    found.push(index);
                }
            }
        }
        found
    }

    /// What the blocks want, before anybody has answered.
    fn orders(&mut self, blocks: &[usize], context: &mut Context) -> Orders {
        for index in blocks {
            // A script that is in trouble hears nothing more.
            let function = self.blocks[*index].function.clone().filter(|_| self.trouble.is_none());
            if let Some(function) = function {
                let given = self.with_scope(context, |scope| function.given(scope));
                self.blocks[*index].given = given.unwrap_or_default();
            }
        }
        let mut orders = Orders::default();
        for Statement { span, step } in self.lines(blocks) {
            let Step::Action(action) = step else { continue };
            match action {
                Action::Answer(status, data) => {
                    let value = self.with_scope(context, |scope| {
                        let data = data.as_ref().map(|data| evaluate(data, scope)).transpose()?;
                        Ok((span, evaluate(&status, scope)?, data))
                    });
                    orders.answer = value.or(orders.answer);
                }
                Action::Delay(value) => {
                    let delay = self.with_scope(context, |scope| {
                        let number =
                            evaluate(&value, scope)?.number().map_err(|why| Trouble::new(span, why))?;
                        let sound = (0..=DELAY_LIMIT_MS).contains(&number).then_some(number);
                        let limit = format!("expected 0 to {DELAY_LIMIT_MS} milliseconds, found {number}");
                        sound.ok_or_else(|| Trouble::new(span, limit))
                    });
                    orders.delay_ms += delay.and_then(|delay| u64::try_from(delay).ok()).unwrap_or(0);
                }
                Action::Lost { acted } => orders.lost = Some(acted),
                Action::Twice => orders.is_twice = true,
                Action::Edit(_) => {}
            }
        }
        orders
    }

    /// What lines look at from now on.
    fn look_at(&mut self, sent: TlvStore, messages: Option<Messages>, response: ResponseApdu) {
        let moment = self.moments.len();
        self.known.answer =
            Some(Seen { sent, messages, response, elements: TlvStore::new(), micros: 0, moment });
    }

    pub(super) fn see(&mut self, response: &ResponseApdu, command: &CommandApdu) {
        let elements = answered_elements(command, response);
        if let Some(answer) = &mut self.known.answer {
            (answer.response, answer.elements) = (response.clone(), elements);
        }
    }

    pub(super) fn see_answer(&mut self, given: &Answer) {
        if let Some(answer) = &mut self.known.answer {
            answer.response = ResponseApdu::ok(given.chip.to_bytes());
            if let Some(messages) = &mut answer.messages
                && let Ok(dialect) = dialect(DIALECT)
            {
                messages.answer = Some(answer_to_message(given, &messages.request, dialect));
            }
        }
    }

    fn note_command(&mut self, command: CommandApdu, response: Option<&ResponseApdu>, micros: u64) {
        let line = self.line;
        let elements = response.map(|response| self.known.learn(&command, response)).unwrap_or_default();
        self.moments.push(match response {
            Some(response) => {
                Moment::Exchange { line, command: command.clone(), response: response.clone(), micros }
            }
            None => Moment::Lost { line, command: command.clone() },
        });
        self.keep(SentThing::Command(command), elements, micros);
    }

    fn note_message(&mut self, request: &Request, answer: Option<&Answer>, micros: u64) {
        let fields = self.known.answer.as_ref().and_then(|answer| answer.messages.as_ref());
        let words = MessageWord::of(request.kind, request.key.class);
        self.moments.push(Moment::Message(Box::new(HostMoment {
            line: self.line,
            words,
            amount: request.amount.to_string(),
            fields: fields.map(|messages| messages.request.clone()),
            sent: request.chip.clone(),
            answer: answer.map(|answer| (answer.code.to_string(), answer.chip.clone())),
            micros,
        })));
        self.keep(SentThing::Message(Box::new(request.clone())), TlvStore::new(), micros);
    }

    fn keep(&mut self, what: SentThing, elements: TlvStore, micros: u64) {
        if let Some(mut seen) = self.known.answer.take().filter(|_| self.log.len() < SENT_LIMIT) {
            seen.micros = micros;
            if !elements.is_empty() {
                seen.elements = elements;
            }
            self.log.push(Entry { what, seen });
        }
    }

    pub(super) fn note_acted(&mut self, span: Span) {
        for block in &mut self.blocks {
            block.acted.iter_mut().filter(|(of, _)| *of == span).for_each(|(_, acted)| *acted = true);
        }
    }

    pub(super) fn lines(&self, blocks: &[usize]) -> Vec<Statement> {
        let of = |index: &usize| self.blocks.get(*index);
        let lines =
            blocks.iter().filter_map(of).flat_map(|block| block.on.statements.iter().chain(&block.given));
        lines.cloned().collect()
    }

    /// Works something out; the first trouble is kept.
    pub(super) fn with_scope<T>(
        &mut self,
        context: &mut Context,
        work: impl FnOnce(&mut Scope<'_>) -> Result<T, Trouble>,
    ) -> Option<T> {
        let mut scope = Scope { known: std::mem::take(&mut self.known), context };
        let result = work(&mut scope);
        self.known = scope.known;
        result.map_err(|trouble| self.trouble.get_or_insert(trouble)).ok()
    }
}

fn removed() -> LinkError {
    LinkError::Removed { during: "as the script says".into() }
}
