//! Plays the statements of a case, one after the other.

use super::bench::{Counter, Tested, demand, sent};
use super::command::{as_bytes, in_words};
use super::errand::{carried_out, seen_by_person};
use super::evaluate::{Trouble, TroubleKind, evaluate};
use super::expectation::{Unmet, judge, status_unmet};
use super::line::captured;
use super::outcome::{CaseRun, Failure, Moment, Outcome};
use super::puppet::Block;
use super::scope::{Answer, Knowledge, Scope};
use crate::base::context::Context;
use crate::observers::script::errand::Attendant;
use crate::observers::script::source::{Place, Source, Span};
use crate::observers::script::tree::{
    Case, Each, Expectation, Expression, Over, Script, Statement, Step, Subject, Table, Test,
};
use crate::observers::script::value::Value;
use crate::words::decode::judge as judge_effect;
use crate::words::emv::Afl;
use crate::words::iso7816::{CommandApdu, Effect};
use crate::world::Seat;
use std::ops::ControlFlow;

/// Most statements that a case plays, those of its blocks counted each time.
const STEP_LIMIT: usize = 100_000;

/// Where a script sits.
pub enum Chair<'a> {
    /// It plays the terminal, before a card.
    Terminal(&'a mut Seat),
    /// It plays the card, the host or both, before a terminal under test.
    Counter(Counter<'a>),
}

/// Plays a case on a seat, with the parameters of one row of its table.
pub fn play(
    script: &Script,
    case: &Case,
    row: Option<usize>,
    chair: Chair<'_>,
    attendant: &dyn Attendant,
    context: &mut Context,
) -> CaseRun {
    let known = match &chair {
        Chair::Terminal(seat) => Knowledge::new(seat.data.clone(), seat.default_ddol.clone()),
        Chair::Counter(Counter { terminal: Tested::Ours(bench), .. }) => {
            Knowledge::new(bench.data(context), Vec::new())
        }
        Chair::Counter(_) => Knowledge::default(),
    };
    let scope = Scope { known, context };
    let mut player = Player::new(&script.sources, case.header.effect, scope, chair, attendant);
    let played = player.parameters(case, row).and_then(|()| player.statements(&case.statements));
    let played = played.and_then(|flow| player.idle().map(|()| flow));
    let Player { moments, failures, effect, .. } = player;
    let outcome = match played {
        // What was wrong before is why it could not go on.
        Err(trouble) if failures.is_empty() || trouble.is_of_card() => {
            let place = Place::of(trouble.span, &script.sources);
            let reason = trouble.reason;
            match trouble.kind {
                TroubleKind::Broken => Outcome::Broken { place, reason },
                TroubleKind::Unreachable | TroubleKind::Refused => Outcome::Unreachable { place, reason },
                TroubleKind::NotRun => Outcome::NotRun { place, reason },
            }
        }
        Ok(_) if failures.is_empty() => Outcome::Passed,
        _ => Outcome::Failed(failures),
    };
    CaseRun { outcome, moments, effect }
}

pub(super) struct Player<'a> {
    pub sources: &'a [Source],
    declared: Option<Effect>,
    pub scope: Scope<'a>,
    pub chair: Chair<'a>,
    pub attendant: &'a dyn Attendant,
    /// How far lines have looked through what a terminal under test has sent.
    found: usize,
    pub moments: Vec<Moment>,
    pub failures: Vec<Failure>,
    effect: Effect,
    steps: usize,
}

/// Whether the case goes on.
pub(super) type Flow = ControlFlow<()>;

impl<'a> Player<'a> {
    /// Nothing was played yet.
    pub(super) fn new(
        sources: &'a [Source],
        declared: Option<Effect>,
        scope: Scope<'a>,
        chair: Chair<'a>,
        attendant: &'a dyn Attendant,
    ) -> Self {
        let (moments, failures) = Default::default();
        Self {
            sources,
            declared,
            scope,
            chair,
            attendant,
            found: 0,
            moments,
            failures,
            effect: Effect::Reads,
            steps: 0,
        }
    }

    /// Begins to count steps anew.
    pub(super) fn begin_anew(&mut self) {
        self.steps = 0;
    }
}

