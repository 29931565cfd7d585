//! Whether every variable has a value where it is used. A tag in capital letters is a data
//! element that card or terminal may have: whether they do shows when the script is played.

use crate::observers::script::errand::ErrandKind;
use crate::observers::script::part::{Action, Change, Demand, Edit, EditPlace, What};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{
    Case, Expectation, Expression, Node, Over, PatternPart, Statement, Step, Subject, Table, Test,
};
use crate::words::tlv::Tag;

/// The variables of a case that nothing gives a value before.
pub(super) fn check(case: &Case) -> Vec<ParseError> {
    let mut names = Names { known: Vec::new(), errors: Vec::new() };
    if let Some(table) = &case.table {
        names.table(table);
    }
    names.statements(&case.statements);
    names.errors
}

/// The tag that the name of a variable is: `$9F79` is a data element.
pub fn tag_name(name: &str) -> Option<Tag> {
    let is_tag = name.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    Tag::parse_text(name).filter(|_| is_tag)
}

struct Names {
    known: Vec<String>,
    errors: Vec<ParseError>,
}

impl Names {
    fn statements(&mut self, statements: &[Statement]) {
        statements.iter().for_each(|statement| self.step(&statement.step));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Command(call) => {
                call.values.iter().filter_map(|(_, value)| value.as_ref()).for_each(|value| self.used(value));
                call.elements.iter().for_each(|(_, value)| self.used(value));
                call.header.iter().for_each(|(_, value)| self.used(value));
            }
            Step::Raw(parts) => parts.iter().for_each(|part| self.used(part)),
            Step::Expect(expectation) => self.expectation(expectation),
            Step::Capture(name, subject, _) => {
                self.subject(subject);
                self.known.push(name.clone());
            }
            Step::Let(name, value) => {
                self.used(value);
                self.known.push(name.clone());
            }
            Step::Set(_, value) => self.used(value),
            Step::Each(each) => {
                match &each.over {
                    Over::Records(value) => {
                        self.used(value);
                        self.known.extend(["sfi", "record", "signed"].map(str::to_owned));
                    }
                    Over::Rows(table) => self.table(table),
                    Over::Numbers(name, from, to) => {
                        self.used(from);
                        self.used(to);
                        self.known.push(name.clone());
                    }
                }
                self.statements(&each.statements);
            }
            Step::On(on) => {
                self.what(&on.what);
                self.statements(&on.statements);
            }
            Step::Action(action) => self.action(action),
            Step::Terminal(demand) => {
                let Demand { amount, cashback, pins, choice, within, .. } = &**demand;
                let options = [amount, cashback, choice, within].into_iter().flatten();
                options.chain(pins).for_each(|value| self.used(value));
            }
            Step::Errand(errand) => {
                self.used(&errand.text);
                errand.within.iter().for_each(|value| self.used(value));
                if let ErrandKind::Verdict(Some((name, choices))) = &errand.kind {
                    choices.iter().for_each(|choice| self.used(choice));
                    self.known.push(name.clone());
                }
            }
            Step::Sent(test) => self.what(&test.what),
            Step::Reset | Step::Exit | Step::Lua(_) => {}
        }
    }

    fn what(&mut self, what: &What) {
        match what {
            What::Command(wanted) => {
                let values = wanted.values.iter().filter_map(|(_, value)| value.as_ref());
                let elements = wanted.elements.iter().map(|(_, value)| value);
                let header = wanted.header.iter().map(|(_, value)| value);
                values.chain(elements).chain(header).for_each(|value| self.used(value));
            }
            What::Bytes(parts) => self.parts(parts),
            What::Message(_) => {}
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Answer(status, data) => {
                self.used(status);
                data.iter().for_each(|data| self.used(data));
            }
            Action::Edit(Edit { place, change }) => {
                if let EditPlace::Named(value) = place {
                    self.used(value);
                }
                if let Change::Value(value) | Change::Add(value, _) = change {
                    self.used(value);
                }
            }
            Action::Delay(value) => self.used(value),
            Action::Lost { .. } | Action::Twice => {}
        }
    }

    fn parts(&mut self, parts: &[PatternPart]) {
        for part in parts {
            if let PatternPart::Value(value) = part {
                self.used(value);
            }
        }
    }

    fn table(&mut self, table: &Table) {
        table.rows.iter().flat_map(|(_, cells)| cells).for_each(|cell| self.used(cell));
        self.known.extend(table.columns.iter().cloned());
    }

    fn expectation(&mut self, expectation: &Expectation) {
        self.subject(&expectation.subject);
        match &expectation.test {
            Test::StatusOf(value) | Test::Compare(_, value) => self.used(value),
            Test::Between(from, to) => {
                self.used(from);
                self.used(to);
            }
            Test::OneOf(values) => values.iter().for_each(|value| self.used(value)),
            Test::Like(parts) => self.parts(parts),
            Test::Status(_) | Test::Matches(_) | Test::Bit { .. } | Test::Outcome(_) | Test::Exists(_) => {}
        }
    }

    fn subject(&mut self, subject: &Subject) {
        if let Subject::Value(value) = subject {
            self.used(value);
        }
    }

    fn used(&mut self, value: &Expression) {
        match &value.node {
            Node::Literal(_) => {}
            Node::Variable(name) => {
                if !self.known.contains(name) && tag_name(name).is_none() {
                    let error = ParseError::new(Problem::Variable { found: name.clone() }, value.span);
                    let meant = nearest(name, self.known.iter().map(String::as_str));
                    let meant = meant.map(|meant| format!("${meant}"));
                    self.errors.push(error.meant(meant.as_deref()));
                }
            }
            Node::Call(_, arguments) => arguments.iter().for_each(|argument| self.used(argument)),
            Node::Add(left, right) | Node::Subtract(left, right) => {
                self.used(left);
                self.used(right);
            }
        }
    }
}
