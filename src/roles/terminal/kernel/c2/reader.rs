//! What kernel 2 is told (EMV Book C-2 Annex A), from the data objects of its combination
//! in the terminal file; what is not there has the Book's default. Nothing that a card says
//! may enter.

use crate::base::bytes::bcd_to_u64;
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::KernelConfiguration;
use crate::words::tlv::{Tag, TlvStore};

/// Kernel 2's own data. Amounts in minor units, times in units of 100 microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader {
    /// DF811B.
    pub(super) configuration: KernelConfiguration,
    /// Byte 2 of 9F33 above the CVM limit: DF8118.
    pub(super) cvm_required: u8,
    /// The same up to the limit: DF8119.
    pub(super) cvm_not_required: u8,
    /// Byte 3 of 9F33: DF811F.
    pub(super) security: u8,
    /// DF8123.
    pub(super) floor_limit_minor: u64,
    /// DF8124.
    pub(super) transaction_limit_minor: u64,
    /// DF8125.
    pub(super) on_device_limit_minor: u64,
    /// DF8126.
    pub(super) cvm_limit_minor: u64,
    /// DF811D.
    pub(super) torn_records: u8,
    /// DF811C.
    pub(super) torn_seconds: u16,
    /// DF8104 is there.
    pub(super) reads_balance_before: bool,
    /// DF8105 is there.
    pub(super) reads_balance_after: bool,
    pub(super) relay: RelayLimits,
}

/// What the time of an exchange against relaying is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RelayLimits {
    /// DF8132.
    pub(super) minimum_grace: u16,
    /// DF8133.
    pub(super) maximum_grace: u16,
    /// How long the command is in the air: DF8134.
    pub(super) command_transmission: u16,
    /// How long the answer is: DF8135.
    pub(super) answer_transmission: u16,
    /// DF8136.
    pub(super) accuracy: u16,
    /// Percent: DF8137.
    pub(super) mismatch_percent: u8,
}

impl Reader {
    /// What the combination says that was selected.
    pub(super) fn of(session: &Session) -> Self {
        let place = session.entry_point.selected();
        let combination = place.and_then(|place| session.terms.config.combinations.get(place));
        let data = combination.into_iter().flat_map(|of| &of.data);
        Self::from_data(&data.map(|(tag, value)| (*tag, value.0.as_slice())).collect())
    }

    fn from_data(data: &TlvStore) -> Self {
        let byte = |tag: Tag, otherwise: u8| data.array(tag).map_or(otherwise, |[byte]| byte);
        let word = |tag: Tag, otherwise: u16| data.array(tag).map_or(otherwise, u16::from_be_bytes);
        let amount = |tag: Tag| data.value(tag).and_then(|bytes| bcd_to_u64(bytes).ok()).unwrap_or(0);
        Self {
            configuration: KernelConfiguration([byte(tag::KERNEL_CONFIGURATION, 0)]),
            cvm_required: byte(tag::CVM_CAPABILITY_REQUIRED, 0),
            cvm_not_required: byte(tag::CVM_CAPABILITY_NOT_REQUIRED, 0),
            security: byte(tag::SECURITY_CAPABILITY, 0),
            floor_limit_minor: amount(tag::CONTACTLESS_FLOOR_LIMIT),
            transaction_limit_minor: amount(tag::CONTACTLESS_TRANSACTION_LIMIT),
            on_device_limit_minor: amount(tag::CONTACTLESS_ON_DEVICE_LIMIT),
            cvm_limit_minor: amount(tag::CONTACTLESS_CVM_LIMIT),
            torn_records: byte(tag::TORN_RECORDS, 0),
            torn_seconds: word(tag::TORN_LIFETIME, 300),
            reads_balance_before: data.has(tag::BALANCE_READ_BEFORE_GEN_AC),
            reads_balance_after: data.has(tag::BALANCE_READ_AFTER_GEN_AC),
            relay: RelayLimits {
                minimum_grace: word(tag::RELAY_MINIMUM_GRACE, 20),
                maximum_grace: word(tag::RELAY_MAXIMUM_GRACE, 50),
                command_transmission: word(tag::RELAY_COMMAND_TRANSMISSION, 18),
                answer_transmission: word(tag::RELAY_ANSWER_TRANSMISSION, 24),
                accuracy: word(tag::RELAY_ACCURACY, 300),
                mismatch_percent: byte(tag::RELAY_MISMATCH, 50),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_the_books_default() {
        let reader = Reader::from_data(&TlvStore::new());
        assert_eq!((reader.torn_records, reader.torn_seconds), (0, 300));
        assert_eq!((reader.relay.minimum_grace, reader.relay.mismatch_percent), (20, 50));
        assert!(!reader.reads_balance_before && reader.transaction_limit_minor == 0);
        let data = [(tag::CONTACTLESS_CVM_LIMIT, vec![0, 0, 0, 3, 0, 0]), (tag::TORN_RECORDS, vec![8])];
        let reader = Reader::from_data(&data.into_iter().collect());
        assert_eq!((reader.cvm_limit_minor, reader.torn_records), (30_000, 8));
    }
}
