//! The extended application of electronic cash (JR/T 0025.14): segment billing and offline
//! pre-authorisation, with records of the industries that use them. What a fare is, is
//! theirs.

use crate::base::crypto::{self, Padding};

/// What a terminal wants of the extended application, tag DF60. Values above 3 want nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CappTransaction {
    /// A leg is paid, and what the balance lacks may be offset (DF62, DF63).
    SegmentBilling,
    /// An amount is held.
    PreAuthorisation,
    /// What was held is settled.
    Completion,
}

impl CappTransaction {
    /// The transaction that a value of DF60 asks for; `None` for an ordinary one.
    pub fn from_indicator(value: &[u8]) -> Option<Self> {
        match value {
            [1] => Some(Self::SegmentBilling),
            [2] => Some(Self::PreAuthorisation),
            [3] => Some(Self::Completion),
            _ => None,
        }
    }
}

/// SFIs of the files that industries have, 21 to 30.
pub const CAPP_FILES: std::ops::RangeInclusive<u8> = 21..=30;

/// The identifier of a record: its first two bytes.
pub fn record_id(record: &[u8]) -> Option<[u8; 2]> {
    record.first_chunk().copied()
}

/// The MAC of the extended application: ISO/IEC 9797-1 algorithm 3, padding method 2, with an
/// initial vector; leftmost 4 bytes. The key is a record's own, or the one that opens a file.
pub fn capp_mac(key: &[u8; 16], initial_vector: [u8; 8], data: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = crypto::mac_algorithm_3_from(key, initial_vector, data, Padding::Method2);
    [a, b, c, d]
}

/// The initial vector of a command's MAC: the transaction counter behind six zeros.
pub fn counter_vector([high, low]: [u8; 2]) -> [u8; 8] {
    [0, 0, 0, 0, 0, 0, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_vector_it_is_the_retail_mac() {
        let (key, data) = ([7; 16], b"a record");
        let plain = crypto::mac_algorithm_3(&key, data, Padding::Method2);
        assert_eq!(capp_mac(&key, [0; 8], data), plain[..4]);
        assert_ne!(capp_mac(&key, counter_vector([0, 1]), data), plain[..4]);
    }

    #[test]
    fn values_of_no_meaning_ask_for_nothing() {
        assert_eq!(CappTransaction::from_indicator(&[1]), Some(CappTransaction::SegmentBilling));
        for value in [&[0][..], &[4], &[0xFF], &[], &[1, 0]] {
            assert_eq!(CappTransaction::from_indicator(value), None);
        }
    }
}
