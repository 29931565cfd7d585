//! Lines that any part has: keeping something of what is looked at.

use super::evaluate::Trouble;
use super::expectation::Unmet;
use super::outcome::Shown;
use super::scope::Scope;
use super::subject::look;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::source::Span;
use crate::observers::script::tree::Subject;
use crate::observers::script::value::View;

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
