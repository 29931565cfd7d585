//! Plays a case's Lua: what the script asks for is done by the same hands that play lines of
//! text, so that exchanges, effects, failures and reports are the same.

use super::case::{Flow, Player};
use super::command::{as_bytes, in_words};
use super::evaluate::Trouble;
use super::expectation::{Unmet, judge, status_unmet};
use super::outcome::{Moment, Shown};
use super::scope::Answer;
use super::subject::look;
use crate::observers::script::function::FUNCTIONS;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::lua::{Ask, Deed, Gone, Word};
use crate::observers::script::parse::{command_names, element_named, looked_at, steps, value_of};
use crate::observers::script::pattern::StatusPattern;
use crate::observers::script::problem::ScriptError;
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Chunk, CommandCall, Expectation, Expression, HeaderPart, Statement};
use crate::observers::script::value::Value;
use crate::words::dictionary::{Format, Row};
use crate::words::iso7816::{CommandRow, Parameter, ParameterKind};
use crate::words::tlv::Tag;

/// Most answers that a script can still look at.
const ANSWERS: usize = 10_000;
/// The most that a script may write into the report, bytes.
const NOTE_BYTES: usize = 1 << 20;

/// What a script in Lua has so far.
#[derive(Default)]
struct Told {
    answers: Vec<Answer>,
    note_bytes: usize,
}

