//! Where a token pays: its domain controls (EMV Payment Tokenisation Framework, token
//! domain restriction controls). Checked at every tap, before the number is swapped.

use crate::air::host::{Entry, Request};
use crate::base::bytes::bcd_to_u64;
use crate::words::dictionary::tag;
use serde::{Deserialize, Serialize};

/// The controls of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Whether it pays by radio alone.
    pub contactless_only: bool,
    /// Whether it pays from the device alone that it was made for.
    pub one_device: bool,
    /// The merchant categories (9F15) where it pays; all where there are none.
    #[serde(default)]
    pub merchant_categories: Vec<u16>,
    /// The countries (9F1A) where it pays; all where there are none.
    #[serde(default)]
    pub countries: Vec<u16>,
    /// The most that one payment may come to, minor units.
    #[serde(default)]
    pub amount_limit_minor: Option<u64>,
}

impl Default for Domain {
    /// Contactless, from its own device.
    fn default() -> Self {
        Self {
            contactless_only: true,
            one_device: true,
            merchant_categories: Vec::new(),
            countries: Vec::new(),
            amount_limit_minor: None,
        }
    }
}

impl Domain {
    /// Why a tap is outside. `device` is the mark that the token's card shows (9F63).
    pub(super) fn refuses(&self, request: &Request, device: &[u8]) -> Option<&'static str> {
        let number = |tag| request.chip.value(tag).and_then(|bytes| bcd_to_u64(bytes).ok());
        let within = |list: &[u16], tag| {
            list.is_empty()
                || number(tag).is_some_and(|found| list.iter().any(|one| u64::from(*one) == found))
        };
        if self.contactless_only && request.entry == Entry::Contact {
            return Some("wrong domain: the token pays contactless only");
        }
        if self.one_device && request.chip.value(tag::PRODUCT_IDENTIFICATION) != Some(device) {
            return Some("wrong device: 9F63 is not that of the token's device");
        }
        if !within(&self.merchant_categories, tag::MERCHANT_CATEGORY_CODE) {
            return Some("wrong domain: the token does not pay at this class of merchant (9F15)");
        }
        if !within(&self.countries, tag::TERMINAL_COUNTRY_CODE) {
            return Some("wrong domain: the token does not pay in this country (9F1A)");
        }
        if self.amount_limit_minor.is_some_and(|limit| request.amount.minor > limit) {
            return Some("wrong domain: the amount is above the token's limit");
        }
        None
    }
}
