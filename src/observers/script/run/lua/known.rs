//! What a script in Lua asks of what is known: values, tests, variables, functions. Nothing is
//! sent for it.

use super::value::{text, value, word};
use crate::observers::script::function::FUNCTIONS;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::lua::{Ask, Deed, Word};
use crate::observers::script::parse::looked_at;
use crate::observers::script::problem::in_one_line;
use crate::observers::script::run::evaluate::Trouble;
use crate::observers::script::run::expectation::judge;
use crate::observers::script::run::scope::{Answer, Scope};
use crate::observers::script::run::subject::look;
use crate::observers::script::source::Span;
use crate::observers::script::tree::Expectation;
use crate::observers::script::value::Value;

/// Answers what is asked; none where it is asked for something else. `answers` are those that
/// the script can still name.
pub(super) fn known(
    ask: &Ask,
    answers: &[Answer],
    span: Span,
    scope: &mut Scope<'_>,
) -> Result<Option<Word>, Trouble> {
    let first = ask.words.first().unwrap_or(&Word::Nothing);
    let second = ask.words.get(1).unwrap_or(&Word::Nothing);
    Ok(Some(match ask.deed {
        Deed::Look => {
            let Expectation { subject, view, .. } = read(second, false, span)?;
            let found = before(first, answers, scope, |scope| look(&subject, span, scope))?;
            let currency = scope.currency();
            let seen = match (found.value, view) {
                (Some(value), Some(view)) => value
                    .viewed(view, found.tag, currency)
                    .map(Some)
                    .map_err(|cause| Trouble::new(span, cause))?,
                (value, _) => value,
            };
            seen.as_ref().map_or(Word::Nothing, word)
        }
        Deed::Fits => {
            let expectation = read(second, true, span)?;
            let unmet = before(first, answers, scope, |scope| judge(&expectation, span, scope))?;
            Word::Flag(unmet.is_none())
        }
        Deed::Call => called(&text(first, span)?, ask.words.get(1..).unwrap_or_default(), span, scope)?,
        Deed::Get => scope.variable(&text(first, span)?).map_or(Word::Nothing, word),
        Deed::Put => {
            let value = value(second, span)?;
            scope.put(&text(first, span)?, value);
            Word::Nothing
        }
        _ => return Ok(None),
    }))
}

/// What a function of the language gives. Arguments that are nil are left out.
fn called(name: &str, arguments: &[Word], span: Span, scope: &mut Scope<'_>) -> Result<Word, Trouble> {
    let trouble = |why: String| Trouble::new(span, why);
    let function = FUNCTIONS.iter().find(|function| function.name == name);
    let function = function.ok_or_else(|| trouble(format!("there is no function called {name:?}")))?;
    let given = arguments.iter().filter(|word| **word != Word::Nothing);
    let values: Vec<Value> = given.map(|word| value(word, span)).collect::<Result<_, _>>()?;
    if !function.takes(values.len()) {
        return Err(trouble(format!(
            "{name} takes {}, and is given {}: it is written {}",
            function.count(),
            values.len(),
            function.usage
        )));
    }
    let made = (function.call)(&values, scope).map_err(|cause| trouble(format!("{name}: {cause}")))?;
    Ok(word(&made))
}

/// Does something while an earlier answer is the last one, where one is named.
fn before<T>(
    number: &Word,
    answers: &[Answer],
    scope: &mut Scope<'_>,
    deed: impl FnOnce(&mut Scope<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let Word::Number(number) = number else { return deed(scope) };
    let named = usize::try_from(*number).ok().and_then(|number| answers.get(number)).cloned();
    let last = std::mem::replace(&mut scope.answer, named);
    let done = deed(scope);
    scope.answer = last;
    done
}

/// What a script looks at, or a test.
fn read(word: &Word, is_test: bool, span: Span) -> Result<Expectation, Trouble> {
    looked_at(&text(word, span)?, is_test)
        .map_err(|error| Trouble::new(span, in_one_line(&error.problem, error.hint.as_deref())))
}
