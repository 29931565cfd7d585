//! The terminal's own data elements at the beginning of a transaction: what it is, what
//! it wants, and a fresh unpredictable number. What the card says is not put here.

use super::config::TerminalConfig;
use crate::base::bytes::u64_to_bcd;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::Suite;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;

/// What a transaction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// The amount and its currency.
    pub amount: Amount,
    /// Tag 9F03, minor units of the same currency.
    pub other_minor: u64,
    /// Tag 9C.
    pub transaction_type: u8,
    /// Whether electronic cash will do (9F7A).
    pub takes_ecash: bool,
    /// Whether the card is read by contact.
    pub is_contact: bool,
    /// When, by the terminal's clock.
    pub at: Timestamp,
    /// The trace number (9F41).
    pub trace: u32,
}

/// The terminal's data elements by tag; its qualifiers (9F66) depend on how the card is read.
pub fn terminal_data(config: &TerminalConfig, purpose: &Purpose, context: &mut Context) -> TlvStore {
    let mut store = TlvStore::new();
    store.put(tag::AMOUNT_AUTHORISED, purpose.amount.to_bcd());
    let other = Amount::new(purpose.other_minor, purpose.amount.currency);
    store.put(tag::AMOUNT_OTHER, other.to_bcd());
    for (tag, amount) in [(tag::AMOUNT_AUTHORISED_BINARY, purpose.amount), (tag::AMOUNT_OTHER_BINARY, other)]
    {
        // Four bytes hold no more (EMV Book 3 A1); without a value a list gets zeros.
        u32::try_from(amount.minor).ok().map(|minor| store.put(tag, minor.to_be_bytes()));
    }
    store.put(tag::TERMINAL_COUNTRY_CODE, config.country.to_bcd());
    store.put(tag::TRANSACTION_CURRENCY_CODE, purpose.amount.currency.to_bcd());
    store.put(tag::TRANSACTION_CURRENCY_EXPONENT, [purpose.amount.currency.exponent()]);
    store.put(tag::TRANSACTION_DATE, purpose.at.yymmdd());
    store.put(tag::TRANSACTION_TIME, purpose.at.hhmmss());
    store.put(tag::TRANSACTION_TYPE, [purpose.transaction_type]);
    store.put(tag::UNPREDICTABLE_NUMBER, context.random::<4>());
    store.put(tag::TERMINAL_CAPABILITIES, config.capabilities.0);
    store.put(tag::ADDITIONAL_TERMINAL_CAPABILITIES, config.additional_capabilities.0);
    store.put(tag::TERMINAL_TYPE, config.terminal_type.0);
    store.put(tag::INTERFACE_DEVICE_SERIAL_NUMBER, config.serial.as_bytes());
    store.put(tag::TERMINAL_IDENTIFICATION, config.terminal.as_bytes());
    store.put(tag::MERCHANT_IDENTIFIER, config.merchant.as_bytes());
    store.put(tag::MERCHANT_CATEGORY_CODE, config.merchant_category.0);
    store.put(tag::MERCHANT_NAME_AND_LOCATION, config.merchant_name.as_bytes());
    store.put(tag::APPLICATION_VERSION_NUMBER_TERMINAL, config.application_version.0);
    store.put(tag::TRANSACTION_SEQUENCE_COUNTER, sequence_counter(purpose.trace));
    store.put(tag::EC_TERMINAL_SUPPORT_INDICATOR, [u8::from(purpose.takes_ecash)]);
    store.put(tag::CAPP_INDICATOR, [0]);
    store.put(tag::POS_ENTRY_MODE, [if purpose.is_contact { 0x05 } else { 0x07 }]);
    let knows_sm2 = config.trust.keys.iter().any(|key| key.key.suite() == Suite::Sm2);
    store.put(tag::SM_SUPPORT_INDICATOR, [u8::from(knows_sm2)]);
    store
}

fn sequence_counter(trace: u32) -> Vec<u8> {
    u64_to_bcd(u64::from(trace), 4).unwrap_or_else(|_| vec![0; 4])
}
