//! Data objects: ISO/IEC 8825-1 8.1, EMV Book 3 Annex B. Bytes 00 and FF
//! between data objects are passed over (EMV Book 3 B1; ISO/IEC 7816-4 5.2.2).

use super::Tag;
use nom::bytes::complete::take;
use nom::number::complete::u8 as byte;
use nom::{IResult, Parser};

/// Deepest nesting that is read; EMV nests to four.
const DEPTH_LIMIT: usize = 16;

/// One data object within the bytes that were parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag.
    pub tag: Tag,
    /// The value field.
    pub value: &'a [u8],
    /// Offset of the tag from the start of the outermost input.
    pub offset: usize,
    /// Offset of the value from the start of the outermost input.
    pub value_offset: usize,
}

/// Why bytes are not BER-TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The input ended within a tag, or the tag is over three bytes.
    #[error("expected a tag of one to three bytes at offset {offset}")]
    Tag {
        /// Where the tag begins.
        offset: usize,
    },
    /// The length is cut, indefinite (80), or over three bytes.
    #[error("expected a length (00-7F, 81 xx, 82 xxxx, 83 xxxxxx) after tag {tag} at offset {offset}")]
    Length {
        /// The tag before it.
        tag: Tag,
        /// Where the length begins.
        offset: usize,
    },
    /// Fewer value bytes are there than the length says.
    #[error("expected {expected} bytes of value for tag {tag} at offset {offset}, found {found}")]
    Value {
        /// The tag.
        tag: Tag,
        /// What the length says.
        expected: usize,
        /// What is there.
        found: usize,
        /// Where the value begins.
        offset: usize,
    },
    /// Bytes after the one data object that was asked for.
    #[error("expected the end after one data object, found more at offset {offset}")]
    Trailing {
        /// Where they begin.
        offset: usize,
    },
    /// Nested deeper than is read.
    #[error("expected at most {DEPTH_LIMIT} levels of nesting, found more at offset {offset}")]
    Depth {
        /// Where the level too many begins.
        offset: usize,
    },
}

impl<'a> Tlv<'a> {
    /// The data objects inside a constructed one, offsets counted from the
    /// outermost input.
    pub fn children(&self) -> Result<Vec<Tlv<'a>>, TlvError> {
        list(self.value, self.value_offset)
    }
}

/// Reads the data objects that stand side by side in `input`; their insides are
/// read by [`Tlv::children`].
pub fn parse(input: &[u8]) -> Result<Vec<Tlv<'_>>, TlvError> {
    list(input, 0)
}

/// Reads exactly one data object.
pub fn parse_one(input: &[u8]) -> Result<Tlv<'_>, TlvError> {
    let all = parse(input)?;
    match all.as_slice() {
        [] => Err(TlvError::Tag { offset: 0 }),
        [one] => Ok(*one),
        [_, second, ..] => Err(TlvError::Trailing { offset: second.offset }),
    }
}

/// The first data object with this tag, depth first.
pub fn find(input: &[u8], wanted: Tag) -> Result<Option<Tlv<'_>>, TlvError> {
    fn walk<'a>(list: &[Tlv<'a>], wanted: Tag, depth: usize) -> Result<Option<Tlv<'a>>, TlvError> {
        for element in list {
            if depth > DEPTH_LIMIT {
                return Err(TlvError::Depth { offset: element.offset });
            }
            if element.tag == wanted {
                return Ok(Some(*element));
            }
            if element.tag.is_constructed()
                && let Some(found) = walk(&element.children()?, wanted, depth + 1)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
    walk(&parse(input)?, wanted, 1)
}

/// Encodes one data object.
pub fn encode(tag: Tag, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 6);
    encode_into(&mut out, tag, value);
    out
}

/// Encodes one data object at the end of `out`, with the shortest length.
pub fn encode_into(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    out.extend(tag.to_bytes());
    let length = value.len().to_be_bytes();
    match value.len() {
        0..=0x7F => out.push(value.len() as u8),
        0x80..=0xFF => out.extend([0x81, value.len() as u8]),
        0x100..=0xFFFF => out.extend([0x82, length[6], length[7]]),
        _ => out.extend([0x83, length[5], length[6], length[7]]),
    }
    out.extend_from_slice(value);
}

