//! Whether something that a terminal has sent is what a script means.

use super::evaluate::{Trouble, evaluate};
use super::scope::Scope;
use crate::air::host::{Kind, MessageClass};
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::part::What;
use crate::observers::script::pattern::{BytePart, bytes_fit};
use crate::observers::script::run::command::{self, argument};
use crate::observers::script::tree::{CommandCall, HeaderPart, PatternPart};
use crate::words::iso7816::{Argument, Arguments, CommandApdu, Parameter, ParameterKind};
use crate::words::tlv::{Tag, TlvStore};

/// Something that was sent.
pub(super) enum Sent<'a> {
    /// A command, and its elements.
    Command(&'a CommandApdu, &'a TlvStore),
    /// A message.
    Message(Kind, MessageClass),
}

/// Whether it is what is meant.
pub(super) fn is_meant(what: &What, sent: &Sent<'_>, scope: &mut Scope<'_>) -> Result<bool, Trouble> {
    match (what, sent) {
        (What::Command(wanted), Sent::Command(apdu, elements)) => command(wanted, apdu, elements, scope),
        (What::Bytes(parts), Sent::Command(apdu, _)) => {
            Ok(bytes_fit(&pattern(parts, scope)?, &apdu.to_bytes()))
        }
        (What::Message(word), Sent::Message(kind, class)) => Ok(word.fits(*kind, *class)),
        _ => Ok(false),
    }
}

/// A byte pattern with the values of its variables.
pub(super) fn pattern(parts: &[PatternPart], scope: &mut Scope<'_>) -> Result<Vec<BytePart>, Trouble> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            PatternPart::Fixed(part) => out.push(part.clone()),
            PatternPart::Value(value) => {
                let bytes =
                    evaluate(value, scope)?.bytes().map_err(|cause| Trouble::new(value.span, cause))?;
                out.extend(BytePart::of_bytes(&bytes));
            }
        }
    }
    Ok(out)
}

fn command(
    wanted: &CommandCall,
    apdu: &CommandApdu,
    elements: &TlvStore,
    scope: &mut Scope<'_>,
) -> Result<bool, Trouble> {
    if !(wanted.row.matches)(apdu) {
        return Ok(false);
    }
    let mut given = Vec::new();
    for (parameter, value) in &wanted.values {
        let value = match value {
            Some(value) => argument(parameter, value, scope)?,
            None => Argument::Flag,
        };
        given.push((*parameter, value));
    }
    if !given.is_empty() && !fits(wanted, &given, apdu) {
        return Ok(false);
    }
    for (tag, value) in &wanted.elements {
        let bytes = evaluate(value, scope)?.element(*tag, scope.currency());
        let bytes = bytes.map_err(|cause| Trouble::new(value.span, cause))?;
        if elements.value(*tag) != Some(bytes.as_slice()) {
            return Ok(false);
        }
    }
    let mut header = apdu.clone();
    for (part, value) in &wanted.header {
        command::write_over(&mut header, *part, value, scope)?;
        if *part == HeaderPart::Le && header.le != apdu.le {
            return Ok(false);
        }
    }
    Ok(header.header() == apdu.header())
}

/// Whether a command is one that the values given make. What is not given is filled in two
/// ways: where both come to the same, the values given say so, and the command must, too.
/// A flag that is not given may be set or not.
fn fits(wanted: &CommandCall, given: &[(&'static Parameter, Argument)], apdu: &CommandApdu) -> bool {
    let is_given = |parameter: &Parameter| given.iter().any(|(known, _)| *known == parameter);
    let parameters = wanted.row.parameters.iter().filter(|parameter| !is_given(parameter));
    let (flags, open): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.partition(|parameter| parameter.kind == ParameterKind::Flag);
    let made = |flags_set: u32, high: bool| {
        let mut arguments = Arguments::new(wanted.row.name);
        given.iter().for_each(|(parameter, value)| arguments.put(parameter.name, value.clone()));
        for parameter in open.iter().filter(|parameter| !parameter.optional) {
            arguments.put(parameter.name, filling(parameter.kind, high));
        }
        for (_, flag) in flags.iter().enumerate().filter(|(place, _)| flags_set >> place & 1 == 1) {
            arguments.put(flag.name, Argument::Flag);
        }
        (wanted.row.from_arguments)(&arguments).ok()
    };
    (0..1u32 << flags.len().min(4)).any(|flags_set| {
        let Some((low, high)) = made(flags_set, false).zip(made(flags_set, true)) else { return false };
        let bytes = low.header().into_iter().zip(high.header()).zip(apdu.header());
        let header = bytes.into_iter().all(|((low, high), found)| low != high || low == found);
        header && (low.data != high.data || low.data == apdu.data)
    })
}

/// A value of a parameter, the least or the most.
fn filling(kind: ParameterKind, high: bool) -> Argument {
    match kind {
        ParameterKind::Number(from, to) => Argument::Number(if high { to } else { from }),
        ParameterKind::Bytes(from, to) => {
            Argument::Bytes(vec![if high { 0xFF } else { 0 }; from.max(1).min(to)])
        }
        ParameterKind::Gathered(_) => Argument::Bytes(vec![if high { 0xFF } else { 0 }]),
        ParameterKind::Tag => Argument::Tag(if high { Tag(0x9F36) } else { Tag(0x5A) }),
        ParameterKind::Word(words) => {
            let word = if high { words.last() } else { words.first() };
            Argument::Text(word.copied().unwrap_or_default().to_owned())
        }
        ParameterKind::Digits(from, _) => Argument::Text(if high { "9" } else { "0" }.repeat(from.max(1))),
        ParameterKind::Flag => Argument::Flag,
    }
}
