//! Whether an expectation is met, and what to show where it is not.

use super::comparison::{Comparing, compare, order};
use super::evaluate::{Trouble, evaluate};
use super::matching::pattern;
use super::outcome::Shown;
use super::scope::Scope;
use super::subject::{Found, answer, ended, look, shown};
use super::wording::described;
use crate::base::bytes::Hex;
use crate::observers::script::part::OutcomeWord;
use crate::observers::script::pattern::{StatusPattern, bytes_fit};
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Comparison, Expectation, Node, Subject, Test};
use crate::observers::script::value::{Value, View};
use crate::words::dictionary::{Format, Row};
use crate::words::iso7816::StatusWord;

/// An expectation that is not met.
pub(super) struct Unmet {
    /// What was looked at.
    pub subject: String,
    /// What was expected.
    pub expected: Shown,
    /// What came.
    pub received: Shown,
    /// What the script could say instead, where the expected value stands as it is.
    pub update: Option<(Span, String)>,
}

/// Judges an expectation; `None` where it is met.
pub(super) fn judge(
    expectation: &Expectation,
    span: Span,
    scope: &mut Scope<'_>,
) -> Result<Option<Unmet>, Trouble> {
    if let Subject::Status = expectation.subject {
        return status(expectation, span, scope);
    }
    if let Test::Outcome(wanted) = &expectation.test {
        return outcome(wanted, &expectation.test, span, scope);
    }
    let found = look(&expectation.subject, span, scope)?;
    let words = |expected: String, update: Option<String>| {
        let update = update.map(|text| (expectation.value_span, text));
        unmet(&found, Shown::Words(expected), update)
    };
    if let Test::Exists(wanted) = expectation.test {
        return Ok((found.value.is_some() != wanted).then(|| words(described(&expectation.test), None)));
    }
    let Some(value) = &found.value else {
        return Ok(Some(words(described(&expectation.test), None)));
    };
    let view = expectation.view;
    match &expectation.test {
        Test::Compare(sign, right) => {
            let right_value = evaluate(right, scope)?;
            let Comparing { left, right: wanted } =
                compare(&found, value, view, &right_value, *sign, right, scope)?;
            let holds = left.as_ref().is_some_and(|left| order(left, &wanted).is_some_and(|o| sign.holds(o)));
            if holds {
                return Ok(None);
            }
            let is_plain = matches!(right.node, Node::Literal(_));
            let update = left.as_ref().filter(|_| is_plain && *sign == Comparison::Equal);
            let update = update.map(|left| (expectation.value_span, left.to_string()));
            let expected = match (sign, &wanted) {
                (Comparison::Equal, wanted) => shown(wanted, &found, is_plain),
                (sign, Value::Number(_) | Value::Amount(_)) => {
                    Shown::Words(format!("{} {wanted}", sign.sign()))
                }
                _ => Shown::Words(described(&expectation.test)),
            };
            let received = match left {
                Some(left @ (Value::Number(_) | Value::Amount(_))) => Shown::Words(left.to_string()),
                _ => found.shown(),
            };
            Ok(Some(Unmet { subject: found.name.clone(), expected, received, update }))
        }
        Test::Between(from, to) => {
            let (low, high) = (evaluate(from, scope)?, evaluate(to, scope)?);
            let low = compare(&found, value, view, &low, Comparison::AtLeast, from, scope)?;
            let high = compare(&found, value, view, &high, Comparison::AtMost, to, scope)?;
            let within = |side: &Comparing, sign: Comparison| {
                side.left.as_ref().is_some_and(|left| order(left, &side.right).is_some_and(|o| sign.holds(o)))
            };
            let is_met = within(&low, Comparison::AtLeast) && within(&high, Comparison::AtMost);
            Ok((!is_met).then(|| words(described(&expectation.test), None)))
        }
        Test::OneOf(choices) => {
            for choice in choices {
                let choice_value = evaluate(choice, scope)?;
                let side = compare(&found, value, view, &choice_value, Comparison::Equal, choice, scope)?;
                if side.left.as_ref().is_some_and(|left| *left == side.right) {
                    return Ok(None);
                }
            }
            Ok(Some(words(described(&expectation.test), None)))
        }
        Test::Like(parts) => {
            let wanted = pattern(parts, scope)?;
            let bytes = value.bytes().map_err(|cause| Trouble::new(span, cause))?;
            let met = bytes_fit(&wanted, &bytes);
            let update = format!("{:#}", Hex(&bytes));
            Ok((!met).then(|| words(described(&expectation.test), Some(update))))
        }
        Test::Matches(regex) => {
            let is_text = found.tag.and_then(Row::of_tag).is_some_and(|row| row.format == Format::Text);
            let text = match value {
                Value::Bytes(bytes) if view != Some(View::Text) && !is_text => Hex(bytes).to_string(),
                value => value.text(),
            };
            Ok((!regex.is_match(&text)).then(|| words(described(&expectation.test), None)))
        }
        Test::Bit { byte, bit, set, .. } => {
            let bytes = value.bytes().map_err(|cause| Trouble::new(span, cause))?;
            let is_set = bytes.get(usize::from(*byte) - 1).map(|found| found & 1 << (bit - 1) != 0);
            Ok((is_set != Some(*set)).then(|| words(described(&expectation.test), None)))
        }
        Test::Status(_) | Test::StatusOf(_) | Test::Outcome(_) | Test::Exists(_) => Ok(None),
    }
}

/// Judges what a transaction came to.
fn outcome(
    wanted: &[&'static OutcomeWord],
    test: &Test,
    span: Span,
    scope: &Scope<'_>,
) -> Result<Option<Unmet>, Trouble> {
    let ended = ended(span, scope)?;
    if wanted.iter().any(|row| ended.words.contains(&row.words)) {
        return Ok(None);
    }
    let received = format!("{}: {}", ended.words.first().copied().unwrap_or("nothing"), ended.reason);
    Ok(Some(Unmet {
        subject: "the outcome".into(),
        expected: Shown::Words(described(test)),
        received: Shown::Words(received),
        update: None,
    }))
}

/// Judges the status word.
fn status(expectation: &Expectation, span: Span, scope: &mut Scope<'_>) -> Result<Option<Unmet>, Trouble> {
    let patterns = match &expectation.test {
        Test::StatusOf(value) => {
            let text = evaluate(value, scope)?.to_string();
            let not =
                || Trouble::new(value.span, format!("expected a status word such as 9000, found {text:?}"));
            vec![StatusPattern::parse(&text).ok_or_else(not)?]
        }
        Test::Status(patterns) => patterns.clone(),
        _ => Vec::new(),
    };
    let status = answer(span, scope)?.response.status;
    if patterns.iter().any(|pattern| pattern.fits(status.0)) {
        return Ok(None);
    }
    let wanted = patterns.iter().map(StatusPattern::to_string).collect::<Vec<_>>().join(" or ");
    let update = matches!(expectation.test, Test::Status(_))
        .then(|| (expectation.value_span, format!("{:04X}", status.0)));
    Ok(Some(status_unmet(wanted, status, update)))
}

/// A status word that was not expected.
pub(super) fn status_unmet(wanted: String, status: StatusWord, update: Option<(Span, String)>) -> Unmet {
    Unmet {
        subject: "the status word".into(),
        expected: Shown::Words(wanted),
        received: Shown::Words(status.to_string()),
        update,
    }
}

fn unmet(found: &Found, expected: Shown, update: Option<(Span, String)>) -> Unmet {
    Unmet { subject: found.name.clone(), expected, received: found.shown(), update }
}
