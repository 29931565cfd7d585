//! What a line is worked out with: what the case knows, and the clock and randomness of the
//! moment.

use super::evaluate::Trouble;
pub(super) use super::knowledge::{Answer, Knowledge};
use crate::base::bytes::bcd_to_u64;
use crate::base::context::Context;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::source::Span;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;
use crate::words::iso4217::Currency;
use crate::words::tlv::Tag;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the case knows, at a moment.
pub(super) struct Scope<'a> {
    pub known: Knowledge,
    pub context: &'a mut Context,
}

impl Scope<'_> {
    /// Gives a data element of the terminal a value.
    pub(super) fn set(&mut self, tag: Tag, value: &Value, span: Span) -> Result<(), Trouble> {
        let bytes = value.element(tag, self.currency()).map_err(|cause| Trouble::new(span, cause))?;
        self.chose_number |= tag == tag::UNPREDICTABLE_NUMBER;
        // An amount stands twice among the data: its digits, and four bytes.
        let binary = match tag {
            tag::AMOUNT_AUTHORISED => Some(tag::AMOUNT_AUTHORISED_BINARY),
            tag::AMOUNT_OTHER => Some(tag::AMOUNT_OTHER_BINARY),
            _ => None,
        };
        let minor = bcd_to_u64(&bytes).ok().and_then(|minor| u32::try_from(minor).ok());
        if let Some((binary, minor)) = binary.zip(minor) {
            self.data.put(binary, minor.to_be_bytes());
        }
        self.data.put(tag, bytes);
        Ok(())
    }
}

impl Deref for Scope<'_> {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        &self.known
    }
}

impl DerefMut for Scope<'_> {
    fn deref_mut(&mut self) -> &mut Knowledge {
        &mut self.known
    }
}

impl Surroundings for Scope<'_> {
    fn element(&self, tag: Tag) -> Option<Vec<u8>> {
        self.data.value(tag).or_else(|| self.card.value(tag)).map(<[u8]>::to_vec)
    }

    fn first_cryptogram(&self) -> Option<[u8; 8]> {
        self.known.first_cryptogram
    }

    fn currency(&self) -> Currency {
        let currency = self.data.value(tag::TRANSACTION_CURRENCY_CODE);
        currency.and_then(Currency::from_bcd).unwrap_or(Currency::CNY)
    }

    fn date(&self, days: u32) -> [u8; 3] {
        self.context.now().plus(DAY * days).yymmdd()
    }

    fn random(&mut self, length: usize) -> Vec<u8> {
        (0..length).flat_map(|_| self.context.random::<1>()).collect()
    }
}
