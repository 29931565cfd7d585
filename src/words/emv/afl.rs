//! Application File Locator, tag 94: EMV Book 3 10.2.

/// One entry: records of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AflEntry {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// First record.
    pub first: u8,
    /// Last record.
    pub last: u8,
    /// How many of them, from the first, take part in offline data authentication.
    pub signed: u8,
}

/// The records that a transaction reads, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Afl(pub Vec<AflEntry>);

/// Why bytes are no AFL: the terminal ends the transaction (EMV Book 3 10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AflError {
    /// Not a multiple of four, or empty.
    #[error("expected the AFL (94) to be a multiple of 4 bytes and not empty, found {found} bytes")]
    Length {
        /// The length.
        found: usize,
    },
    /// An entry out of range.
    #[error(
        "expected SFI 1-30, record 1 <= first <= last, and at most last-first+1 signed records in AFL entry {entry}, found {}",
        crate::base::bytes::Hex(found)
    )]
    Entry {
        /// Entry, from 0.
        entry: usize,
        /// Its four bytes.
        found: [u8; 4],
    },
}

impl Afl {
    /// Reads an AFL and checks every entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, AflError> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(4) {
            return Err(AflError::Length { found: bytes.len() });
        }
        let entries = bytes.as_chunks::<4>().0.iter().enumerate().map(|(entry, found)| {
            let [file, first, last, signed] = *found;
            let sfi = file >> 3;
            let sound = file & 0x07 == 0
                && (1..=30).contains(&sfi)
                && first >= 1
                && first <= last
                && signed <= last - first + 1;
            if sound {
                Ok(AflEntry { sfi, first, last, signed })
            } else {
                Err(AflError::Entry { entry, found: *found })
            }
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|e| [e.sfi << 3, e.first, e.last, e.signed]).collect()
    }

    /// Every record: file, number, and whether it is signed.
    pub fn records(&self) -> impl Iterator<Item = (u8, u8, bool)> + '_ {
        self.0.iter().flat_map(|e| (e.first..=e.last).map(|r| (e.sfi, r, r - e.first < e.signed)))
    }

    /// The last record of the last entry.
    pub fn last_record(&self) -> Option<(u8, u8)> {
        self.0.last().map(|e| (e.sfi, e.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_the_records_in_order() {
        let afl = Afl::parse(&[0x08, 1, 2, 1, 0x10, 1, 1, 0]).unwrap();
        let records: Vec<_> = afl.records().collect();
        assert_eq!(records, [(1, 1, true), (1, 2, false), (2, 1, false)]);
        assert_eq!(afl.last_record(), Some((2, 1)));
        assert_eq!(afl.to_bytes(), [0x08, 1, 2, 1, 0x10, 1, 1, 0]);
    }

    #[test]
    fn refuses_what_the_books_refuse() {
        assert_eq!(Afl::parse(&[]), Err(AflError::Length { found: 0 }));
        assert_eq!(Afl::parse(&[0x08, 1, 1]), Err(AflError::Length { found: 3 }));
        for found in
            [[0x00, 1, 1, 0], [0xF8, 1, 1, 0], [0x09, 1, 1, 0], [8, 0, 1, 0], [8, 2, 1, 0], [8, 1, 1, 2]]
        {
            assert_eq!(Afl::parse(&found), Err(AflError::Entry { entry: 0, found }));
        }
        assert!(Afl::parse(&[0x08, 1, 255, 255]).is_ok_and(|afl| afl.records().count() == 255));
    }
}
