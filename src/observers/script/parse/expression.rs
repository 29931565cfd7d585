//! Expressions: values, variables, calls of functions, sums and differences.

use crate::observers::script::cursor::{Cursor, Kind, Token, lines};
use crate::observers::script::function::FUNCTIONS;
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Expression, Node};
use crate::observers::script::value::Value;
use crate::words::iso4217::{Amount, Currency};

/// Deepest nesting of parentheses and calls.
const DEPTH_LIMIT: usize = 16;

/// A value, a sum or a difference. Bytes may stand apart: `00 00 10`.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expression, ParseError> {
    sum(cursor, 0)
}

/// What a text is as a value: digits, a word or bytes, an amount, else characters.
pub(in crate::observers::script) fn value_of(text: &str) -> Value {
    let lines = lines(text, 0);
    let [line] = lines.as_slice() else { return Value::Text(text.to_owned()) };
    let mut cursor = line.cursor();
    let read = one(&mut cursor, 0, true).ok().filter(|_| cursor.end().is_ok());
    match read.map(|read| read.node) {
        Some(Node::Literal(value @ (Value::Bare(_) | Value::Amount(_)))) if !text.contains('#') => value,
        _ => Value::Text(text.to_owned()),
    }
}

/// One value without a sign around it, as the arguments of commands are.
pub(super) fn factor(cursor: &mut Cursor<'_>) -> Result<Expression, ParseError> {
    one(cursor, 0, false)
}

fn sum(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, ParseError> {
    let mut left = one(cursor, depth, true)?;
    loop {
        let node: fn(Box<Expression>, Box<Expression>) -> Node = match () {
            () if cursor.take_sign("+") => Node::Add,
            () if cursor.take_sign("-") => Node::Subtract,
            () => return Ok(left),
        };
        let right = one(cursor, depth, true)?;
        let span = left.span.to(right.span);
        left = Expression { span, node: node(Box::new(left), Box::new(right)) };
    }
}

fn one(cursor: &mut Cursor<'_>, depth: usize, joins: bool) -> Result<Expression, ParseError> {
    if depth > DEPTH_LIMIT {
        return Err(ParseError::new(Problem::Depth { limit: DEPTH_LIMIT }, cursor.span()));
    }
    let missing = cursor.expected("a value");
    let Some(token) = cursor.next()? else { return Err(missing) };
    match token.kind {
        Kind::Text => Ok(Expression::literal(Value::Text(token.text), token.span)),
        Kind::Variable => Ok(Expression { span: token.span, node: Node::Variable(token.text) }),
        Kind::Decimal => decimal(&token),
        Kind::Sign if token.is_sign("(") => {
            let inner = sum(cursor, depth + 1)?;
            match cursor.take_sign(")") {
                true => Ok(inner),
                false => Err(cursor.expected(")")),
            }
        }
        Kind::Sign => Err(missing),
        Kind::Bare if cursor.peek()?.is_some_and(|next| next.is_sign("(")) => call(&token, cursor, depth),
        Kind::Bare => Ok(bare(token, cursor, joins)),
    }
}

/// Digits or a word; bytes that stand apart are joined.
fn bare(token: Token, cursor: &mut Cursor<'_>, joins: bool) -> Expression {
    let (mut text, mut span) = (token.text, token.span);
    while joins && is_bytes(&text) {
        let Some(next) = cursor.take_if(|next| next.kind == Kind::Bare && is_bytes(&next.text)) else {
            break;
        };
        text.push_str(&next.text);
        span = span.to(next.span);
    }
    Expression::literal(Value::Bare(text), span)
}

fn decimal(token: &Token) -> Result<Expression, ParseError> {
    match Amount::parse_or_zero(&token.text, Currency::CNY) {
        Ok(amount) => Ok(Expression::literal(Value::Amount(amount.minor as i64), token.span)),
        Err(_) => {
            let expected = "an amount with at most two digits after the point".to_owned();
            let found = format!("{:?}", token.text);
            Err(ParseError::new(Problem::Expected { expected, found }, token.span))
        }
    }
}

fn call(name: &Token, cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, ParseError> {
    let Some(function) = FUNCTIONS.iter().find(|function| function.name == name.text) else {
        let known = FUNCTIONS.iter().map(|function| function.name);
        let error = ParseError::new(Problem::Function { found: name.text.clone() }, name.span);
        return Err(error.meant(nearest(&name.text, known)));
    };
    cursor.take_sign("(");
    let mut arguments = Vec::new();
    if !cursor.take_sign(")") {
        loop {
            arguments.push(sum(cursor, depth + 1)?);
            if cursor.take_sign(")") {
                break;
            }
            if !cursor.take_sign(",") {
                return Err(cursor.expected(", or )"));
            }
        }
    }
    if !function.takes(arguments.len()) {
        let (function, expected) = (function.name, function.count());
        let problem = Problem::FunctionArguments { function, expected, found: arguments.len() };
        let usage = FUNCTIONS.iter().find(|row| row.name == function).map_or("", |row| row.usage);
        return Err(ParseError::new(problem, name.span).hint(format!("it is written {usage}")));
    }
    Ok(Expression { span: name.span, node: Node::Call(function, arguments) })
}

fn is_bytes(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
