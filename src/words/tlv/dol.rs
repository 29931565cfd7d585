//! Data object lists: tags and lengths without values, EMV Book 3 5.4.

use super::{Tag, TlvError};

/// One entry of a data object list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DolEntry {
    /// The element asked for.
    pub tag: Tag,
    /// How many bytes of it.
    pub length: u8,
}

/// A data object list: PDOL, CDOL1, CDOL2, DDOL, a log format.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dol(pub Vec<DolEntry>);

impl Dol {
    /// Reads tags and one-byte lengths to the end of `input`.
    pub fn parse(input: &[u8]) -> Result<Self, TlvError> {
        let mut entries = Vec::new();
        let mut rest = input;
        while !rest.is_empty() {
            let offset = input.len() - rest.len();
            let (tail, tag) = super::element::tag(rest).map_err(|_| TlvError::Tag { offset })?;
            let [length, tail @ ..] = tail else {
                return Err(TlvError::Length { tag, offset: input.len() });
            };
            entries.push(DolEntry { tag, length: *length });
            rest = tail;
        }
        Ok(Self(entries))
    }

    /// The list's own bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| [entry.tag.to_bytes(), vec![entry.length]].concat()).collect()
    }

    /// How many bytes of data the list asks for.
    pub fn data_length(&self) -> usize {
        self.0.iter().map(|entry| usize::from(entry.length)).sum()
    }

    /// Splits `data` as the list says; `None` when the lengths do not add up.
    pub fn split<'a>(&self, data: &'a [u8]) -> Option<Vec<(Tag, &'a [u8])>> {
        if data.len() != self.data_length() {
            return None;
        }
        let mut rest = data;
        let mut out = Vec::with_capacity(self.0.len());
        for entry in &self.0 {
            let (value, tail) = rest.split_at(usize::from(entry.length));
            out.push((entry.tag, value));
            rest = tail;
        }
        Some(out)
    }

    /// Whether the list asks for this element.
    pub fn asks_for(&self, tag: Tag) -> bool {
        self.0.iter().any(|entry| entry.tag == tag)
    }
}

/// Reads tags that stand side by side, as the static data authentication tag list has them.
pub fn parse_tag_list(input: &[u8]) -> Result<Vec<Tag>, TlvError> {
    let mut tags = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let offset = input.len() - rest.len();
        let (tail, tag) = super::element::tag(rest).map_err(|_| TlvError::Tag { offset })?;
        tags.push(tag);
        rest = tail;
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_data_as_asked() {
        let dol = Dol::parse(&[0x9F, 0x02, 0x06, 0x9C, 0x01]).unwrap();
        assert_eq!(dol.data_length(), 7);
        let parts = dol.split(&[0, 0, 0, 0, 0x12, 0x50, 0x60]).unwrap();
        assert_eq!(parts[1], (Tag(0x9C), [0x60].as_slice()));
        assert_eq!(dol.split(&[0; 6]), None);
        assert_eq!(Dol::parse(&[0x9F, 0x02]), Err(TlvError::Length { tag: Tag(0x9F02), offset: 2 }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(dol) = Dol::parse(&bytes) {
                prop_assert_eq!(dol.to_bytes(), bytes);
            }
        }
    }
}
