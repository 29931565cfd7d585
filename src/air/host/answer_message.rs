//! Answers as messages (ISO 8583:1987), both ways.
//!
//! Where the standard leaves a choice, this is ours:
//! - F37 of an answer is batch and trace, six digits each.
//! - F44 of an answer is OPEN, LANDED or RETURNED: how the row stands that a script
//!   result or reversal speaks of.
//! - F63 of an answer is the reason, at most 512 bytes of UTF-8.

use super::place;
use super::{Answer, ResponseCode, Settlement, WireError};
use crate::words::emv::IssuerScript;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso8583::{Dialect, Message, Mti};
use crate::words::tlv::TlvStore;

const SETTLEMENTS: &[(Settlement, &str)] =
    &[(Settlement::Open, "OPEN"), (Settlement::Landed, "LANDED"), (Settlement::Returned, "RETURNED")];
/// The most bytes of a reason in F63.
const REASON_BYTES: usize = 512;
/// Fields that an answer repeats.
const ECHOED: &[u8] = &[3, 4, 7, 11, 12, 13, 25, 32, 33, 37, 41, 42, 49, 60, 70];
/// Account type 00, amount type 02 (available): how F54 of an answer begins.
const AVAILABLE: &str = "0002";

/// The message that answers `request`, without authentication code.
pub fn answer_to_message(answer: &Answer, request: &Message, dialect: &Dialect) -> Message {
    let mut message = answer_frame(request, answer.code, dialect);
    if let Some(code) = &answer.authorisation_code {
        message.put(38, code.as_bytes());
    }
    if let Some(settlement) = answer.settlement {
        message.put(44, SETTLEMENTS.iter().find(|row| row.0 == settlement).map_or("", |row| row.1));
    }
    if let Some(balance) = answer.balance {
        message.put(54, format!("{AVAILABLE}{:03}C{:012}", balance.currency.0, balance.minor));
    }
    if !answer.chip.is_empty() {
        message.put(55, answer.chip.to_bytes());
    }
    if !answer.reason.is_empty() {
        let end = answer.reason.floor_char_boundary(REASON_BYTES);
        message.put(63, &answer.reason.as_bytes()[..end]);
    }
    if request.mti == Mti::SETTLEMENT
        && let Some(totals) = request.text(48)
    {
        let flag = if answer.code.is_approved() { 1 } else { 2 };
        message.put(48, format!("{}{flag}{:031}", totals.get(..30).unwrap_or_default(), 0));
    }
    message
}

/// A bare answer: what an answer repeats, F37 and the code.
pub(super) fn answer_frame(request: &Message, code: ResponseCode, dialect: &Dialect) -> Message {
    let mut message = Message::new(request.mti.answer());
    for field in ECHOED {
        if let Some(value) = request.bytes(*field) {
            message.put(*field, value);
        }
    }
    if !message.has(37) {
        let batch = place::batch_of(request, dialect).unwrap_or("000000");
        message.put(37, format!("{batch}{}", request.text(11).unwrap_or("000000")));
    }
    message.put(39, code.0);
    message
}

/// The answer of a message; refuses one that answers another request.
pub fn answer_from_message(message: &Message, request: &Message) -> Result<Answer, WireError> {
    check_answers(message, request)?;
    let mut answer =
        Answer::new(code_of(message)?, String::from_utf8_lossy(message.bytes(63).unwrap_or_default()));
    // Some hosts approve the message and say in F48 alone that the sums differ.
    let told = message.text(48).and_then(|sums| sums.get(30..31));
    if request.mti == Mti::SETTLEMENT && answer.code.is_approved() && matches!(told, Some("2" | "3")) {
        answer.code = ResponseCode::NOT_BALANCED;
    }
    answer.authorisation_code = message.text(38).map(str::to_owned);
    if let Some(word) = message.text(44) {
        let settlement = SETTLEMENTS.iter().find(|row| row.1 == word).map(|row| row.0);
        let expected = "OPEN, LANDED or RETURNED";
        answer.settlement = Some(settlement.ok_or(WireError::Field { field: 44, expected })?);
    }
    if let Some(text) = message.text(54) {
        let wrong = WireError::Field { field: 54, expected: "0002, currency, C and twelve digits" };
        let parts = text.strip_prefix(AVAILABLE).filter(|rest| rest.len() == 16 && rest.is_ascii());
        let (currency, minor) = parts.and_then(|rest| rest.split_once('C')).ok_or(wrong.clone())?;
        let (Some(currency), Ok(minor)) = (Currency::parse(currency), minor.parse()) else {
            return Err(wrong);
        };
        answer.balance = Some(Amount::new(minor, currency));
    }
    if let Some(bytes) = message.bytes(55) {
        let expected = "BER-TLV data objects";
        answer.chip = TlvStore::parse_repeating(bytes, &IssuerScript::TEMPLATES)
            .map_err(|_| WireError::Field { field: 55, expected })?;
    }
    Ok(answer)
}

