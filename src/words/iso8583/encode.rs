//! Writing a message.

use super::{Binary, Dialect, Digits, FieldLength, FieldRow, Format, Iso8583Error, Justify, Message};

/// Writes a message from its MTI. Refuses a field that the dialect does not know,
/// and a value that its field cannot hold.
pub fn encode(message: &Message, dialect: &Dialect) -> Result<Vec<u8>, Iso8583Error> {
    let mut out = Vec::with_capacity(256);
    match dialect.digits {
        Digits::Bcd => out.extend(message.mti.0.to_be_bytes()),
        Digits::Ascii => out.extend(message.mti.to_string().bytes()),
    }
    let mut bitmap = 0u128;
    for (field, _) in message.iter() {
        if !(2..=128).contains(&field) || field == 65 {
            let found = "a message with it".to_owned();
            return Err(Iso8583Error::Value { field, expected: "absent: it is no field".into(), found });
        }
        bitmap |= 1 << (128 - u32::from(field));
        if field > 64 {
            bitmap |= 1 << 127;
        }
    }
    let length = if bitmap >> 127 == 1 { 16 } else { 8 };
    binary(&mut out, &bitmap.to_be_bytes()[..length], dialect.binary);
    for (field, value) in message.iter() {
        let row = dialect.field(field).ok_or_else(|| Iso8583Error::UnknownField {
            field,
            dialect: dialect.name.clone(),
            offset: usize::from(field - 1) / 8,
        })?;
        write(&mut out, field, row, value, dialect)?;
    }
    Ok(out)
}

fn write(
    out: &mut Vec<u8>,
    field: u8,
    row: &FieldRow,
    value: &[u8],
    dialect: &Dialect,
) -> Result<(), Iso8583Error> {
    let fits = match row.length {
        FieldLength::Fixed => value.len() == row.max,
        FieldLength::Ll | FieldLength::Lll => value.len() <= row.max,
    };
    let allowed = |byte: &u8| match row.format {
        Format::N => byte.is_ascii_digit(),
        Format::Z => byte.is_ascii_digit() || *byte == b'=',
        Format::An | Format::Ans | Format::B => true,
    };
    if !fits || !value.iter().all(allowed) {
        let how = if row.length == FieldLength::Fixed { "exactly" } else { "at most" };
        let found = match fits {
            true => "a character that is none of them".to_owned(),
            false => format!("{}", value.len()),
        };
        return Err(Iso8583Error::Value {
            field,
            expected: format!("{how} {} {}", row.max, units(row.format)),
            found,
        });
    }
    match row.length {
        FieldLength::Fixed => {}
        FieldLength::Ll => length(out, value.len(), 2, dialect.digits),
        FieldLength::Lll => length(out, value.len(), 3, dialect.digits),
    }
    match (row.format, dialect.digits) {
        (Format::N | Format::Z, Digits::Bcd) => packed(out, value, row.justify),
        (Format::N | Format::Z | Format::An | Format::Ans, _) => out.extend(value),
        (Format::B, _) => binary(out, value, dialect.binary),
    }
    Ok(())
}

fn units(format: Format) -> &'static str {
    match format {
        Format::N => "decimal digits",
        Format::Z => "digits and =",
        Format::An | Format::Ans => "characters",
        Format::B => "bytes",
    }
}

fn length(out: &mut Vec<u8>, length: usize, digits: usize, how: Digits) {
    let text = format!("{length:0digits$}");
    match how {
        Digits::Ascii => out.extend(text.bytes()),
        Digits::Bcd => packed(out, text.as_bytes(), Justify::Right),
    }
}

/// Two characters a byte; the separator of a track becomes D.
fn packed(out: &mut Vec<u8>, value: &[u8], justify: Justify) {
    let odd = !value.len().is_multiple_of(2);
    let lead = usize::from(odd && justify == Justify::Right);
    let nibble = |at: usize| match at.checked_sub(lead).and_then(|at| value.get(at)) {
        Some(b'=') => 0x0D,
        Some(digit) => digit & 0x0F,
        None => 0,
    };
    out.extend((0..value.len().div_ceil(2)).map(|at| nibble(at * 2) << 4 | nibble(at * 2 + 1)));
}

fn binary(out: &mut Vec<u8>, value: &[u8], how: Binary) {
    match how {
        Binary::Raw => out.extend(value),
        Binary::Hex => out.extend(crate::base::bytes::Hex(value).to_string().bytes()),
    }
}
