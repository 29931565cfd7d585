//! Hears what a case's Lua asks for, and does it.

use super::function::{OnFunction, lock};
use super::known::known;
use super::value::{call, said, shown, text};
use crate::observers::script::lua::{Ask, Deed, Gone, Next, Running, Word};
use crate::observers::script::parse::{command_names, steps, value_of};
use crate::observers::script::pattern::StatusPattern;
use crate::observers::script::problem::{ScriptError, did_you_mean, in_one_line};
use crate::observers::script::run::case::{Chair, Flow, Player};
use crate::observers::script::run::command::{as_bytes, in_words};
use crate::observers::script::run::evaluate::Trouble;
use crate::observers::script::run::expectation::{Unmet, status_unmet};
use crate::observers::script::run::outcome::{Moment, Shown};
use crate::observers::script::run::puppet::Block;
use crate::observers::script::run::scope::Answer;
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Chunk, Expression, Statement};
use std::sync::{Arc, Mutex};

/// Most answers that a script can still look at.
const ANSWERS: usize = 10_000;
/// The most that a script may write into the report, bytes.
const NOTE_BYTES: usize = 1 << 20;

/// A script in Lua that is played.
struct Playing {
    running: Arc<Mutex<Running>>,
    chunk: Arc<Chunk>,
    answers: Vec<Answer>,
    note_bytes: usize,
}

