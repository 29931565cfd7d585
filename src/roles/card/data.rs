//! GET DATA on the card: which data objects it gives, and how the second currency
//! shows itself under the first one's tags (EMV Book 3 6.5.7; JR/T 0025.5, .15).

use super::memory::ApplicationMemory;
use super::quick_decision::available_minor;
use super::simulator::{Answer, Refusal, Work};
use crate::base::bytes::u64_to_bcd;
use crate::words::dictionary::tag;
use crate::words::emv::command::GetData;
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::EcashSet;
use crate::words::tlv::Tag;

/// What GET DATA gives, where the card has it.
const READABLE: &[Tag] = &[
    tag::LAST_ONLINE_ATC_REGISTER,
    tag::PIN_TRY_COUNTER,
    tag::ATC,
    tag::LOG_FORMAT,
    tag::APPLICATION_CURRENCY_CODE_EC,
    tag::APPLICATION_DEFAULT_ACTION,
    tag::CONSECUTIVE_LIMIT_INTERNATIONAL,
    tag::CUMULATIVE_LIMIT,
    tag::ISSUER_AUTHENTICATION_INDICATOR,
    tag::ISSUER_COUNTRY_CODE_EC,
    tag::LOWER_CONSECUTIVE_LIMIT,
    tag::UPPER_CONSECUTIVE_LIMIT,
    tag::CUMULATIVE_UPPER_LIMIT,
    tag::AVAILABLE_OFFLINE_SPENDING_AMOUNT,
    tag::CARD_ADDITIONAL_PROCESSING,
    tag::CARD_CVM_LIMIT,
    tag::EC_RESET_THRESHOLD,
    tag::CONSECUTIVE_LIMIT_COUNTRY,
    tag::CURRENCY_CONVERSION_FACTOR,
    tag::CUMULATIVE_LIMIT_DUAL_CURRENCY,
    tag::SECONDARY_APPLICATION_CURRENCY,
    tag::EC_BALANCE_LIMIT,
    tag::EC_SINGLE_TRANSACTION_LIMIT,
    tag::EC_BALANCE,
    tag::LOAD_LOG_FORMAT,
    tag::EXTENDED_APPLICATION_CAPABILITY,
    tag::SEGMENT_OFFSET_LIMIT,
    tag::SEGMENT_OFFSET_USED,
    tag::SECOND_CURRENCY_CODE,
    tag::SECOND_CVM_LIMIT,
    tag::SECOND_RESET_THRESHOLD,
    tag::SECOND_BALANCE_LIMIT,
    tag::SECOND_SINGLE_TRANSACTION_LIMIT,
    tag::SECOND_BALANCE,
];

/// Answers GET DATA.
pub(super) fn get_data(work: &mut Work<'_>, command: GetData) -> Answer {
    let value = work.behaviour()?.value(work, command.tag)?;
    let reason = "GET DATA does not give this data object, or the card does not have it";
    let value = value.ok_or_else(|| Refusal::because(StatusWord::DATA_NOT_FOUND, reason))?;
    Ok(ResponseApdu::ok(GetData::encode_response(&(command.tag, value))))
}

/// What a PBOC application gives for a tag.
pub(super) fn value(work: &Work<'_>, tag: Tag) -> Result<Option<Vec<u8>>, Refusal> {
    let application = work.application()?;
    if !READABLE.contains(&tag) {
        return Ok(None);
    }
    let set = work.session.transaction().and_then(|transaction| transaction.set);
    Ok(counter(application, tag).or_else(|| match tag {
        tag::AVAILABLE_OFFLINE_SPENDING_AMOUNT => u64_to_bcd(available_minor(application, set), 6).ok(),
        tag => application.data.value(aliased(tag, set)).map(<[u8]>::to_vec),
    }))
}

/// The counters that every application gives.
pub(super) fn counter(application: &ApplicationMemory, tag: Tag) -> Option<Vec<u8>> {
    let state = &application.state;
    match tag {
        tag::ATC => Some(state.atc.to_be_bytes().to_vec()),
        tag::LAST_ONLINE_ATC_REGISTER => Some(state.last_online_atc.to_be_bytes().to_vec()),
        tag::PIN_TRY_COUNTER => Some(vec![state.pin_tries_left]),
        _ => None,
    }
}

/// Within a transaction in the second currency the first one's tags mean the second.
fn aliased(tag: Tag, set: Option<EcashSet>) -> Tag {
    let Some(second) = set.filter(|set| *set == EcashSet::SECOND) else { return tag };
    let first = EcashSet::FIRST;
    [
        (first.balance, second.balance),
        (first.balance_limit, second.balance_limit),
        (first.single_limit, second.single_limit),
        (first.reset_threshold, second.reset_threshold),
        (first.cvm_limit, second.cvm_limit),
    ]
    .into_iter()
    .find_map(|(from, to)| (from == tag).then_some(to))
    .unwrap_or(tag)
}
