//! Small values as text and as JSON.

use crate::base::bytes::Hex;
use crate::roles::terminal::Fact;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use serde_json::{Value, json};

/// A date of BCD, YYMMDD, as `2035-12-31`; a day of 00 is left out.
pub(in crate::observers::report) fn date([year, month, day]: [u8; 3]) -> String {
    match day {
        0 => format!("20{year:02X}-{month:02X}"),
        _ => format!("20{year:02X}-{month:02X}-{day:02X}"),
    }
}

/// A time of BCD, HHMMSS, as `08:00:00`.
pub(in crate::observers::report) fn time([hour, minute, second]: [u8; 3]) -> String {
    format!("{hour:02X}:{minute:02X}:{second:02X}")
}

/// A PAN, masked unless a person asked otherwise.
pub(in crate::observers::report) fn pan(pan: &Pan, unmask: bool) -> String {
    if unmask { pan.expose().to_owned() } else { pan.to_string() }
}

/// A card's identifier in the field. It is the same wherever its holder goes, so that all but its
/// first byte, which says who made it or that it was drawn, is masked unless a person asked
/// otherwise.
pub(in crate::observers::report) fn uid(bytes: &[u8], unmask: bool) -> String {
    match bytes.split_first() {
        Some((first, rest)) if !unmask => format!("{first:02X}{}", "**".repeat(rest.len())),
        _ => Hex(bytes).to_string(),
    }
}

/// An amount: minor units, currency, and text for people.
pub(in crate::observers::report) fn amount(amount: Amount) -> Value {
    json!({
        "minor": amount.minor,
        "currency": amount.currency.to_string(),
        "text": amount.to_string(),
    })
}

/// A part of a position, which may be negative.
pub(in crate::observers::report) fn signed(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let text = Amount::new(minor.unsigned_abs(), currency).to_string();
    let number = text.split(' ').next().unwrap_or_default();
    format!("{sign}{number}")
}

/// What is known as itself, what is absent as `{"absent": "the reason"}`.
pub(in crate::observers::report) fn fact<T>(fact: &Fact<T>, value: impl Fn(&T) -> Value) -> Value {
    match fact {
        Fact::Known(known) => value(known),
        Fact::Absent(reason) => json!({ "absent": reason }),
    }
}

/// What is known as text, what is absent as a dash and the reason.
pub(in crate::observers::report) fn fact_text<T>(fact: &Fact<T>, text: impl Fn(&T) -> String) -> String {
    match fact {
        Fact::Known(known) => text(known),
        Fact::Absent(reason) => format!("-  ({reason})"),
    }
}

/// How many entries a log has.
pub(in crate::observers::report) fn entries(count: usize) -> String {
    match count {
        0 => "empty".into(),
        1 => "1 entry".into(),
        count => format!("{count} entries"),
    }
}
