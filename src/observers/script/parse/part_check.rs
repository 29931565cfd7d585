//! Whether the lines of a case belong to the part that it plays, and stand where they may.

use super::part::literal_answer;
use crate::observers::script::part::{Action, EditPlace, On, Part, What};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Case, Expectation, Statement, Step, Subject};

/// What of a case does not belong there.
pub(super) fn check(case: &Case) -> Vec<ParseError> {
    let part = case.header.part.unwrap_or_default();
    let mut errors = Vec::new();
    statements(&case.statements, part, &mut errors);
    errors
}

fn statements(list: &[Statement], part: Part, errors: &mut Vec<ParseError>) {
    for Statement { span, step } in list {
        let problem = match step {
            Step::Command(_) | Step::Raw(_) | Step::Reset if part != Part::Terminal => {
                Some(Problem::PartSends { part: name(part) })
            }
            Step::Terminal(_) if part == Part::Terminal => {
                Some(Problem::PartNeeds { what: "terminal", needs: "role card or role host" })
            }
            Step::On(on) => {
                block(on, errors);
                needs(&on.what, "on", part)
            }
            Step::Sent(test) => needs(&test.what, "expect sent", part),
            Step::Action(_) => Some(Problem::ActionAlone),
            Step::Expect(expectation) if part == Part::Terminal => subject(expectation),
            Step::Each(each) => {
                statements(&each.statements, part, errors);
                None
            }
            _ => None,
        };
        errors.extend(problem.map(|problem| ParseError::new(problem, *span)));
    }
}

/// What must be played so that this is seen.
fn needs(what: &What, word: &'static str, part: Part) -> Option<Problem> {
    let (is_seen, needs) = match what {
        What::Message(_) => (part.is_host(), "role host"),
        What::Command(_) | What::Bytes(_) => (part.is_card(), "role card"),
    };
    (!is_seen).then_some(Problem::PartNeeds { what: word, needs })
}

/// What only a terminal under test has.
fn subject(expectation: &Expectation) -> Option<Problem> {
    let what = match expectation.subject {
        Subject::Outcome => "outcome",
        Subject::Reason => "reason",
        Subject::Shown => "shown",
        Subject::Told => "told",
        Subject::Balance => "balance",
        Subject::Field(_) => "field",
        Subject::Pin => "pin",
        _ => return None,
    };
    Some(Problem::PartNeeds { what, needs: "role card or role host" })
}

/// What may stand in a block: it judges, names, and changes an answer of its kind.
fn block(on: &On, errors: &mut Vec<ParseError>) {
    let is_message = matches!(on.what, What::Message(_));
    for Statement { span, step } in &on.statements {
        let problem = match step {
            Step::Expect(_) | Step::Capture(..) | Step::Let(..) => None,
            Step::Action(action) => unfit(action, is_message),
            _ => Some(Problem::WithinOn),
        };
        errors.extend(problem.map(|problem| ParseError::new(problem, *span)));
    }
}

fn unfit(action: &Action, is_message: bool) -> Option<Problem> {
    let (expected, kind) = match is_message {
        true => ("a response code such as \"05\"", "a message"),
        false => ("a status word such as 6985", "a command"),
    };
    match action {
        Action::Answer(value, _) => {
            let (is_status, is_code) = literal_answer(value)?;
            let sound = if is_message { is_code } else { is_status };
            (!sound).then_some(Problem::AnswerKind { expected, kind })
        }
        Action::Twice if !is_message => Some(Problem::MessageOnly { what: "twice" }),
        Action::Edit(edit) if !is_message && matches!(edit.place, EditPlace::Field(_)) => {
            Some(Problem::MessageOnly { what: "field" })
        }
        _ => None,
    }
}

fn name(part: Part) -> &'static str {
    Part::NAMES.iter().find(|row| row.1 == part).map_or("", |row| row.0)
}

/// Where `on` may not stand.
pub(super) fn within(span: Span) -> ParseError {
    ParseError::new(Problem::OnWithin, span)
}