impl Player<'_> {
    /// Gives the columns of a case's table their values.
    fn parameters(&mut self, case: &Case, row: Option<usize>) -> Result<(), Trouble> {
        let Some((table, row)) = case.table.as_ref().zip(row) else { return Ok(()) };
        self.row(table, row)
    }

    fn row(&mut self, table: &Table, row: usize) -> Result<(), Trouble> {
        let Some((_, cells)) = table.rows.get(row) else { return Ok(()) };
        for (name, cell) in table.columns.iter().zip(cells) {
            let value = evaluate(cell, &mut self.scope)?;
            self.scope.put(name, value);
        }
        Ok(())
    }

    pub(super) fn statements(&mut self, statements: &[Statement]) -> Result<Flow, Trouble> {
        for (index, statement) in statements.iter().enumerate() {
            let judges = matches!(statement.step, Step::Expect(_) | Step::Capture(..) | Step::Sent(_));
            // Everything that is wrong with one answer is told, and nothing is sent after it.
            if !judges && !self.failures.is_empty() {
                return Ok(Flow::Break(()));
            }
            self.step_taken(statement.span)?;
            let rest = statements.get(index + 1..).unwrap_or_default();
            if self.step(statement, rest)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Counts a step; there is an end to them.
    pub(super) fn step_taken(&mut self, span: Span) -> Result<(), Trouble> {
        self.steps += 1;
        match self.steps > STEP_LIMIT {
            true => Err(Trouble::new(span, format!("stopped after {STEP_LIMIT} steps"))),
            false => Ok(()),
        }
    }

    fn step(&mut self, statement: &Statement, rest: &[Statement]) -> Result<Flow, Trouble> {
        let span = statement.span;
        match &statement.step {
            Step::Command(call) => {
                let apdu = in_words(call, span, &mut self.scope)?;
                self.send(apdu, span)?;
                self.implied_status(span, rest);
            }
            Step::Raw(parts) => {
                let apdu = as_bytes(parts, span, &mut self.scope)?;
                self.send(apdu, span)?;
            }
            Step::Expect(expectation) if self.is_unseen(expectation) => {
                let unmet = seen_by_person(&expectation.test, span, self.attendant, &mut self.moments)?;
                if let Some(unmet) = unmet {
                    self.fail(unmet, span);
                }
            }
            Step::Expect(expectation) => {
                if let Some(unmet) = judge(expectation, span, &mut self.scope)? {
                    self.fail(unmet, span);
                }
            }
            Step::Capture(name, subject, view) => {
                if let Some(unmet) = captured(name, subject, *view, span, &mut self.scope)? {
                    self.fail(unmet, span);
                }
            }
            Step::Let(name, value) => {
                let value = evaluate(value, &mut self.scope)?;
                self.scope.put(name, value);
            }
            Step::Set(tag, value) => {
                let given = evaluate(value, &mut self.scope)?;
                self.scope.set(*tag, &given, value.span)?;
            }
            Step::Each(each) => return self.each(each),
            Step::On(on) => {
                if let Chair::Counter(counter) = &self.chair {
                    counter.puppet.strings().blocks.push(Block::new(on));
                }
            }
            Step::Terminal(asked) => {
                if let Chair::Counter(counter) = &mut self.chair {
                    // Those of before stay before those that come.
                    counter.puppet.strings().moments = std::mem::take(&mut self.moments);
                    let done = demand(asked, span, counter, self.attendant, &mut self.scope);
                    self.take_from_puppet();
                    done?;
                }
            }
            Step::Errand(errand) => {
                let (attendant, scope) = (self.attendant, &mut self.scope);
                if let Some(unmet) = carried_out(errand, span, attendant, scope, &mut self.moments)? {
                    self.fail(unmet, span);
                }
            }
            Step::Sent(test) => {
                if let Chair::Counter(counter) = &self.chair
                    && let Some(unmet) = sent(test, &mut self.found, &counter.puppet, &mut self.scope)?
                {
                    self.fail(unmet, span);
                }
            }
            // Only blocks hold them.
            Step::Action(_) => {}
            Step::Reset => {
                let Chair::Terminal(seat) = &mut self.chair else { return Ok(Flow::Continue(())) };
                let reset = seat.card.reset(self.scope.context);
                reset.map_err(|cause| Trouble::of_link(span, &cause))?;
                self.scope.forget();
                self.scope.answer = None;
                self.moments.push(Moment::Reset { line: span.line });
            }
            Step::Exit => return Ok(Flow::Break(())),
            Step::Lua(chunk) => return self.lua(chunk, span),
        }
        Ok(Flow::Continue(()))
    }

    pub(super) fn send(&mut self, command: CommandApdu, span: Span) -> Result<(), Trouble> {
        let (name, effect) = judge_effect(&command);
        if let Some(declared) = self.declared.filter(|declared| effect > *declared) {
            let reason = format!(
                "{name} {effect}, and the case declares that it only {declared}: it is not sent. \
                 Write `effect {effect}` at its top if it is meant"
            );
            return Err(Trouble::new(span, reason));
        }
        self.effect = self.effect.max(effect);
        let begin = self.scope.context.now().micros();
        let Chair::Terminal(seat) = &mut self.chair else { return Ok(()) };
        let sent = seat.card.transmit(&command, self.scope.context);
        let response = match sent {
            Ok(response) => response,
            Err(cause) => {
                self.moments.push(Moment::Lost { line: span.line, command });
                return Err(Trouble::of_link(span, &cause));
            }
        };
        let micros = u64::try_from(self.scope.context.now().micros() - begin).unwrap_or(0);
        let elements = self.scope.learn(&command, &response);
        let moment = self.moments.len();
        self.scope.answer = Some(Answer::to_own(response.clone(), elements, micros, moment));
        self.moments.push(Moment::Exchange { line: span.line, command, response, micros });
        Ok(())
    }

    /// What was said while a terminal under test was at work, and what blocks found wrong.
    fn take_from_puppet(&mut self) {
        let Chair::Counter(counter) = &self.chair else { return };
        let mut strings = counter.puppet.strings();
        self.effect = self.effect.max(strings.effect);
        self.moments = std::mem::take(&mut strings.moments);
        let failures = std::mem::take(&mut strings.failures);
        drop(strings);
        for (unmet, span, moment) in failures {
            self.failed(unmet, span, Some(moment));
        }
    }

    /// Whether only a person can say it: what a terminal elsewhere came to.
    fn is_unseen(&self, expectation: &Expectation) -> bool {
        let subjects =
            [&Subject::Outcome, &Subject::Reason, &Subject::Shown, &Subject::Told, &Subject::Balance];
        let kind = std::mem::discriminant(&expectation.subject);
        matches!(&self.chair, Chair::Counter(Counter { terminal: Tested::Elsewhere(_), .. }))
            && subjects.into_iter().any(|subject| std::mem::discriminant(subject) == kind)
    }

    /// A line that was to change something and never could tests nothing.
    fn idle(&self) -> Result<(), Trouble> {
        let Chair::Counter(counter) = &self.chair else { return Ok(()) };
        let idle = counter.puppet.strings().blocks.iter().find_map(Block::idle);
        let reason = "nothing that came back had this element: this line has changed nothing";
        idle.map_or(Ok(()), |span| Err(Trouble::new(span, reason)))
    }

    /// A command in words of which nobody says what status word it is answered with, is
    /// answered 9000.
    fn implied_status(&mut self, span: Span, rest: &[Statement]) {
        let mut judging = rest.iter().map_while(|statement| match &statement.step {
            Step::Expect(expectation) => Some(says_status(expectation)),
            Step::Capture(..) => Some(false),
            _ => None,
        });
        let is_said = judging.any(|says| says);
        let status = self.scope.answer.as_ref().map(|answer| answer.response.status);
        if let Some(status) = status.filter(|status| !is_said && !status.is_ok()) {
            let wanted = "9000, as no other status word is expected below";
            self.fail(status_unmet(wanted.into(), status, None), span);
        }
    }

    pub(super) fn fail(&mut self, unmet: Unmet, span: Span) {
        let answer = self.scope.answer.as_ref().map(|answer| answer.moment);
        let moment = answer.or(self.scope.ended.as_ref().map(|ended| ended.moment));
        self.failed(unmet, span, moment);
    }

    fn failed(&mut self, unmet: Unmet, span: Span, moment: Option<usize>) {
        let Unmet { subject, expected, received, update } = unmet;
        let update = update.map(|(span, text)| (Place::of(span, self.sources), text));
        let place = Place::of(span, self.sources);
        self.failures.push(Failure { place, subject, expected, received, moment, update });
    }

    fn each(&mut self, each: &Each) -> Result<Flow, Trouble> {
        match &each.over {
            Over::Records(list) => {
                for (sfi, record, signed) in self.records(list)? {
                    let number = |number: u8| Value::Number(number.into());
                    self.scope.put("sfi", number(sfi));
                    self.scope.put("record", number(record));
                    self.scope.put("signed", number(signed.into()));
                    if self.statements(&each.statements)?.is_break() {
                        return Ok(Flow::Break(()));
                    }
                }
            }
            Over::Rows(table) => {
                for row in 0..table.rows.len() {
                    self.row(table, row)?;
                    if self.statements(&each.statements)?.is_break() {
                        return Ok(Flow::Break(()));
                    }
                }
            }
            Over::Numbers(name, from, to) => {
                let mut bound = |bound: &Expression| {
                    let value = evaluate(bound, &mut self.scope)?;
                    value.number().map_err(|cause| Trouble::new(bound.span, cause))
                };
                let (from, to) = (bound(from)?, bound(to)?);
                for number in from..=to {
                    self.scope.put(name, Value::Number(number));
                    if self.statements(&each.statements)?.is_break() {
                        return Ok(Flow::Break(()));
                    }
                }
            }
        }
        Ok(Flow::Continue(()))
    }

    /// The records of an AFL, or of a log entry: file and number of records.
    fn records(&mut self, list: &Expression) -> Result<Vec<(u8, u8, bool)>, Trouble> {
        let trouble = |cause: &dyn std::fmt::Display| Trouble::new(list.span, cause);
        let bytes = evaluate(list, &mut self.scope)?.bytes().map_err(|cause| trouble(&cause))?;
        if let [sfi, count] = bytes.as_slice() {
            return Ok((1..=*count).map(|record| (*sfi, record, false)).collect());
        }
        let afl = Afl::parse(&bytes).map_err(|cause| trouble(&cause))?;
        Ok(afl.records().collect())
    }
}

/// Whether an expectation says which status word comes.
fn says_status(expectation: &Expectation) -> bool {
    match expectation.subject {
        Subject::Status => true,
        Subject::Answer => matches!(expectation.test, Test::Like(_) | Test::Compare(..)),
        _ => false,
    }
}