/// F39 of an answer.
pub(super) fn code_of(message: &Message) -> Result<ResponseCode, WireError> {
    let code =
        message.bytes(39).ok_or(WireError::Missing { field: 39, what: "response code", mti: message.mti })?;
    let wrong = WireError::Field { field: 39, expected: "two characters" };
    Ok(ResponseCode(code.try_into().map_err(|_| wrong)?))
}

/// Whether a message answers another one: type, trace, terminal, merchant, and
/// where it has them processing code and amount.
pub(super) fn check_answers(message: &Message, request: &Message) -> Result<(), WireError> {
    if message.mti != request.mti.answer() {
        return Err(WireError::NotItsAnswer { what: "message type" });
    }
    for (field, what) in [(11, "trace"), (41, "terminal"), (42, "merchant")] {
        if message.bytes(field) != request.bytes(field) {
            return Err(WireError::NotItsAnswer { what });
        }
    }
    for (field, what) in [(3, "processing code"), (4, "amount")] {
        if message.has(field) && message.bytes(field) != request.bytes(field) {
            return Err(WireError::NotItsAnswer { what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::request_message::tests::{any_request, chip, load, through};
    use crate::air::host::to_message;
    use crate::words::iso8583::{DIALECTS, dialect};
    use proptest::prelude::*;

    fn any_answer() -> impl Strategy<Value = Answer> {
        let settlement = [Settlement::Open, Settlement::Landed, Settlement::Returned];
        (
            any::<[u8; 2]>(),
            "\\PC{0,100}",
            prop::option::of("[0-9A-Z]{6}"),
            chip(),
            prop::option::of(prop::sample::select(settlement.to_vec())),
            prop::option::of((0..=Amount::MAX_MINOR, 1..1000u16)),
        )
            .prop_map(|(code, reason, authorisation_code, chip, settlement, balance)| Answer {
                authorisation_code,
                chip,
                settlement,
                balance: balance.map(|(minor, currency)| Amount::new(minor, Currency(currency))),
                ..Answer::new(ResponseCode(code), reason)
            })
    }

    proptest! {
        #[test]
        fn an_answer_comes_out_as_it_went_in(request in any_request(), answer in any_answer()) {
            for row in DIALECTS {
                let dialect = dialect(row.name).unwrap();
                let request = to_message(&request, dialect).unwrap();
                let message = through(&answer_to_message(&answer, &request, dialect), dialect);
                prop_assert_eq!(answer_from_message(&message, &request), Ok(answer.clone()), "{}", row.name);
            }
        }
    }

    #[test]
    fn an_answer_to_another_request_is_refused() {
        let pos = dialect("pos").unwrap();
        let request = to_message(&load(), pos).unwrap();
        let answer = answer_to_message(&Answer::new(ResponseCode::APPROVED, ""), &request, pos);
        assert!(answer_from_message(&answer, &request).is_ok());
        for (field, what) in [(11, "000124"), (41, "TERM0002"), (4, "000000005001"), (3, "000000")] {
            let other = answer.clone().with(field, what);
            assert!(
                matches!(answer_from_message(&other, &request), Err(WireError::NotItsAnswer { .. })),
                "{field}"
            );
        }
    }
}
