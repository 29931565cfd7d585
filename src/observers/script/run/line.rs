//! What lines of any part need: keeping something of what is looked at, and how long
//! something may take.

use super::evaluate::{Trouble, evaluate};
use super::expectation::Unmet;
use super::outcome::Shown;
use super::scope::Scope;
use super::subject::look;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Expression, Subject};
use crate::observers::script::value::View;
use std::time::Duration;

/// Keeps something under a name; it must be there.
pub(super) fn captured(
    name: &str,
    subject: &Subject,
    view: Option<View>,
    span: Span,
    scope: &mut Scope<'_>,
) -> Result<Option<Unmet>, Trouble> {
    let found = look(subject, span, scope)?;
    let currency = scope.currency();
    match (&found.value, view) {
        (None, _) => {
            return Ok(Some(Unmet {
                subject: found.name.clone(),
                expected: Shown::Words(format!("a value for ${name}")),
                received: found.shown(),
                update: None,
            }));
        }
        (Some(value), None) => scope.put(name, value.clone()),
        (Some(value), Some(view)) => {
            let value = value.viewed(view, found.tag, currency);
            scope.put(name, value.map_err(|cause| Trouble::new(span, cause))?);
        }
    }
    Ok(None)
}

/// How long something may take: so many seconds, from 1 to a limit.
pub(super) fn seconds(
    given: Option<&Expression>,
    default: u32,
    limit: u32,
    scope: &mut Scope<'_>,
) -> Result<Duration, Trouble> {
    let Some(value) = given else { return Ok(Duration::from_secs(default.into())) };
    let number = evaluate(value, scope)?.number().map_err(|why| Trouble::new(value.span, why))?;
    let sound = u32::try_from(number).ok().filter(|number| (1..=limit).contains(number));
    let reason = format!("expected 1 to {limit} seconds, found {number}");
    sound.map(|seconds| Duration::from_secs(seconds.into())).ok_or_else(|| Trouble::new(value.span, reason))
}