impl Player<'_> {
    /// Has the Lua of a case interpreted, and does what it asks for.
    pub(super) fn lua(&mut self, chunk: &Chunk, span: Span) -> Result<Flow, Trouble> {
        let not_run = |why: String| Trouble::not_run(span, why);
        let interpreter = self.attendant.interpreter().map_err(not_run)?;
        let seed = i64::from_be_bytes(self.scope.context.random());
        let mut running = interpreter.start(&chunk.text, seed).map_err(|why| Trouble::new(span, why))?;
        let mut told = Told::default();
        loop {
            let ask = match running.next() {
                Ok(ask) => ask,
                Err(Gone::Done) => return Ok(Flow::Continue(())),
                Err(Gone::Failed(line, why)) => {
                    let span = line.map_or(span, |line| self.line(line));
                    return Err(Trouble::new(span, why));
                }
            };
            let span = self.line(ask.line);
            self.step_taken(span)?;
            match self.asked(&ask, chunk, span, &mut told)? {
                Some(words) => running.give(&words),
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
    fn asked(
        &mut self,
        ask: &Ask,
        chunk: &Chunk,
        span: Span,
        told: &mut Told,
    ) -> Result<Option<Vec<Word>>, Trouble> {
        let trouble = |why: String| Trouble::new(span, why);
        let first = ask.words.first().unwrap_or(&Word::Nothing);
        let second = ask.words.get(1).unwrap_or(&Word::Nothing);
        let third = ask.words.get(2).unwrap_or(&Word::Nothing);
        Ok(Some(match ask.deed {
            Deed::Send => return self.sent(first, second, third, span, told),
            Deed::Play => {
                let lines = self.lines(&text(first, span)?, ask.line, chunk, span)?;
                match self.statements(&lines)? {
                    Flow::Break(()) => return Ok(None),
                    Flow::Continue(()) => Vec::new(),
                }
            }
            Deed::Look => {
                let Expectation { subject, view, .. } = read(second, false, span)?;
                let found = self.before(first, told, |player| look(&subject, span, &mut player.scope))?;
                let currency = self.scope.currency();
                let seen = match (found.value, view) {
                    (Some(value), Some(view)) => Some(
                        value.viewed(view, found.tag, currency).map_err(|cause| Trouble::new(span, cause))?,
                    ),
                    (value, _) => value,
                };
                vec![seen.as_ref().map_or(Word::Nothing, word)]
            }
            Deed::Fits => {
                let expectation = read(second, true, span)?;
                let unmet =
                    self.before(first, told, |player| judge(&expectation, span, &mut player.scope))?;
                vec![Word::Flag(unmet.is_none())]
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
            Deed::Call => {
                let name = text(first, span)?;
                let function = FUNCTIONS.iter().find(|function| function.name == name);
                let function =
                    function.ok_or_else(|| trouble(format!("there is no function called {name:?}")))?;
                let given = ask.words.iter().skip(1).filter(|word| **word != Word::Nothing);
                let values: Vec<Value> = given.map(|word| value(word, span)).collect::<Result<_, _>>()?;
                if !function.takes(values.len()) {
                    return Err(trouble(format!(
                        "{name} takes {}, and is given {}: it is written {}",
                        function.count(),
                        values.len(),
                        function.usage
                    )));
                }
                let made = (function.call)(&values, &mut self.scope);
                vec![word(&made.map_err(|cause| trouble(format!("{name}: {cause}")))?)]
            }
            Deed::Get => {
                let name = text(first, span)?;
                vec![self.scope.variable(&name).map_or(Word::Nothing, word)]
            }
            Deed::Put => {
                let value = value(second, span)?;
                self.scope.put(&text(first, span)?, value);
                Vec::new()
            }
            Deed::Note => {
                let note = text(first, span)?;
                told.note_bytes += note.len();
                if told.note_bytes > NOTE_BYTES {
                    return Err(trouble(format!(
                        "stopped: the script has printed more than {NOTE_BYTES} bytes"
                    )));
                }
                self.moments.push(Moment::Note { line: ask.line, text: note + "\n" });
                Vec::new()
            }
            Deed::Skip => return Err(Trouble::not_run(span, said(first))),
        }))
    }

    /// Sends a command, and tells what came.
    fn sent(
        &mut self,
        command: &Word,
        arguments: &Word,
        status: &Word,
        span: Span,
        told: &mut Told,
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
                    let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                    let reason =
                        format!("expected a command or its bytes in hexadecimal, found {name:?}{hint}");
                    return Err(Trouble::new(span, reason));
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
            Word::Number(told.answers.len() as i64),
            Word::Text(format!("{:04X}", came.0)),
            Word::Text(hex::encode_upper(&answer.response.data)),
            Word::Number(i64::try_from(answer.micros / 1000).unwrap_or(i64::MAX)),
        ];
        if told.answers.len() >= ANSWERS {
            return Err(Trouble::new(span, format!("stopped after {ANSWERS} commands")));
        }
        told.answers.push(answer);
        Ok(Some(words))
    }

    /// Does something while an earlier answer is the last one, where one is named.
    fn before<T>(
        &mut self,
        number: &Word,
        told: &Told,
        deed: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Word::Number(number) = number else { return deed(self) };
        let named = usize::try_from(*number).ok().and_then(|number| told.answers.get(number)).cloned();
        let last = std::mem::replace(&mut self.scope.answer, named);
        let done = deed(self);
        self.scope.answer = last;
        done
    }

    /// Lines of a text script, which stand where the script has them: where it has them as
    /// they are, their places are right to the letter, else to the line.
    fn lines(&self, text: &str, line: usize, chunk: &Chunk, span: Span) -> Result<Vec<Statement>, Trouble> {
        let source = self.sources.first();
        let whole = source.map_or("", |source| source.text.as_str());
        let places = whole.match_indices(text.trim_end()).map(|(at, _)| {
            let before = &whole[..at];
            let begin = before.rfind('\n').map_or(0, |at| at + 1);
            (before.matches('\n').count() + 1, before[begin..].chars().count())
        });
        let placed = places.min_by_key(|place| place.0.abs_diff(line));
        let name = source.map_or("", |source| source.name.as_str());
        let read = match placed {
            Some((first, column)) => {
                let text = "\n".repeat(first - 1) + &" ".repeat(column) + text;
                steps(name, &text, chunk.part, None)
            }
            None => steps(name, text, chunk.part, Some(span)),
        };
        read.map_err(|errors| {
            let Some(ScriptError { problem, place, hint }) = errors.into_iter().next() else {
                return Trouble::new(span, "expected lines of a script");
            };
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let at = Span { source: 0, line: place.line, column: place.column, width: place.width };
            Trouble::new(at, format!("{problem}{hint}"))
        })
    }
}

/// A command in words with the arguments that a table has: those with numbers for names go to
/// the parameters in their order.
fn call(row: &'static CommandRow, arguments: &Word, span: Span) -> Result<CommandCall, Trouble> {
    let mut call = CommandCall { row, values: Vec::new(), elements: Vec::new(), header: Vec::new() };
    let given = match arguments {
        Word::Named(given) => given.as_slice(),
        _ => &[],
    };
    let takes_values =
        |parameter: &&Parameter| !matches!(parameter.kind, ParameterKind::Flag | ParameterKind::Gathered(_));
    let gathers = row.parameters.iter().any(|parameter| matches!(parameter.kind, ParameterKind::Gathered(_)));
    for (name, word) in given {
        let in_order = name.parse::<usize>().ok().filter(|number| *number <= given.len());
        let ordered = in_order
            .and_then(|number| row.parameters.iter().filter(takes_values).nth(number.wrapping_sub(1)));
        let literal = |value: Value| Expression::literal(value, span);
        if let Some(parameter) = ordered.or(row.parameters.iter().find(|parameter| parameter.name == name)) {
            match (parameter.kind, word) {
                (ParameterKind::Flag, Word::Flag(true)) => call.values.push((parameter, None)),
                (ParameterKind::Flag, Word::Flag(false)) => {}
                _ => call.values.push((parameter, Some(literal(value(word, span)?)))),
            }
        } else if let Some((_, part)) = HeaderPart::NAMES.iter().find(|part| part.0 == name) {
            call.header.push((*part, literal(value(word, span)?)));
        } else if let Some(tag) = element_named(name).filter(|_| gathers) {
            call.elements.push((tag, literal(element(tag, word, span)?)));
        } else {
            let known = row.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {known}") };
            return Err(Trouble::new(
                span,
                format!("{} has no parameter called {name:?}: {known}", row.name),
            ));
        }
    }
    Ok(call)
}

/// A number for an amount counts minor units.
fn element(tag: Tag, word: &Word, span: Span) -> Result<Value, Trouble> {
    let is_amount = Row::of_tag(tag).is_some_and(|row| row.format == Format::Amount);
    match word {
        Word::Number(minor) if is_amount => Ok(Value::Amount(*minor)),
        word => value(word, span),
    }
}

/// What a script says as a value of the language.
fn value(word: &Word, span: Span) -> Result<Value, Trouble> {
    match word {
        Word::Number(number) => Ok(Value::Number(*number)),
        Word::Text(text) => Ok(value_of(text)),
        Word::Quoted(text) => Ok(Value::Text(text.clone())),
        Word::Flag(flag) => Err(Trouble::new(span, format!("expected a value, found {flag}"))),
        Word::Nothing | Word::Named(_) => Err(Trouble::new(span, "expected a value, found nil or a table")),
    }
}

/// A value as a script has it: an amount counts minor units, bytes are hexadecimal.
fn word(value: &Value) -> Word {
    match value {
        Value::Number(number) | Value::Amount(number) => Word::Number(*number),
        Value::Bytes(bytes) => Word::Text(hex::encode_upper(bytes)),
        Value::Bare(text) => Word::Text(text.clone()),
        Value::Text(text) => Word::Text(text.clone()),
    }
}

/// What a script gives for a text.
fn text(word: &Word, span: Span) -> Result<String, Trouble> {
    match word {
        Word::Text(text) | Word::Quoted(text) => Ok(text.clone()),
        Word::Number(number) => Ok(number.to_string()),
        _ => Err(Trouble::new(span, "expected a text, found none")),
    }
}

/// The words that a script gives for something; it may leave them out.
fn said(word: &Word) -> String {
    match word {
        Word::Text(text) | Word::Quoted(text) => text.clone(),
        _ => "it is so".into(),
    }
}

/// What is shown of a value of a script: a text may be worked out of card data.
fn shown(word: &Word) -> Shown {
    match word {
        Word::Nothing => Shown::Words("nil".into()),
        Word::Flag(flag) => Shown::Words(flag.to_string()),
        Word::Number(number) => Shown::Words(number.to_string()),
        Word::Text(text) | Word::Quoted(text) => Shown::Derived(text.clone()),
        Word::Named(_) => Shown::Words("a table".into()),
    }
}

fn unmet(subject: String, expected: Shown, received: Shown) -> Unmet {
    Unmet { subject, expected, received, update: None }
}

/// What a script looks at, or a test.
fn read(word: &Word, is_test: bool, span: Span) -> Result<Expectation, Trouble> {
    looked_at(&text(word, span)?, is_test).map_err(|error| {
        let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Trouble::new(span, format!("{}{hint}", error.problem))
    })
}
