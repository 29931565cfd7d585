//! One record (NFC Forum NDEF 1.0, 2.3 and 3.2).

use crate::base::bytes::{Cursor, Truncated};

const MESSAGE_BEGIN: u8 = 0x80;
const MESSAGE_END: u8 = 0x40;
const CHUNK: u8 = 0x20;
const SHORT: u8 = 0x10;
const ID_LENGTH: u8 = 0x08;
const FORMAT: u8 = 0x07;

/// How a record's type is to be read (3.2.6): unknown values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeNameFormat(pub u8);

impl TypeNameFormat {
    /// No type, identifier nor payload.
    pub const EMPTY: Self = Self(0);
    /// A type of the NFC Forum's.
    pub const WELL_KNOWN: Self = Self(1);
    /// A media type (RFC 2046).
    pub const MEDIA: Self = Self(2);
    /// An absolute URI (RFC 3986).
    pub const ABSOLUTE_URI: Self = Self(3);
    /// A type of somebody's own: `domain:name`.
    pub const EXTERNAL: Self = Self(4);
    /// A payload of unknown type.
    pub const UNKNOWN: Self = Self(5);
    /// A later chunk of a record.
    pub const UNCHANGED: Self = Self(6);
}

/// Why bytes are no NDEF message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NdefError {
    /// They end too early.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// A record stands where it must not, or says of itself what cannot be.
    #[error("expected {expected} at offset {offset}, found {found}")]
    Malformed {
        /// What the standard has there.
        expected: &'static str,
        /// What is there.
        found: String,
        /// Where the record begins, from the start of the message.
        offset: usize,
    },
    /// What was to be written does not fit its length.
    #[error("expected at most {most} bytes of {what}, found {found}")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// The most that its length can say.
        most: usize,
        /// How many there are.
        found: usize,
    },
}

/// A record, its chunks joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How its type is to be read.
    pub format: TypeNameFormat,
    /// Its type, at most 255 bytes.
    pub kind: Vec<u8>,
    /// Its identifier, at most 255 bytes; empty where it has none.
    pub id: Vec<u8>,
    /// Its payload, below 2^32 bytes.
    pub payload: Vec<u8>,
}

impl Record {
    /// A record without an identifier.
    pub fn new(format: TypeNameFormat, kind: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>) -> Self {
        Self { format, kind: kind.into(), id: Vec::new(), payload: payload.into() }
    }

    /// Writes it: `first` and `last` say where in its message it stands. One of 255 bytes
    /// and fewer is short.
    pub(super) fn write(&self, first: bool, last: bool, out: &mut Vec<u8>) -> Result<(), NdefError> {
        let kind_length = byte_length(&self.kind, "type")?;
        let id_length = byte_length(&self.id, "identifier")?;
        let payload_length = u32::try_from(self.payload.len()).map_err(|_| NdefError::TooLong {
            what: "payload",
            most: u32::MAX as usize,
            found: self.payload.len(),
        })?;
        let mut header = self.format.0 & FORMAT;
        for (flag, bit) in [
            (first, MESSAGE_BEGIN),
            (last, MESSAGE_END),
            (payload_length <= 255, SHORT),
            (id_length > 0, ID_LENGTH),
        ] {
            header |= if flag { bit } else { 0 };
        }
        out.extend([header, kind_length]);
        match u8::try_from(payload_length) {
            Ok(short) => out.push(short),
            Err(_) => out.extend(payload_length.to_be_bytes()),
        }
        if id_length > 0 {
            out.push(id_length);
        }
        for part in [&self.kind, &self.id, &self.payload] {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

/// A record as it stands in the bytes, which may be a chunk.
pub(super) struct Piece {
    pub first: bool,
    pub last: bool,
    pub chunk: bool,
    pub record: Record,
}

pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Piece, NdefError> {
    let header = cursor.byte("the header of a record")?;
    let has = |bit: u8| header & bit != 0;
    let kind_length = usize::from(cursor.byte("the length of a type")?);
    let payload_length = match has(SHORT) {
        true => u32::from(cursor.byte("the length of a payload")?),
        false => u32::from_be_bytes(cursor.array("the length of a payload")?),
    };
    let id_length = if has(ID_LENGTH) { usize::from(cursor.byte("the length of an identifier")?) } else { 0 };
    let kind = cursor.take(kind_length, "a type")?.to_vec();
    let id = cursor.take(id_length, "an identifier")?.to_vec();
    // What does not fit a usize does not fit the message either.
    let payload_length = usize::try_from(payload_length).unwrap_or(usize::MAX);
    let payload = cursor.take(payload_length, "a payload")?.to_vec();
    let record = Record { format: TypeNameFormat(header & FORMAT), kind, id, payload };
    Ok(Piece { first: has(MESSAGE_BEGIN), last: has(MESSAGE_END), chunk: has(CHUNK), record })
}

fn byte_length(part: &[u8], what: &'static str) -> Result<u8, NdefError> {
    u8::try_from(part.len()).map_err(|_| NdefError::TooLong { what, most: 255, found: part.len() })
}
