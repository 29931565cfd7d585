//! Data groupings: EMV Card Personalisation Specification 2.0, 2.1.2. An identifier
//! of two bytes, a length of one byte, or FF and two bytes, and the data.

use crate::base::bytes::{Cursor, Secret, Truncated};

/// One data grouping. Its data may be keys, so they are never printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dgi {
    /// The data grouping identifier. 0101 to 1EFF are records: short file identifier
    /// and record number.
    pub identifier: u16,
    /// The data, at most 65,535 bytes.
    pub data: Secret<Vec<u8>>,
}

/// Why bytes are no data groupings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DgiError {
    /// The bytes end within a grouping.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// A grouping whose data are longer than its length field can say.
    #[error("expected at most 65535 bytes in data grouping {identifier:04X}, found {found}")]
    TooLong {
        /// The grouping.
        identifier: u16,
        /// Its length.
        found: usize,
    },
}

impl Dgi {
    /// A grouping of these data.
    pub fn new(identifier: u16, data: impl Into<Vec<u8>>) -> Self {
        Self { identifier, data: Secret::new(data.into()) }
    }

    /// The grouping that is a record.
    pub fn record(sfi: u8, number: u8, data: impl Into<Vec<u8>>) -> Self {
        Self::new(u16::from_be_bytes([sfi, number]), data)
    }

    /// Short file identifier and record number, where the grouping is a record.
    pub fn as_record(&self) -> Option<(u8, u8)> {
        let [sfi, number] = self.identifier.to_be_bytes();
        ((1..=30).contains(&sfi) && number != 0).then_some((sfi, number))
    }

    /// Whether its data are keys or a PIN, which travel under the data encryption key
    /// besides the channel: the identifiers 8000 to 80FF.
    pub fn is_secret(&self) -> bool {
        self.identifier >> 8 == 0x80
    }

    /// Identifier, length and data.
    pub fn to_bytes(&self) -> Result<Secret<Vec<u8>>, DgiError> {
        let data = self.data.expose();
        let length = u16::try_from(data.len())
            .map_err(|_| DgiError::TooLong { identifier: self.identifier, found: data.len() })?;
        let mut out = Vec::with_capacity(data.len() + 5);
        out.extend(self.identifier.to_be_bytes());
        match length {
            0..=0xFE => out.push(length as u8),
            _ => {
                out.push(0xFF);
                out.extend(length.to_be_bytes());
            }
        }
        out.extend_from_slice(data);
        Ok(Secret::new(out))
    }

    /// Reads groupings that stand side by side.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, DgiError> {
        let mut cursor = Cursor::new(bytes);
        let mut out = Vec::new();
        while !cursor.is_empty() {
            let identifier = u16::from_be_bytes(cursor.array("a grouping's identifier")?);
            let length = match cursor.byte("a grouping's length")? {
                0xFF => usize::from(u16::from_be_bytes(cursor.array("a grouping's length")?)),
                short => usize::from(short),
            };
            out.push(Self::new(identifier, cursor.take(length, "a grouping's data")?));
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_have_one_or_three_bytes() {
        assert_eq!(Dgi::new(0x8000, [1, 2]).to_bytes().unwrap().expose(), &[0x80, 0, 2, 1, 2]);
        let long = Dgi::record(2, 1, vec![7; 255]).to_bytes().unwrap();
        assert_eq!(long.expose()[..5], [2, 1, 0xFF, 0, 255]);
        assert!(matches!(Dgi::new(1, vec![0; 65_536]).to_bytes(), Err(DgiError::TooLong { .. })));
        let cut = Dgi::parse_all(&[1, 1, 3, 9]).unwrap_err();
        assert_eq!(cut.to_string(), "expected 3 bytes of a grouping's data at offset 3, found 1");
    }

    #[test]
    fn records_and_secrets_are_known_by_their_identifier() {
        assert_eq!(Dgi::record(2, 1, []).as_record(), Some((2, 1)));
        assert_eq!(Dgi::new(0x9207, []).as_record(), None);
        assert!(Dgi::new(0x8000, []).is_secret() && !Dgi::new(0x9000, []).is_secret());
    }

    proptest! {
        #[test]
        fn groupings_come_back(parts in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..400)), 0..5)) {
            let all: Vec<Dgi> = parts.into_iter().map(|(id, data)| Dgi::new(id, data)).collect();
            let bytes: Vec<u8> = all.iter().flat_map(|dgi| dgi.to_bytes().unwrap().expose().clone()).collect();
            prop_assert_eq!(Dgi::parse_all(&bytes).unwrap(), all);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Dgi::parse_all(&bytes);
        }
    }
}
