//! Lines that people or programs carry out. What nobody did leaves the case not run.

use super::evaluate::{Trouble, evaluate};
use super::expectation::Unmet;
use super::line::seconds;
use super::outcome::{Moment, Shown};
use super::scope::Scope;
use super::wording::described;
use crate::observers::script::errand::{Attendant, Errand, ErrandKind};
use crate::observers::script::source::Span;
use crate::observers::script::tree::Test;
use crate::observers::script::value::Value;
use std::time::Duration;

/// Seconds that a person has, where the script does not say.
const PATIENCE_SECONDS: u32 = 300;
/// Seconds that a program has.
const PROGRAM_SECONDS: u32 = 60;
/// The longest that either may have: a day.
const LIMIT_SECONDS: u32 = 86_400;

/// Has an errand carried out.
pub(super) fn carried_out(
    errand: &Errand,
    span: Span,
    attendant: &dyn Attendant,
    scope: &mut Scope<'_>,
    moments: &mut Vec<Moment>,
) -> Result<Option<Unmet>, Trouble> {
    let text = evaluate(&errand.text, scope)?.text();
    let default = if matches!(errand.kind, ErrandKind::Run) { PROGRAM_SECONDS } else { PATIENCE_SECONDS };
    let within = seconds(errand.within.as_ref(), default, LIMIT_SECONDS, scope)?;
    let mut note = |told: String| moments.push(Moment::Note { line: span.line, text: told + "\n" });
    let not_run = |why: String| Trouble::not_run(span, why);
    match &errand.kind {
        ErrandKind::Prompt => {
            attendant.ask(&text, &["done".to_owned()], within).map_err(not_run)?;
            note(format!("prompt: {text}"));
            Ok(None)
        }
        ErrandKind::Verdict(None) => {
            let choices = ["yes", "no"].map(str::to_owned);
            let taken = attendant.ask(&text, &choices, within).map_err(not_run)?;
            let said = choices.get(taken).cloned().unwrap_or_default();
            note(format!("verdict: {text} {said}"));
            Ok((taken != 0).then(|| Unmet {
                subject: text,
                expected: Shown::Words("yes".into()),
                received: Shown::Words(said),
                update: None,
            }))
        }
        ErrandKind::Verdict(Some((name, choices))) => {
            let mut words = Vec::new();
            for choice in choices {
                words.push(evaluate(choice, scope)?.text());
            }
            let taken = attendant.ask(&text, &words, within).map_err(not_run)?;
            let said = words.into_iter().nth(taken).unwrap_or_default();
            note(format!("verdict: {text} {said}"));
            scope.put(name, Value::Text(said));
            Ok(None)
        }
        ErrandKind::Run => {
            let ran = attendant.run(&text, within).map_err(not_run)?;
            let code = ran.code.map_or("ended by a signal".to_owned(), |code| format!("exit code {code}"));
            note(format!("run: {text}: {code}"));
            scope.known.ran = Some(ran);
            Ok(None)
        }
    }
}

/// Asks a person what a terminal elsewhere came to. What it says of itself nobody can see.
pub(super) fn seen_by_person(
    test: &Test,
    span: Span,
    attendant: &dyn Attendant,
    moments: &mut Vec<Moment>,
) -> Result<Option<Unmet>, Trouble> {
    let Test::Outcome(_) = test else {
        return Err(Trouble::not_run(span, "a terminal elsewhere does not tell this: use `verdict`"));
    };
    let wanted = described(test);
    let text = format!("The terminal's outcome is: {wanted}?");
    let choices = ["yes", "no"].map(str::to_owned);
    let within = Duration::from_secs(PATIENCE_SECONDS.into());
    let taken = attendant.ask(&text, &choices, within).map_err(|why| Trouble::not_run(span, why))?;
    moments
        .push(Moment::Note { line: span.line, text: format!("verdict: {text} {}\n", choices[taken.min(1)]) });
    Ok((taken != 0).then(|| Unmet {
        subject: "the outcome".into(),
        expected: Shown::Words(wanted),
        received: Shown::Words("a person says that it is another".into()),
        update: None,
    }))
}
