//! The sums of a batch as a message, both ways. What other messages have in common is
//! `request_message.rs`'s; who compares the sums may not enter.

use super::place;
use super::request_message::{currency_of, key_of, text};
use super::{BatchStep, BatchSums, BatchTotals, Entry, MessageClass, WireError};
use crate::words::iso4217::Amount;
use crate::words::iso8583::{Dialect, Message, Mti};

/// F60.3 of the sums that are to be compared, and of those that end a batch.
const COMPARE_CODE: &str = "201";
const END_CODE: &str = "207";

/// The message of a batch's sums (0500, and 0320 at the end of the details), without
/// authentication code.
pub fn totals_to_message(totals: &BatchTotals, dialect: &Dialect) -> Result<Message, WireError> {
    let (mti, code) = match totals.step {
        BatchStep::Compare => (Mti::SETTLEMENT, COMPARE_CODE),
        BatchStep::End => (Mti::BATCH_UPLOAD, END_CODE),
    };
    let mut message = Message::new(mti);
    let sums = totals.sums;
    let fits = sums.debit_count.max(sums.credit_count) <= 999;
    if !fits || sums.debit_minor.max(sums.credit_minor) > Amount::MAX_MINOR {
        return Err(WireError::Field { field: 48, expected: "counts of three digits and sums of twelve" });
    }
    let sums = format!(
        "{:012}{:03}{:012}{:03}",
        sums.debit_minor, sums.debit_count, sums.credit_minor, sums.credit_count
    );
    // Then a flag for the answer, and the same of foreign cards, of which there are none.
    message.put(48, format!("{sums}0{:031}", 0));
    message.put(49, format!("{:03}", totals.currency.0));
    place::put_key(&mut message, &totals.key, ("00", code), Entry::Contact, dialect)?;
    Ok(message)
}

/// Whether a message holds the sums of a batch.
pub(super) fn is_totals(message: &Message, dialect: &Dialect) -> bool {
    step_of(message, dialect).is_some()
}

/// What the sums of a message are sent for. A settlement may go without its code.
fn step_of(message: &Message, dialect: &Dialect) -> Option<BatchStep> {
    let code = place::management_of(message, dialect);
    match message.mti {
        Mti::SETTLEMENT => Some(BatchStep::Compare),
        Mti::BATCH_UPLOAD if code == END_CODE => Some(BatchStep::End),
        _ => None,
    }
}

/// The sums of a batch.
pub fn totals_from_message(message: &Message, dialect: &Dialect) -> Result<BatchTotals, WireError> {
    let sums = text(message, 48, "sums")?;
    let part = |from: usize, to: usize| {
        let digits = sums.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let wrong = WireError::Field { field: 48, expected: "sums of twelve digits and counts of three" };
        digits.and_then(|digits| digits.parse::<u64>().ok()).ok_or(wrong)
    };
    Ok(BatchTotals {
        key: key_of(message, MessageClass::Batch, dialect)?,
        currency: currency_of(message)?,
        sums: BatchSums {
            debit_minor: part(0, 12)?,
            debit_count: part(12, 15)?,
            credit_minor: part(15, 27)?,
            credit_count: part(27, 30)?,
        },
        step: step_of(message, dialect).unwrap_or(BatchStep::Compare),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::request_message::tests::{any_request, through};
    use crate::air::host::{Answer, ResponseCode, answer_from_message, answer_to_message};
    use crate::words::iso8583::{DIALECTS, dialect};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_come_out_as_they_went_in(
            counts in (0..=999u64, 0..=999u64), ends: bool, sums in (0..=Amount::MAX_MINOR, 0..=Amount::MAX_MINOR),
            mut request in any_request(),
        ) {
            request.key.class = MessageClass::Batch;
            let totals = BatchTotals {
                key: request.key, currency: request.amount.currency,
                sums: BatchSums {
                    debit_count: counts.0, debit_minor: sums.0, credit_count: counts.1, credit_minor: sums.1,
                },
                step: if ends { BatchStep::End } else { BatchStep::Compare },
            };
            for row in DIALECTS {
                let dialect = dialect(row.name).unwrap();
                let message = through(&totals_to_message(&totals, dialect).unwrap(), dialect);
                prop_assert!(is_totals(&message, dialect));
                prop_assert_eq!(totals_from_message(&message, dialect), Ok(totals.clone()));
                let answer = answer_to_message(&Answer::new(ResponseCode::NOT_BALANCED, ""), &message, dialect);
                prop_assert_eq!(answer.text(48).map(|text| &text[30..31]), (!ends).then_some("2"));
                let mut approved =
                    answer_to_message(&Answer::new(ResponseCode::APPROVED, ""), &message, dialect);
                let code = |answer: &Message| answer_from_message(answer, &message).unwrap().code;
                prop_assert_eq!(code(&approved), ResponseCode::APPROVED);
                if !ends {
                    approved.put(48, answer.bytes(48).unwrap());
                    prop_assert_eq!(code(&approved), ResponseCode::NOT_BALANCED);
                }
                through(&answer, dialect);
            }
        }

        #[test]
        fn any_message_is_read_without_panic(
            mti in prop::sample::select(vec![0x0320u16, 0x0500]),
            fields in prop::collection::vec((2..128u8, prop::collection::vec(any::<u8>(), 0..60)), 0..20),
        ) {
            let mut message = Message::new(Mti(mti));
            for (field, value) in fields {
                message.put(field, value);
            }
            let _ = totals_from_message(&message, dialect("pos").unwrap());
        }
    }
}