fn list(input: &[u8], base: usize) -> Result<Vec<Tlv<'_>>, TlvError> {
    let mut out = Vec::new();
    let mut rest = input;
    loop {
        while let [0x00 | 0xFF, tail @ ..] = rest {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(out);
        }
        let at = |left: &[u8]| base + input.len() - left.len();
        let offset = at(rest);
        let (after_tag, found) = tag(rest).map_err(|_| TlvError::Tag { offset })?;
        let (after_length, expected) =
            length(after_tag).map_err(|_| TlvError::Length { tag: found, offset: at(after_tag) })?;
        let value_offset = at(after_length);
        if expected > after_length.len() {
            return Err(TlvError::Value {
                tag: found,
                expected,
                found: after_length.len(),
                offset: value_offset,
            });
        }
        let (value, tail) = after_length.split_at(expected);
        out.push(Tlv { tag: found, value, offset, value_offset });
        rest = tail;
    }
}

/// A tag of one to three bytes.
pub(super) fn tag(input: &[u8]) -> IResult<&[u8], Tag> {
    let (mut rest, first) = byte.parse(input)?;
    let mut number = u32::from(first);
    if first & 0x1F == 0x1F {
        for position in 2.. {
            let (tail, next) = byte.parse(rest)?;
            rest = tail;
            number = number << 8 | u32::from(next);
            if next & 0x80 == 0 {
                break;
            }
            if position == 3 {
                return Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::TooLarge)));
            }
        }
    }
    Ok((rest, Tag(number)))
}

/// A definite length of up to three subsequent bytes.
fn length(input: &[u8]) -> IResult<&[u8], usize> {
    let (rest, first) = byte.parse(input)?;
    match first {
        0..=0x7F => Ok((rest, usize::from(first))),
        0x81..=0x83 => {
            let (rest, bytes) = take(first & 0x7F).parse(rest)?;
            Ok((rest, bytes.iter().fold(0, |sum, b: &u8| sum << 8 | usize::from(*b))))
        }
        _ => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::LengthValue))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_nested_objects_and_padding() {
        let input = [0x00, 0x6F, 0x07, 0x84, 0x02, 0xA0, 0x00, 0xFF, 0x50, 0x00, 0x00];
        let outer = parse(&input).unwrap();
        assert_eq!((outer[0].tag, outer[0].offset, outer[0].value_offset), (Tag(0x6F), 1, 3));
        let inner = outer[0].children().unwrap();
        assert_eq!(
            inner.iter().map(|t| (t.tag, t.offset)).collect::<Vec<_>>(),
            [(Tag(0x84), 3), (Tag(0x50), 8)]
        );
        assert_eq!(find(&input, Tag(0x50)).unwrap().unwrap().value, [0u8; 0]);
        assert_eq!(find(&input, Tag(0x87)).unwrap(), None);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(parse(&[0x9F]), Err(TlvError::Tag { offset: 0 }));
        assert_eq!(parse(&[0x5A, 0x80]), Err(TlvError::Length { tag: Tag(0x5A), offset: 1 }));
        assert_eq!(
            parse(&[0x5A, 0x03, 0x01]),
            Err(TlvError::Value { tag: Tag(0x5A), expected: 3, found: 1, offset: 2 })
        );
        assert_eq!(parse_one(&[0x5A, 0x00, 0x50, 0x00]), Err(TlvError::Trailing { offset: 2 }));
        assert_eq!(parse(&[0xDF, 0x81, 0x81, 0x01, 0x00]), Err(TlvError::Tag { offset: 0 }));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut bytes = vec![];
        for _ in 0..40 {
            bytes = encode(Tag(0x70), &bytes);
        }
        assert!(matches!(find(&bytes, Tag(0x5A)), Err(TlvError::Depth { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = find(&bytes, Tag(0x9F79));
        }

        #[test]
        fn what_is_encoded_is_read_back(
            tag in prop::sample::select(vec![0x5Au32, 0x70, 0x9F79, 0xBF0C, 0xDF8101]),
            value in prop::collection::vec(any::<u8>(), 0..70_000),
        ) {
            let bytes = encode(Tag(tag), &value);
            let read = parse_one(&bytes).unwrap();
            prop_assert_eq!((read.tag, read.value), (Tag(tag), value.as_slice()));
        }
    }
}
