//! What blocks do to an answer: they put another one in its place, or change it line by
//! line, and judge it.

use super::edit::{Edited, add, edit};
use super::evaluate::{Trouble, evaluate};
use super::expectation::judge;
use super::line::captured;
use super::puppet::Strings;
use super::scope::Scope;
use crate::air::host::{Answer, HostError, Request, ResponseCode};
use crate::base::context::Context;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::part::{Action, Change, Edit, EditPlace};
use crate::observers::script::pattern::StatusPattern;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Expression, Statement, Step};
use crate::observers::script::value::Value;
use crate::words::emv::IssuerScript;
use crate::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};
use crate::words::tlv::{Tag, TlvStore};
use crate::world::answer_with_code;

impl Strings {
    /// The answer of a card as the blocks change it, line by line; they judge it, too.
    pub(super) fn changed(
        &mut self,
        blocks: &[usize],
        mut response: ResponseApdu,
        command: &CommandApdu,
        context: &mut Context,
    ) -> ResponseApdu {
        self.see(&response, command);
        for Statement { span, step } in self.lines(blocks) {
            if let Step::Action(Action::Edit(change)) = &step {
                let data = response.data.clone();
                if let Some(data) = self.edited(&data, change, span, command, context) {
                    response.data = data;
                    self.see(&response, command);
                }
                continue;
            }
            self.judged(span, &step, context);
        }
        response
    }

    /// The same of a host.
    pub(super) fn changed_answer(
        &mut self,
        blocks: &[usize],
        mut answer: Answer,
        context: &mut Context,
    ) -> Answer {
        // Commands have nothing to do with it: any that has no answer of format 1.
        let command = CommandApdu::new(0, 0, 0, 0);
        self.see_answer(&answer);
        for Statement { span, step } in self.lines(blocks) {
            if let Step::Action(Action::Edit(change)) = &step {
                if let EditPlace::Field(field) = change.place {
                    self.field(&mut answer, field, &change.change, span, context);
                    continue;
                }
                let data = answer.chip.to_bytes();
                if let Some(data) = self.edited(&data, change, span, &command, context)
                    && let Ok(chip) = TlvStore::parse_repeating(&data, &IssuerScript::TEMPLATES)
                {
                    answer.chip = chip;
                    self.see_answer(&answer);
                }
                continue;
            }
            self.judged(span, &step, context);
        }
        answer
    }

    /// A line that judges, or gives a name.
    fn judged(&mut self, span: Span, step: &Step, context: &mut Context) {
        let unmet = self.with_scope(context, |scope| match step {
            Step::Expect(expectation) => judge(expectation, span, scope),
            Step::Capture(name, subject, view) => captured(name, subject, *view, span, scope),
            Step::Let(name, value) => {
                let value = evaluate(value, scope)?;
                scope.put(name, value);
                Ok(None)
            }
            _ => Ok(None),
        });
        let moment = self.moments.len();
        self.failures.extend(unmet.flatten().map(|unmet| (unmet, span, moment)));
    }

    fn edited(
        &mut self,
        data: &[u8],
        Edit { place, change }: &Edit,
        span: Span,
        command: &CommandApdu,
        context: &mut Context,
    ) -> Option<Vec<u8>> {
        let found = self.with_scope(context, |scope| {
            let path = match place {
                EditPlace::Path(path) => path.clone(),
                EditPlace::Named(name) => {
                    let text = evaluate(name, scope)?.text();
                    let not =
                        || Trouble::new(name.span, format!("expected a tag such as 9F79, found {text:?}"));
                    vec![Tag::parse_text(&text).ok_or_else(not)?]
                }
                EditPlace::Field(_) => return Ok(None),
            };
            let bytes = |value: &Expression, scope: &mut Scope<'_>| {
                let tag = path.last().copied().unwrap_or(Tag(0));
                let currency = scope.currency();
                evaluate(value, scope)?.element(tag, currency).map_err(|why| Trouble::new(value.span, why))
            };
            let result = match change {
                Change::Add(value, within) => {
                    add(data, path.last().copied().unwrap_or(Tag(0)), &bytes(value, scope)?, *within)
                }
                Change::Value(value) => edit(data, &path, &Edited::Value(bytes(value, scope)?), command),
                Change::Remove => edit(data, &path, &Edited::Remove, command),
                Change::Repeat => edit(data, &path, &Edited::Repeat, command),
                Change::Corrupt => edit(data, &path, &Edited::Corrupt, command),
            };
            // What is no TLV, a log's record, has no such element.
            Ok(result.unwrap_or(None))
        });
        let found = found.flatten();
        if found.is_some() {
            self.note_acted(span);
        }
        found
    }

    fn field(&mut self, answer: &mut Answer, field: u8, change: &Change, span: Span, context: &mut Context) {
        let value = self.with_scope(context, |scope| match change {
            Change::Value(value) => evaluate(value, scope).map(|value| Some(value.text())),
            Change::Remove => Ok(None),
            _ => Err(Trouble::new(span, "a field is changed or removed")),
        });
        let Some(value) = value else { return };
        match (field, &value) {
            (38, _) => answer.authorisation_code = value,
            (39, Some(code)) if code.len() == 2 => {
                answer.code = code.as_bytes().try_into().map_or(answer.code, ResponseCode);
            }
            _ => {
                let reason = format!("of an answer, fields 38 and 39 can be changed so, not {field}");
                self.trouble.get_or_insert(Trouble::new(span, reason));
                return;
            }
        }
        self.note_acted(span);
        self.see_answer(answer);
    }

    /// The answer that a block has instead of the card's.
    pub(super) fn own_answer(&mut self, span: Span, status: &Value, data: Option<&Value>) -> ResponseApdu {
        let text = status.text();
        let parsed = StatusPattern::parse(&text).and_then(|_| u16::from_str_radix(&text, 16).ok());
        let data = data.map_or(Ok(Vec::new()), Value::bytes);
        match (parsed, data) {
            (Some(status), Ok(data)) => ResponseApdu { data, status: StatusWord(status) },
            (None, _) => {
                let reason = format!("expected a status word such as 6985, found {text:?}");
                self.trouble.get_or_insert(Trouble::new(span, reason));
                ResponseApdu::status(StatusWord(0x6F00))
            }
            (_, Err(why)) => {
                self.trouble.get_or_insert(Trouble::new(span, why));
                ResponseApdu::status(StatusWord(0x6F00))
            }
        }
    }

    /// The answer of an issuer that gives this code.
    pub(super) fn coded(&mut self, span: Span, request: &Request, code: &Value) -> Result<Answer, HostError> {
        let text = match code {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            code => code.text(),
        };
        match <[u8; 2]>::try_from(text.as_bytes()) {
            Ok(code) => Ok(answer_with_code(request, ResponseCode(code))),
            Err(_) => {
                let reason = format!("expected a response code such as \"05\", found {text:?}");
                self.trouble.get_or_insert(Trouble::new(span, reason));
                Ok(Answer::new(ResponseCode::MALFUNCTION, "the script has no code"))
            }
        }
    }
}
