//! What an expression comes to.

use super::scope::Scope;
use crate::air::link::LinkError;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::parse::tag_name;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Expression, Node};
use crate::observers::script::value::Value;
use std::fmt;

/// Why a script cannot go on, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub span: Span,
    pub reason: String,
    pub kind: TroubleKind,
}

/// What a case that ran into trouble counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// The script asks for what cannot be.
    Broken,
    /// The card cannot be reached.
    Unreachable,
    /// The command would do more to the card than is allowed.
    Refused,
    /// Who was to do something was not there, or was not allowed to.
    NotRun,
}

impl Trouble {
    pub(super) fn new(span: Span, reason: impl fmt::Display) -> Self {
        Self { span, reason: reason.to_string(), kind: TroubleKind::Broken }
    }

    pub(super) fn unreachable(span: Span, reason: impl fmt::Display) -> Self {
        Self { kind: TroubleKind::Unreachable, ..Self::new(span, reason) }
    }

    /// Why a card has not answered.
    pub(super) fn of_link(span: Span, cause: &LinkError) -> Self {
        match cause {
            LinkError::NotAllowed { .. } => Self { kind: TroubleKind::Refused, ..Self::new(span, cause) },
            _ => Self::unreachable(span, cause),
        }
    }

    /// Whether the card is why.
    pub(super) fn is_of_card(&self) -> bool {
        matches!(self.kind, TroubleKind::Unreachable | TroubleKind::Refused)
    }

    pub(super) fn not_run(span: Span, reason: impl fmt::Display) -> Self {
        Self { kind: TroubleKind::NotRun, ..Self::new(span, reason) }
    }
}

/// Works an expression out.
pub(super) fn evaluate(expression: &Expression, scope: &mut Scope<'_>) -> Result<Value, Trouble> {
    let trouble = |reason: &dyn fmt::Display| Trouble::new(expression.span, reason);
    match &expression.node {
        Node::Literal(value) => Ok(value.clone()),
        Node::Variable(name) => variable(name, scope).ok_or_else(|| match tag_name(name) {
            Some(tag) => trouble(&format!(
                "expected data element {tag}, and neither the card nor the terminal has given it so far"
            )),
            None => trouble(&format!("${name} has no value: what gives it one was not played")),
        }),
        Node::Call(function, arguments) => {
            let values: Result<Vec<Value>, Trouble> =
                arguments.iter().map(|argument| evaluate(argument, scope)).collect();
            (function.call)(&values?, scope).map_err(|cause| trouble(&format!("{}: {cause}", function.name)))
        }
        Node::Add(left, right) => combine(left, right, i64::checked_add, scope),
        Node::Subtract(left, right) => combine(left, right, i64::checked_sub, scope),
    }
}

fn variable(name: &str, scope: &Scope<'_>) -> Option<Value> {
    let value = scope.variable(name).cloned();
    value.or_else(|| scope.element(tag_name(name)?).map(Value::Bytes))
}

/// A sum or difference: of amounts where one of them is, else of numbers.
fn combine(
    left: &Expression,
    right: &Expression,
    operation: fn(i64, i64) -> Option<i64>,
    scope: &mut Scope<'_>,
) -> Result<Value, Trouble> {
    let values = (evaluate(left, scope)?, evaluate(right, scope)?);
    let currency = scope.currency();
    let is_amount = matches!(values, (Value::Amount(_), _) | (_, Value::Amount(_)));
    let taken = |value: &Value, span| {
        let taken = if is_amount { value.amount(currency) } else { value.number() };
        taken.map_err(|cause| Trouble::new(span, cause))
    };
    let (a, b) = (taken(&values.0, left.span)?, taken(&values.1, right.span)?);
    let result = operation(a, b).ok_or_else(|| Trouble::new(left.span, "the result is too large"))?;
    Ok(if is_amount { Value::Amount(result) } else { Value::Number(result) })
}