impl Player<'_> {
    /// Has the Lua of a case interpreted, and does what it asks for.
    pub(in crate::observers::script::run) fn lua(
        &mut self,
        chunk: &Arc<Chunk>,
        span: Span,
    ) -> Result<Flow, Trouble> {
        let not_run = |why: String| Trouble::not_run(span, why);
        let interpreter = self.attendant.interpreter().map_err(not_run)?;
        let seed = i64::from_be_bytes(self.scope.context.random());
        let running = interpreter.start(&chunk.text, seed).map_err(|why| Trouble::new(span, why))?;
        let running = Arc::new(Mutex::new(running));
        let mut playing = Playing { running, chunk: Arc::clone(chunk), answers: Vec::new(), note_bytes: 0 };
        loop {
            // Held for one message: a function of `on` is heard while this one waits.
            let next = lock(&playing.running).next();
            let ask = match next {
                Ok(Next::Asks(ask)) => ask,
                Ok(Next::Gave(_)) => {
                    return Err(Trouble::new(span, "the interpreter gave what nobody waits for"));
                }
                Err(Gone::Done) => return Ok(Flow::Continue(())),
                Err(Gone::Failed(line, why)) => {
                    let span = line.map_or(span, |line| self.line(line));
                    return Err(Trouble::new(span, why));
                }
            };
            let span = self.line(ask.line);
            self.step_taken(span)?;
            let words = match known(&ask, &playing.answers, span, &mut self.scope)? {
                Some(word) => Some(vec![word]),
                None => self.asked(&ask, span, &mut playing)?,
            };
            match words {
                Some(words) => lock(&playing.running).give(&words),
                // What was not as expected, or `exit`, ends the case.
                None => return Ok(Flow::Break(())),
            }
        }
    }

    /// A line of the script.
    fn line(&self, line: usize) -> Span {
        Span::of_line(0, line, self.sources.first().map_or("", |source| source.text.as_str()))
    }

    /// Does what was asked for; none where the case is over.
    fn asked(&mut self, ask: &Ask, span: Span, playing: &mut Playing) -> Result<Option<Vec<Word>>, Trouble> {
        let first = ask.words.first().unwrap_or(&Word::Nothing);
        let second = ask.words.get(1).unwrap_or(&Word::Nothing);
        let third = ask.words.get(2).unwrap_or(&Word::Nothing);
        Ok(Some(match ask.deed {
            Deed::Send => return self.sent(first, second, third, span, playing),
            Deed::Play => {
                let lines = lines(&text(first, span)?, ask.line, &playing.chunk, span)?;
                match self.statements(&lines)? {
                    Flow::Break(()) => return Ok(None),
                    Flow::Continue(()) => Vec::new(),
                }
            }
            Deed::On => {
                let Word::Number(number) = second else { return Ok(Some(Vec::new())) };
                let function = OnFunction {
                    running: Arc::clone(&playing.running),
                    chunk: Arc::clone(&playing.chunk),
                    number: usize::try_from(*number).unwrap_or(0),
                    what: text(first, span)?,
                    span,
                };
                let on = function.on()?;
                if let Chair::Counter(counter) = &self.chair {
                    counter.puppet.strings().blocks.push(Block::of_function(&on, function));
                }
                Vec::new()
            }
            Deed::Check => {
                if *first != Word::Flag(true) {
                    let (expected, received) =
                        (Shown::Words(said(second)), Shown::Words("it is not so".into()));
                    self.fail(unmet("the script".into(), expected, received), span);
                }
                Vec::new()
            }
            Deed::Equal => {
                if first != second {
                    self.fail(unmet(said(third), shown(second), shown(first)), span);
                }
                Vec::new()
            }
            Deed::Note => {
                let note = text(first, span)?;
                playing.note_bytes += note.len();
                if playing.note_bytes > NOTE_BYTES {
                    let reason = format!("stopped: the script has printed more than {NOTE_BYTES} bytes");
                    return Err(Trouble::new(span, reason));
                }
                self.moments.push(Moment::Note { line: ask.line, text: note + "\n" });
                Vec::new()
            }
            Deed::Skip => return Err(Trouble::not_run(span, said(first))),
            Deed::Look | Deed::Fits | Deed::Call | Deed::Get | Deed::Put => Vec::new(),
        }))
    }

    /// Sends a command, and tells what came.
    fn sent(
        &mut self,
        command: &Word,
        arguments: &Word,
        status: &Word,
        span: Span,
        playing: &mut Playing,
    ) -> Result<Option<Vec<Word>>, Trouble> {
        if !self.failures.is_empty() {
            return Ok(None);
        }
        let name = text(command, span)?;
        let row = command_names().find(|row| row.0 == name).map(|row| row.1);
        let apdu = match row {
            Some(row) => in_words(&call(row, arguments, span)?, span, &mut self.scope)?,
            None if *arguments == Word::Nothing => {
                let bytes = value_of(&name);
                if bytes.bytes().is_err() {
                    let meant = nearest(&name, command_names().map(|row| row.0));
                    let reason = format!("expected a command or its bytes in hexadecimal, found {name:?}");
                    return Err(Trouble::new(span, in_one_line(&reason, meant.map(did_you_mean).as_deref())));
                }
                as_bytes(&[Expression::literal(bytes, span)], span, &mut self.scope)?
            }
            None => return Err(Trouble::new(span, format!("there is no command called {name:?}"))),
        };
        self.send(apdu, span)?;
        let Some(answer) = self.scope.answer.clone() else {
            let reason = "a script that plays card or host sends no commands: the terminal does";
            return Err(Trouble::new(span, reason));
        };
        let wanted = match status {
            Word::Nothing if row.is_some() => "9000".to_owned(),
            Word::Nothing => "xxxx".to_owned(),
            status => text(status, span)?,
        };
        let patterns: Option<Vec<_>> =
            wanted.split(" or ").map(|one| StatusPattern::parse(one.trim())).collect();
        let not = || {
            Trouble::new(span, format!("expected a status word such as 9000, 61xx or 6A8?, found {wanted:?}"))
        };
        let came = answer.response.status;
        if !patterns.ok_or_else(not)?.iter().any(|pattern| pattern.fits(came.0)) {
            self.fail(status_unmet(wanted, came, None), span);
        }
        let words = vec![
            Word::Number(playing.answers.len() as i64),
            Word::Text(format!("{:04X}", came.0)),
            Word::Text(hex::encode_upper(&answer.response.data)),
            Word::Number(i64::try_from(answer.micros / 1000).unwrap_or(i64::MAX)),
        ];
        if playing.answers.len() >= ANSWERS {
            return Err(Trouble::new(span, format!("stopped after {ANSWERS} commands")));
        }
        playing.answers.push(answer);
        Ok(Some(words))
    }
}

/// Lines of a text script, which stand where the script has them: where it has them as they
/// are, their places are right to the letter, else to the line.
pub(super) fn lines(text: &str, line: usize, chunk: &Chunk, span: Span) -> Result<Vec<Statement>, Trouble> {
    let places = chunk.text.match_indices(text.trim_end()).map(|(at, _)| {
        let before = &chunk.text[..at];
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[begin..].chars().count())
    });
    let read = match places.min_by_key(|place| place.0.abs_diff(line)) {
        Some((first, column)) => {
            steps(&("\n".repeat(first - 1) + &" ".repeat(column) + text), chunk.part, None)
        }
        None => steps(text, chunk.part, Some(span)),
    };
    read.map_err(|errors| {
        let Some(ScriptError { problem, place, hint }) = errors.into_iter().next() else {
            return Trouble::new(span, "expected lines of a script");
        };
        let at = Span { source: 0, line: place.line, column: place.column, width: place.width };
        Trouble::new(at, in_one_line(&problem, hint.as_deref()))
    })
}

fn unmet(subject: String, expected: Shown, received: Shown) -> Unmet {
    Unmet { subject, expected, received, update: None }
}
