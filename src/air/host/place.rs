//! Where a dialect tells batch, type and management code: in field 60 of a terminal, or
//! in fields 37, 70 and 102 of a network, where a line is known by its institution.
//!
//! Where the public sources leave a choice, this is ours:
//! - F37 of a network's request is batch and trace, six digits each, so that a message
//!   has the same key behind an acquirer as before it.
//! - An offline sale is a financial advice (0220), as a network has no type code to tell
//!   it from a purchase.
//! - A load from the pending account has the PAN in F102, which names the account.
//! - F7 is the time of the transaction (F13, F12), so that a message that is sent again
//!   is the same, and the reversal (F90) can name its original without a memory of it.

use super::kinds::KindRow;
use super::{Entry, Kind, MessageKey, WireError};
use crate::base::bytes::{Hex, digits_to_bcd};
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::iso8583::{Dialect, Holds, Message, Mti};
use crate::words::tlv::{Tag, TlvStore};

/// F60.3 or F70 of what is no network management.
const NO_MANAGEMENT: &str = "000";
/// Digits of F32 and F33 in F90.
const INSTITUTION_DIGITS: usize = 11;

/// Puts F11, F41, F42 and F60, and what F60 has no part for elsewhere.
pub(super) fn put_key(
    message: &mut Message,
    key: &MessageKey,
    (code, management): (&str, &str),
    entry: Entry,
    dialect: &Dialect,
) -> Result<(), WireError> {
    message.put(11, format!("{:06}", key.trace));
    message.put(41, padded(&key.terminal, 8, 41)?);
    message.put(42, padded(&key.merchant, 15, 42)?);
    if key.batch > 999_999 {
        return Err(WireError::Field { field: 60, expected: "a batch of six digits" });
    }
    let field = dialect.f60(|part| match part {
        Holds::Type => code.to_owned(),
        Holds::Batch => format!("{:06}", key.batch),
        Holds::Management => management.to_owned(),
        Holds::ReadCapability => if entry == Entry::Contact { "5" } else { "6" }.to_owned(),
    });
    message.put(60, field);
    if !dialect.f60_has(Holds::Batch) {
        message.put(37, format!("{:06}{:06}", key.batch, key.trace));
    }
    if !dialect.f60_has(Holds::Management) && management != NO_MANAGEMENT {
        message.put(70, management);
    }
    Ok(())
}

/// The batch of a message, six digits.
pub(super) fn batch_of<'a>(message: &'a Message, dialect: &Dialect) -> Option<&'a str> {
    match dialect.f60_has(Holds::Batch) {
        true => dialect.f60_part(message.text(60)?, Holds::Batch),
        false => message.text(37)?.get(..6),
    }
}

/// The management code of a message, three digits; `000` where it has none.
pub(super) fn management_of<'a>(message: &'a Message, dialect: &Dialect) -> &'a str {
    let told = match dialect.f60_has(Holds::Management) {
        true => message.text(60).and_then(|field| dialect.f60_part(field, Holds::Management)),
        false => message.text(70),
    };
    told.unwrap_or(NO_MANAGEMENT)
}

/// The type code of a message, two digits; none where its dialect has no place for one.
pub(super) fn type_of<'a>(message: &'a Message, dialect: &Dialect) -> Option<&'a str> {
    let told = message.text(60).and_then(|field| dialect.f60_part(field, Holds::Type));
    dialect.f60_has(Holds::Type).then_some(told.unwrap_or_default())
}

/// The message type of a kind.
pub(super) fn mti_of(row: &KindRow, dialect: &Dialect) -> Mti {
    match row.kind {
        Kind::OfflineSale if !dialect.f60_has(Holds::Type) => Mti::FINANCIAL_ADVICE,
        _ => row.mti,
    }
}

/// Puts what tells a kind where there is no type code.
pub(super) fn put_kind(message: &mut Message, kind: Kind, pan: &str, dialect: &Dialect) {
    if kind == Kind::PendingLoad && !dialect.f60_has(Holds::Type) {
        message.put(102, pan);
    }
}

/// Whether a message is of a kind, as far as its type code tells, or what stands for it.
pub(super) fn is_type(row: &KindRow, message: &Message, dialect: &Dialect) -> bool {
    match (type_of(message, dialect), row.kind) {
        (Some(code), _) => code == row.code,
        (None, Kind::PendingLoad) => message.has(102),
        (None, Kind::LinkedLoad) => !message.has(102),
        (None, _) => true,
    }
}

/// Puts tag 9F15, where it is four digits, into F18; gives what is left for F55.
pub(super) fn put_merchant_type(message: &mut Message, chip: &TlvStore) -> TlvStore {
    let mut chip = chip.clone();
    let category = chip.array::<2>(tag::MERCHANT_CATEGORY_CODE).map(|category| Hex(&category).to_string());
    if let Some(digits) = category.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit())) {
        message.put(18, digits);
        chip.remove(tag::MERCHANT_CATEGORY_CODE);
    }
    chip
}

/// The chip's data with one of them under another tag, in its place.
pub(super) fn renamed(chip: TlvStore, from: Tag, to: Tag) -> TlvStore {
    let name = |tag: Tag| if tag == from { to } else { tag };
    if from == to { chip } else { chip.iter().map(|(tag, value)| (name(tag), value)).collect() }
}

/// Puts F18 among the chip's data, as tag 9F15.
pub(super) fn take_merchant_type(message: &Message, chip: &mut TlvStore) {
    let category = message.text(18).and_then(|digits| digits_to_bcd(digits, 2).ok());
    if let Some(category) = category {
        chip.put(tag::MERCHANT_CATEGORY_CODE, category);
    }
}

/// Puts the institution at this end of a line (F32, F33, the end of F90), and F7.
pub(super) fn put_institution(message: &mut Message, institution: &str, now: Timestamp) {
    message.put(32, institution);
    message.put(33, institution);
    let told = message.text(13).zip(message.text(12)).map(|(date, time)| format!("{date}{time}"));
    message.put(7, told.unwrap_or_else(|| month_to_second(now)));
    if let Some(original) = message.text(90).and_then(|field| field.get(..20)) {
        let width = INSTITUTION_DIGITS;
        message.put(90, format!("{original}{institution:0>width$}{institution:0>width$}"));
    }
}

/// MMDDhhmmss.
pub(super) fn month_to_second(at: Timestamp) -> String {
    let [_, month, day] = at.yymmdd();
    format!("{}{}", Hex(&[month, day]), Hex(&at.hhmmss()))
}

fn padded(value: &str, width: usize, field: u8) -> Result<String, WireError> {
    let plain = value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if value.len() > width || value.ends_with(' ') || !plain {
        let expected = "printable ASCII that fits and does not end with a space";
        return Err(WireError::Field { field, expected });
    }
    Ok(format!("{value:width$}"))
}
