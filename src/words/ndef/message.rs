//! A message: one record or more, the first and the last marked (NFC Forum NDEF 1.0, 2.2).

use super::record::{NdefError, Piece, Record, TypeNameFormat, read};
use crate::base::bytes::Cursor;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    records: Vec<Record>,
}

impl Message {
    /// A message of these records; of none it is one empty record, as the format has no
    /// message without.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut records: Vec<Record> = records.into_iter().collect();
        if records.is_empty() {
            records.push(Record::new(TypeNameFormat::EMPTY, [], []));
        }
        Self { records }
    }

    /// Its records, at least one.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Reads one message, which takes all the bytes. Chunks are joined.
    ///
    /// # Errors
    /// The bytes end early, a mark of begin or end is missing or twice, a chunk has no
    /// first one, an empty record has contents.
    pub fn parse(bytes: &[u8]) -> Result<Self, NdefError> {
        let mut cursor = Cursor::new(bytes);
        let mut records: Vec<Record> = Vec::new();
        let (mut open, mut pieces) = (false, 0);
        loop {
            let offset = cursor.offset();
            let malformed =
                |expected, found: &str| NdefError::Malformed { expected, found: found.into(), offset };
            let Piece { first, last, chunk, record } = read(&mut cursor)?;
            if first != (pieces == 0) {
                let found = if first { "a second one" } else { "none" };
                return Err(malformed("the mark of begin on the first record alone", found));
            }
            check(&record, open, chunk).map_err(|(expected, found)| malformed(expected, &found))?;
            match records.last_mut() {
                Some(begun) if open => begun.payload.extend(record.payload),
                _ => records.push(record),
            }
            (open, pieces) = (chunk, pieces + 1);
            if last {
                if open {
                    return Err(malformed("another chunk", "the end of the message"));
                }
                return match cursor.remaining() {
                    0 => Ok(Self { records }),
                    left => {
                        Err(malformed("the end of the bytes after the last record", &format!("{left} more")))
                    }
                };
            }
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// A type or an identifier is longer than 255 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NdefError> {
        let mut out = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            record.write(index == 0, index + 1 == self.records.len(), &mut out)?;
        }
        Ok(out)
    }
}

/// What a record may say of itself (3.2.6, 2.3.3).
fn check(record: &Record, open: bool, chunk: bool) -> Result<(), (&'static str, String)> {
    let format = record.format;
    if (format == TypeNameFormat::UNCHANGED) != open {
        let expected = if open { "type name format 6 in a later chunk" } else { "type name format 0 to 5" };
        return Err((expected, format!("{}", format.0)));
    }
    let untyped = [TypeNameFormat::UNKNOWN, TypeNameFormat::UNCHANGED].contains(&format);
    if untyped && !record.kind.is_empty() {
        return Err(("no type with this type name format", format!("{} bytes", record.kind.len())));
    }
    if open && !record.id.is_empty() {
        return Err(("no identifier in a later chunk", format!("{} bytes", record.id.len())));
    }
    let whole = record.kind.len() + record.id.len() + record.payload.len();
    if format == TypeNameFormat::EMPTY && (whole > 0 || chunk) {
        return Err(("nothing in an empty record", format!("{whole} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::ndef::{text, uri};
    use proptest::prelude::*;

    fn any_record() -> impl Strategy<Value = Record> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        (1..5_u8, bytes(20), bytes(5), bytes(600)).prop_map(|(format, kind, id, payload)| Record {
            format: TypeNameFormat(format),
            kind,
            id,
            payload,
        })
    }

    proptest! {
        #[test]
        fn a_message_comes_out_as_it_went_in(records in prop::collection::vec(any_record(), 0..5)) {
            let message = Message::new(records);
            prop_assert_eq!(Message::parse(&message.to_bytes().unwrap()), Ok(message));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Message::parse(&bytes);
        }
    }

    // NFC Forum RTD URI 1.0, 4.1.1, and RTD Text 1.0, 5.2: the documents' own examples.
    #[test]
    fn well_known_records_are_the_forums() {
        let of = |record| Message::new([record]).to_bytes().unwrap();
        assert_eq!(of(uri("http://www.nfc.com")), parse_hex("D1010855016E66632E636F6D").unwrap());
        let hello = [&[0xD1, 1, 16, b'T', 2][..], b"enHello, world!"].concat();
        assert_eq!(of(text("en", "Hello, world!").unwrap()), hello);
    }

    #[test]
    fn chunks_are_joined() {
        // A chunk's type stands in the first one alone.
        let bytes = [&[0xB1, 1, 2, b'T', 0x41, 0x42][..], &[0x36, 0, 1, 0x43], &[0x56, 0, 1, 0x44]].concat();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.records(), [Record::new(TypeNameFormat::WELL_KNOWN, *b"T", *b"ABCD")]);
    }

    #[test]
    fn what_is_no_message_says_where() {
        for (hex, told) in [
            ("", "1 bytes of the header of a record at offset 0, found 0"),
            ("5101005400", "the mark of begin on the first record alone at offset 0, found none"),
            ("D10105540102", "5 bytes of a payload"),
            ("D1010054FF", "the end of the bytes after the last record"),
            ("D0010054", "nothing in an empty record"),
            ("F1010054", "another chunk"),
            ("D6000100", "type name format 0 to 5"),
        ] {
            let error = Message::parse(&parse_hex(hex).unwrap()).unwrap_err().to_string();
            assert!(error.contains(told), "{hex}: {error}");
        }
        assert!(Message::new([Record::new(TypeNameFormat::MEDIA, vec![0; 256], [])]).to_bytes().is_err());
    }
}
