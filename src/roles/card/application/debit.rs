//! A bank card's application without electronic cash: JR/T 0025.5; EMV Book 3.

use crate::air::link::Interface;
use crate::roles::card::behaviour::Application;
use crate::roles::card::session::Path;
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::dictionary::tag;
use crate::words::emv::Ttq;
use crate::words::tlv::{Tag, TlvStore};

/// Debit or credit.
pub(super) struct Debit;

/// What PUT DATA may write: limits of card risk management.
const WRITABLE: &[Tag] = &[
    tag::CONSECUTIVE_LIMIT_INTERNATIONAL,
    tag::CUMULATIVE_LIMIT,
    tag::LOWER_CONSECUTIVE_LIMIT,
    tag::UPPER_CONSECUTIVE_LIMIT,
    tag::CUMULATIVE_UPPER_LIMIT,
    tag::CARD_CVM_LIMIT,
    tag::CONSECUTIVE_LIMIT_COUNTRY,
    tag::CURRENCY_CONVERSION_FACTOR,
    tag::CUMULATIVE_LIMIT_DUAL_CURRENCY,
];

impl Application for Debit {
    fn kind(&self) -> &'static str {
        "debit"
    }

    fn path(&self, work: &Work<'_>, data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        if work.session.interface == Interface::Contact {
            return Ok((Path::Full, "contacts lead to the debit/credit path"));
        }
        radio(data)
    }

    fn may_put(&self, tag: Tag) -> bool {
        WRITABLE.contains(&tag)
    }
}

/// The path by the terminal transaction qualifiers: JR/T 0025.12.
pub(super) fn radio(data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
    let ttq = data.array(tag::TTQ).map(Ttq).unwrap_or_default();
    if ttq.has(Ttq::FULL_PATH) {
        Ok((Path::Full, "the reader supports the full path by radio (9F66 bit 1.7)"))
    } else if ttq.has(Ttq::QUICK_PATH) {
        Ok((Path::Quick, "the reader supports the quick path (9F66 bit 1.6)"))
    } else {
        Err(Refusal::state("the reader supports neither the full nor the quick path (9F66)"))
    }
}
