//! Electronic cash, one currency or two: JR/T 0025.12, .13 and .15.

use super::debit;
use crate::air::link::Interface;
use crate::base::bytes::bcd_to_u64;
use crate::roles::card::behaviour::Application;
use crate::roles::card::decision;
use crate::roles::card::session::Path;
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::dictionary::tag;
use crate::words::tlv::{Tag, TlvStore};

/// Electronic cash beside the debit/credit path that loads it.
pub(super) struct Ecash;

/// What PUT DATA may write beyond a bank card's limits.
const WRITABLE: &[Tag] = &[
    tag::EC_RESET_THRESHOLD,
    tag::EC_BALANCE_LIMIT,
    tag::EC_SINGLE_TRANSACTION_LIMIT,
    tag::EC_BALANCE,
    tag::EXTENDED_APPLICATION_CAPABILITY,
    tag::SEGMENT_OFFSET_LIMIT,
    tag::SECOND_CVM_LIMIT,
    tag::SECOND_RESET_THRESHOLD,
    tag::SECOND_BALANCE_LIMIT,
    tag::SECOND_SINGLE_TRANSACTION_LIMIT,
    tag::SECOND_BALANCE,
];

impl Application for Ecash {
    fn kind(&self) -> &'static str {
        "ecash"
    }

    fn path(&self, work: &Work<'_>, data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        if work.session.interface == Interface::Contactless {
            let quick = debit::radio(data)?;
            if quick.0 == Path::Quick {
                return Ok(quick);
            }
        }
        Ok(match hindrance(work, data)? {
            None => (Path::Ecash, "terminal, currency, amount and card allow electronic cash"),
            Some(reason) => (Path::Full, reason),
        })
    }

    fn may_put(&self, tag: Tag) -> bool {
        WRITABLE.contains(&tag) || debit::Debit.may_put(tag)
    }
}

/// Why electronic cash cannot pay, so that the debit/credit path is taken.
fn hindrance(work: &Work<'_>, data: &TlvStore) -> Result<Option<&'static str>, Refusal> {
    let application = work.application()?;
    if data.value(tag::EC_TERMINAL_SUPPORT_INDICATOR) != Some(&[0x01]) {
        return Ok(Some("the terminal does not take electronic cash (9F7A)"));
    }
    let currency = data.value(tag::TRANSACTION_CURRENCY_CODE).unwrap_or_default();
    let Some(set) = application.set_of(currency) else {
        return Ok(Some("the currency (5F2A) is not one of the card's (9F51, DF71)"));
    };
    let Some(Ok(amount)) = data.value(tag::AMOUNT_AUTHORISED).map(bcd_to_u64) else {
        return Ok(Some("the amount (9F02) is no decimal number"));
    };
    let state = &application.state;
    Ok(if let Some(reason) = decision::short_of(application, set, amount) {
        Some(reason)
    } else if state.last_authentication_failed {
        Some("issuer authentication failed in the last online transaction")
    } else if state.last_script_failed {
        Some("an issuer script failed in the last online transaction")
    } else if state.pin_tries_left == 0 {
        Some("no PIN try is left")
    } else {
        None
    })
}
