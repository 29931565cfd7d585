//! The APDU of a line: of a command in words by its row, of bytes as they are.

use super::evaluate::{Trouble, evaluate};
use super::layout::list_in_turn;
use super::scope::Scope;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{CommandCall, Expression, HeaderPart};
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;
use crate::words::emv::assemble;
use crate::words::iso7816::{Argument, Arguments, CommandApdu, Parameter, ParameterKind};
use crate::words::tlv::{Dol, Tag};

/// The APDU of a command in words. Elements that it names are the terminal's from now on.
pub(super) fn in_words(
    call: &CommandCall,
    span: Span,
    scope: &mut Scope<'_>,
) -> Result<CommandApdu, Trouble> {
    let begins = call.row.parameters.iter().any(|p| p.kind == ParameterKind::Gathered(&[tag::PDOL]));
    if begins && !scope.chose_number {
        let number = scope.context.random::<4>();
        scope.data.put(tag::UNPREDICTABLE_NUMBER, number);
    }
    for (tag, value) in &call.elements {
        let given = evaluate(value, scope)?;
        scope.set(*tag, &given, value.span)?;
    }
    let mut arguments = Arguments::new(call.row.name);
    for parameter in call.row.parameters {
        let given = call.values.iter().find(|(known, _)| *known == parameter);
        let value = match (given, parameter.kind) {
            (Some((_, Some(value))), _) => Some(argument(parameter, value, scope)?),
            (Some((_, None)), _) => Some(Argument::Flag),
            (None, ParameterKind::Gathered(lists)) => Some(Argument::Bytes(gathered(lists, span, scope)?)),
            (None, _) => None,
        };
        if let Some(value) = value {
            arguments.put(parameter.name, value);
        }
    }
    let mut apdu = (call.row.from_arguments)(&arguments).map_err(|cause| Trouble::new(span, cause))?;
    for (part, value) in &call.header {
        write_over(&mut apdu, *part, value, scope)?;
    }
    Ok(apdu)
}

/// The APDU of bytes, among which values may stand.
pub(super) fn as_bytes(
    parts: &[Expression],
    span: Span,
    scope: &mut Scope<'_>,
) -> Result<CommandApdu, Trouble> {
    let mut digits = String::new();
    for part in parts {
        match evaluate(part, scope)? {
            // Half a byte may stand on each side of a space.
            Value::Bare(text) => digits.push_str(&text),
            value => {
                let bytes = value.bytes().map_err(|cause| Trouble::new(part.span, cause))?;
                digits.push_str(&hex::encode_upper(bytes));
            }
        }
    }
    let bytes = Value::Bare(digits).bytes().map_err(|cause| Trouble::new(span, cause))?;
    CommandApdu::parse(&bytes).map_err(|cause| Trouble::new(span, cause))
}

pub(super) fn argument(
    parameter: &Parameter,
    value: &Expression,
    scope: &mut Scope<'_>,
) -> Result<Argument, Trouble> {
    let given = evaluate(value, scope)?;
    let not = || Trouble::new(value.span, given.not(&format!("{} for {}", parameter.kind, parameter.name)));
    match parameter.kind {
        ParameterKind::Number(from, to) => {
            let number = given.number().ok().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| (from..=to).contains(number)).map(Argument::Number).ok_or_else(not)
        }
        ParameterKind::Bytes(from, to) => {
            let bytes = given.bytes().ok().filter(|bytes| (from..=to).contains(&bytes.len()));
            bytes.map(Argument::Bytes).ok_or_else(not)
        }
        ParameterKind::Gathered(_) => given.bytes().map(Argument::Bytes).map_err(|_| not()),
        ParameterKind::Tag => Tag::parse_text(&given.to_string()).map(Argument::Tag).ok_or_else(not),
        ParameterKind::Word(words) => {
            let text = given.text();
            if words.contains(&text.as_str()) { Ok(Argument::Text(text)) } else { Err(not()) }
        }
        ParameterKind::Digits(from, to) => {
            let text = given.text();
            let sound = (from..=to).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if sound { Ok(Argument::Text(text)) } else { Err(not()) }
        }
        ParameterKind::Flag => Ok(Argument::Flag),
    }
}

/// What the list whose turn it is asks for.
fn gathered(lists: &[Tag], span: Span, scope: &Scope<'_>) -> Result<Vec<u8>, Trouble> {
    let Some(list) = list_in_turn(lists, scope) else { return Ok(Vec::new()) };
    let bytes = match (scope.card.value(list), list) {
        (Some(bytes), _) => bytes,
        // Without a PDOL nothing is asked for; without a DDOL the terminal's own counts.
        (None, tag::PDOL) => return Ok(Vec::new()),
        (None, tag::DDOL) => scope.default_ddol.as_slice(),
        (None, _) => {
            let reason =
                format!("the card has given no {list} so far: read its records, or write `data` and bytes");
            return Err(Trouble::new(span, reason));
        }
    };
    let dol = Dol::parse(bytes).map_err(|cause| Trouble::new(span, format!("{list}: {cause}")))?;
    Ok(assemble(&dol, &scope.everything()))
}

pub(super) fn write_over(
    apdu: &mut CommandApdu,
    part: HeaderPart,
    value: &Expression,
    scope: &mut Scope<'_>,
) -> Result<(), Trouble> {
    let given = evaluate(value, scope)?;
    let trouble = |cause| Trouble::new(value.span, cause);
    if part == HeaderPart::Le {
        apdu.le = match given.text().as_str() {
            "none" => None,
            _ => {
                let le = given.number().map_err(trouble)?;
                let le = u32::try_from(le).ok().filter(|le| (1..=65_536).contains(le));
                Some(le.ok_or_else(|| trouble(given.not("a number from 1 to 65536, or none")))?)
            }
        };
        return Ok(());
    }
    let [byte] = given.array("header").map_err(trouble)?;
    match part {
        HeaderPart::Cla => apdu.cla = byte,
        HeaderPart::Ins => apdu.ins = byte,
        HeaderPart::P1 => apdu.p1 = byte,
        HeaderPart::P2 => apdu.p2 = byte,
        HeaderPart::Le => {}
    }
    Ok(())
}
