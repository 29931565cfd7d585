//! The input of an application cryptogram (EMV Book 2 clause 8.1.1): which
//! elements, in which order.

use super::{CryptogramError, CryptogramVersion};
use crate::words::tlv::Tag;

const ISSUER_APPLICATION_DATA: Tag = Tag(0x9F10);
const UNPREDICTABLE_NUMBER: Tag = Tag(0x9F37);

/// One part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputPart {
    /// The value of a data element.
    Element {
        /// Its tag.
        tag: Tag,
        /// Its length in bytes.
        length_bytes: usize,
    },
    /// The card verification results: bytes 4 to 7 of issuer application data.
    Cvr,
    /// The first byte of the CVR after its length: byte 5 of issuer application data.
    CvrFirstByte,
    /// The six bytes of an M/Chip card's CVR: bytes 3 to 8 of issuer application data.
    MchipCvr,
    /// Its counters: bytes 11 to 18.
    MchipCounters,
    /// All of issuer application data.
    WholeIad,
}

impl std::fmt::Display for InputPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Element { tag, .. } => write!(f, "{tag}"),
            Self::Cvr => f.write_str("CVR"),
            Self::CvrFirstByte => f.write_str("CVR(1)"),
            Self::MchipCvr => f.write_str("bytes 3 to 8 of 9F10"),
            Self::MchipCounters => f.write_str("bytes 11 to 18 of 9F10"),
            Self::WholeIad => f.write_str("9F10"),
        }
    }
}

impl CryptogramVersion {
    /// Builds the input of this version's cryptogram from values by tag; 9F36,
    /// 82 and 9F10 are asked for like the terminal's own. `lookup` returns the
    /// value without tag and length. Contactless PBOC has no TVR: give zeros.
    pub fn assemble(&self, lookup: &dyn Fn(Tag) -> Option<Vec<u8>>) -> Result<Vec<u8>, CryptogramError> {
        let find = |tag| lookup(tag).ok_or(CryptogramError::MissingElement { version: self.name, tag });
        let mut out = Vec::with_capacity(64);
        for part in self.input {
            match *part {
                InputPart::Element { tag, length_bytes } => {
                    let value = find(tag)?;
                    if value.len() != length_bytes {
                        return Err(CryptogramError::ElementLength {
                            version: self.name,
                            tag,
                            expected_bytes: length_bytes,
                            found_bytes: value.len(),
                        });
                    }
                    out.extend(value);
                }
                InputPart::Cvr => {
                    let iad = find(ISSUER_APPLICATION_DATA)?;
                    out.extend(iad.get(3..7).ok_or_else(|| self.no_cvr(&iad))?);
                }
                InputPart::CvrFirstByte => {
                    let iad = find(ISSUER_APPLICATION_DATA)?;
                    out.push(*iad.get(4).ok_or_else(|| self.no_cvr(&iad))?);
                }
                InputPart::MchipCvr => {
                    let iad = find(ISSUER_APPLICATION_DATA)?;
                    out.extend(iad.get(2..8).ok_or_else(|| self.no_cvr(&iad))?);
                }
                InputPart::MchipCounters => {
                    let iad = find(ISSUER_APPLICATION_DATA)?;
                    out.extend(iad.get(10..18).ok_or_else(|| self.no_cvr(&iad))?);
                }
                InputPart::WholeIad => out.extend(find(ISSUER_APPLICATION_DATA)?),
            }
        }
        Ok(out)
    }

    /// The tags [`Self::assemble`] asks for, in the order of the input.
    pub fn input_tags(&self) -> impl Iterator<Item = Tag> + use<> {
        self.input.iter().map(|part| match part {
            InputPart::Element { tag, .. } => *tag,
            _ => ISSUER_APPLICATION_DATA,
        })
    }

    /// The unpredictable number in an input that [`Self::assemble`] made, of a version
    /// whose session key needs it.
    pub fn unpredictable_number_in(&self, data: &[u8]) -> Option<[u8; 4]> {
        let mut at = 0;
        for part in self.input {
            match *part {
                InputPart::Element { tag: UNPREDICTABLE_NUMBER, .. } => {
                    return data.get(at..)?.first_chunk().copied();
                }
                InputPart::Element { length_bytes, .. } => at += length_bytes,
                _ => return None,
            }
        }
        None
    }

    fn no_cvr(&self, iad: &[u8]) -> CryptogramError {
        CryptogramError::NoCvr { version: self.name, found_bytes: iad.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> &'static CryptogramVersion {
        CryptogramVersion::by_name(name).unwrap()
    }

    fn lookup(tag: Tag) -> Option<Vec<u8>> {
        let length = match tag.0 {
            0x9F02 | 0x9F03 => 6,
            0x95 => 5,
            0x9F37 => 4,
            0x9A => 3,
            0x9C => 1,
            0x9F10 => return Some(vec![7, 1, 1, 3, 0xA0, 0, 0, 1]),
            _ => 2,
        };
        Some(vec![tag.0 as u8; length])
    }

    #[test]
    fn lists_have_their_lengths() {
        assert_eq!(version("PBOC CVN 01").assemble(&lookup).unwrap().len(), 37);
        assert_eq!(version("PBOC CVN 17").assemble(&lookup).unwrap().len(), 13);
        assert_eq!(version("VIS CVN 18").assemble(&lookup).unwrap().len(), 41);
        assert_eq!(version("PBOC CVN 17").assemble(&lookup).unwrap()[12], 0xA0);
    }

    #[test]
    fn names_the_element_that_is_wrong() {
        let absent =
            version("PBOC CVN 01").assemble(&|tag| lookup(tag).filter(|_| tag != Tag(0x95))).unwrap_err();
        assert!(absent.to_string().contains("element 95"), "{absent}");
        let short = |tag: Tag| if tag.0 == 0x9F10 { Some(vec![7, 1, 1]) } else { lookup(tag) };
        assert_eq!(
            version("PBOC CVN 17").assemble(&short),
            Err(CryptogramError::NoCvr { version: "PBOC CVN 17", found_bytes: 3 })
        );
        let long = |tag: Tag| if tag.0 == 0x82 { Some(vec![0; 3]) } else { lookup(tag) };
        assert!(matches!(
            version("VIS CVN 10").assemble(&long),
            Err(CryptogramError::ElementLength { tag: Tag(0x82), expected_bytes: 2, found_bytes: 3, .. })
        ));
    }
}
