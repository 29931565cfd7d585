//! Reading a message. Every length is checked before it is used, and every error
//! names its offset from the MTI.

use super::{Binary, Dialect, Digits, FieldLength, FieldRow, Format, Iso8583Error, Justify, Message, Mti};

/// Where a field stands in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The field.
    pub field: u8,
    /// Where it begins, its length included.
    pub offset: usize,
    /// Where its value begins.
    pub value_offset: usize,
    /// Where it ends.
    pub end: usize,
}

/// A message and where its fields stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The message.
    pub message: Message,
    /// Bytes of the MTI.
    pub mti_length: usize,
    /// Where the bitmaps end.
    pub bitmap_end: usize,
    /// The fields in the order of the bytes.
    pub spans: Vec<Span>,
}

/// Reads a message from its MTI to its end.
pub fn parse(bytes: &[u8], dialect: &Dialect) -> Result<Message, Iso8583Error> {
    parse_spans(bytes, dialect).map(|parsed| parsed.message)
}

/// The same, with where each field stands.
pub fn parse_spans(bytes: &[u8], dialect: &Dialect) -> Result<Parsed, Iso8583Error> {
    match parse_as_far(bytes, dialect) {
        (parsed, None) => Ok(parsed),
        (_, Some(error)) => Err(error),
    }
}

/// Reads as far as the bytes are a message, and says what stopped it, if anything did.
pub fn parse_as_far(bytes: &[u8], dialect: &Dialect) -> (Parsed, Option<Iso8583Error>) {
    let mut parsed =
        Parsed { message: Message::new(Mti(0)), mti_length: 0, bitmap_end: 0, spans: Vec::new() };
    let error = Reader { bytes, offset: 0, dialect }.message(&mut parsed).err();
    (parsed, error)
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    dialect: &'a Dialect,
}

impl<'a> Reader<'a> {
    fn message(mut self, parsed: &mut Parsed) -> Result<(), Iso8583Error> {
        let digits = self.digits(4, Format::N, Justify::Left, &|| "the MTI".into())?;
        parsed.message.mti = Mti(digits.iter().fold(0, |sum, digit| sum << 4 | u16::from(digit & 0x0F)));
        parsed.mti_length = self.offset;
        let bitmap_at = self.offset;
        let mut bitmap = self.binary(8, &|| "the bitmap".into())?;
        if bitmap.first().is_some_and(|byte| byte & 0x80 != 0) {
            bitmap.extend(self.binary(8, &|| "the second bitmap".into())?);
        }
        parsed.bitmap_end = self.offset;
        let is_set = |field: u8| {
            let (byte, bit) = (usize::from(field - 1) / 8, (field - 1) % 8);
            bitmap.get(byte).is_some_and(|set| set & (0x80 >> bit) != 0)
        };
        // Bit 1 says that there is a second bitmap.
        for field in (2..=128).filter(|field| is_set(*field)) {
            let offset = self.offset;
            let Some(row) = self.dialect.field(field) else {
                let width = if self.dialect.binary == Binary::Hex { 2 } else { 1 };
                let offset = bitmap_at + usize::from(field - 1) / 8 * width;
                let dialect = self.dialect.name.clone();
                return Err(Iso8583Error::UnknownField { field, dialect, offset });
            };
            let (value_offset, value) = self.field(field, row)?;
            parsed.message.put(field, value);
            parsed.spans.push(Span { field, offset, value_offset, end: self.offset });
        }
        match self.bytes.len() - self.offset {
            0 => Ok(()),
            found => Err(Iso8583Error::Trailing { offset: self.offset, found }),
        }
    }

    fn field(&mut self, field: u8, row: &FieldRow) -> Result<(usize, Vec<u8>), Iso8583Error> {
        let what = || format!("field {field}");
        let at = self.offset;
        let length = match row.length {
            FieldLength::Fixed => row.max,
            FieldLength::Ll => self.length(2, field)?,
            FieldLength::Lll => self.length(3, field)?,
        };
        if length > row.max {
            return Err(Iso8583Error::TooLong { field, max: row.max, found: length, offset: at });
        }
        let value_offset = self.offset;
        let value = match row.format {
            Format::N | Format::Z => self.digits(length, row.format, row.justify, &what)?,
            Format::An | Format::Ans => self.take(length, &what)?.to_vec(),
            Format::B => self.binary(length, &what)?,
        };
        Ok((value_offset, value))
    }

    fn length(&mut self, digits: usize, field: u8) -> Result<usize, Iso8583Error> {
        let what = || format!("the length of field {field}");
        let digits = self.digits(digits, Format::N, Justify::Right, &what)?;
        Ok(digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit & 0x0F)))
    }

    /// Digits as characters. What fills an odd number of packed ones may be 0 or F.
    fn digits(
        &mut self,
        count: usize,
        format: Format,
        justify: Justify,
        what: &dyn Fn() -> String,
    ) -> Result<Vec<u8>, Iso8583Error> {
        let start = self.offset;
        let expected =
            if format == Format::Z { "a digit or the separator of a track" } else { "a decimal digit" };
        let wrong = |found: u8, at: usize, expected| {
            Err(Iso8583Error::Character { what: what(), expected, found, offset: start + at })
        };
        if self.dialect.digits == Digits::Ascii {
            let taken = self.take(count, what)?;
            let mut out = Vec::with_capacity(count);
            for (at, byte) in taken.iter().enumerate() {
                out.push(match byte {
                    b'0'..=b'9' => *byte,
                    b'=' | b'D' if format == Format::Z => b'=',
                    _ => return wrong(*byte, at, expected),
                });
            }
            return Ok(out);
        }
        let taken = self.take(count.div_ceil(2), what)?;
        let odd = !count.is_multiple_of(2);
        let lead = usize::from(odd && justify == Justify::Right);
        let nibbles = taken.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        let mut out = Vec::with_capacity(count);
        for (at, nibble) in nibbles.enumerate() {
            let is_filling = at < lead || at - lead >= count;
            out.push(match nibble {
                0 | 0x0F if is_filling => continue,
                0..=9 if !is_filling => b'0' + nibble,
                0x0D if format == Format::Z && !is_filling => b'=',
                _ if is_filling => return wrong(nibble, at / 2, "0 or F as filling"),
                _ => return wrong(nibble, at / 2, expected),
            });
        }
        Ok(out)
    }

    fn binary(&mut self, length: usize, what: &dyn Fn() -> String) -> Result<Vec<u8>, Iso8583Error> {
        let start = self.offset;
        if self.dialect.binary == Binary::Raw {
            return Ok(self.take(length, what)?.to_vec());
        }
        let taken = self.take(length * 2, what)?;
        let nibble = |at: usize, byte: u8| match (byte as char).to_digit(16) {
            Some(value) => Ok(value as u8),
            None => Err(Iso8583Error::Character {
                what: what(),
                expected: "a hexadecimal character",
                found: byte,
                offset: start + at,
            }),
        };
        let pairs = taken.as_chunks::<2>().0.iter().enumerate();
        pairs.map(|(at, [high, low])| Ok(nibble(at * 2, *high)? << 4 | nibble(at * 2 + 1, *low)?)).collect()
    }

    fn take(&mut self, length: usize, what: &dyn Fn() -> String) -> Result<&'a [u8], Iso8583Error> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(taken) = rest.get(..length) else {
            let (found, offset) = (rest.len(), self.offset);
            return Err(Iso8583Error::Truncated { what: what(), expected: length, found, offset });
        };
        self.offset += length;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::iso8583::{DIALECTS, dialect, encode};
    use proptest::prelude::*;

    /// A value that fits a row.
    fn value(row: &FieldRow) -> BoxedStrategy<Vec<u8>> {
        let length = match row.length {
            FieldLength::Fixed => row.max..=row.max,
            FieldLength::Ll | FieldLength::Lll => 0..=row.max.min(60),
        };
        let byte = match row.format {
            Format::N => (b'0'..=b'9').boxed(),
            Format::Z => prop_oneof![b'0'..=b'9', Just(b'=')].boxed(),
            Format::An | Format::Ans | Format::B => any::<u8>().boxed(),
        };
        prop::collection::vec(byte, length).boxed()
    }

    fn message(dialect: &'static Dialect) -> impl Strategy<Value = Message> {
        let rows: Vec<(u8, FieldRow)> = dialect.fields().map(|(field, row)| (field, row.clone())).collect();
        let mti = (0u16..10_000).prop_map(|n| Mti(u16::from_str_radix(&n.to_string(), 16).unwrap()));
        let fields = prop::sample::subsequence(rows, 0..12).prop_flat_map(|rows| {
            rows.into_iter().map(|(field, row)| (Just(field), value(&row))).collect::<Vec<_>>()
        });
        (mti, fields).prop_map(|(mti, fields)| {
            let mut message = Message::new(mti);
            fields.into_iter().for_each(|(field, value)| message.put(field, value));
            message
        })
    }

    fn any_message() -> impl Strategy<Value = (&'static Dialect, Message)> {
        prop::sample::select(DIALECTS).prop_flat_map(|row| {
            let dialect = dialect(row.name).unwrap();
            (Just(dialect), message(dialect))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read((dialect, message) in any_message()) {
            let bytes = encode(&message, dialect).unwrap();
            let parsed = parse_spans(&bytes, dialect).unwrap();
            prop_assert_eq!(&parsed.message, &message);
            let mut at = parsed.bitmap_end;
            for span in &parsed.spans {
                prop_assert_eq!(span.offset, at);
                prop_assert!(span.value_offset >= at && span.end >= span.value_offset);
                at = span.end;
            }
            prop_assert_eq!(at, bytes.len());
        }

        #[test]
        fn every_truncation_and_every_tail_is_told((dialect, message) in any_message()) {
            let mut bytes = encode(&message, dialect).unwrap();
            for end in 0..bytes.len() {
                let error = parse(&bytes[..end], dialect).unwrap_err();
                let Iso8583Error::Truncated { offset, found, .. } = error else {
                    return Err(TestCaseError::fail(format!("{end}: {error}")));
                };
                prop_assert_eq!(offset + found, end);
            }
            bytes.push(0x30);
            prop_assert_eq!(parse(&bytes, dialect), Err(Iso8583Error::Trailing { offset: bytes.len() - 1, found: 1 }));
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for row in DIALECTS {
                let dialect = dialect(row.name).unwrap();
                if let Ok(message) = parse(&bytes, dialect) {
                    let again = encode(&message, dialect).unwrap();
                    prop_assert_eq!(parse(&again, dialect), Ok(message));
                }
            }
        }

        #[test]
        fn a_changed_byte_is_read_or_refused(
            (dialect, message) in any_message(), at in any::<prop::sample::Index>(), to in any::<u8>(),
        ) {
            let mut bytes = encode(&message, dialect).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(message) = parse(&bytes, dialect) {
                let again = encode(&message, dialect).unwrap();
                prop_assert_eq!(parse(&again, dialect), Ok(message));
            }
        }
    }

    #[test]
    fn a_terminals_load_as_bytes() {
        let pos = dialect("pos").unwrap();
        let bytes = parse_hex(
            "0200 702006C000C08811 19 62999900000000012340 600000 000000005000 000123 0510 0001 91 12 \
             5445524D30303031 4D45524348414E5430303030303031 313536 2600000000000000 \
             0013 45000001000500 4435304430324245",
        );
        let bytes = bytes.unwrap();
        let message = parse(&bytes, pos).unwrap();
        assert_eq!(message.mti, Mti::FINANCIAL);
        let expected = [
            (2, "6299990000000001234"),
            (3, "600000"),
            (4, "000000005000"),
            (11, "000123"),
            (22, "051"),
            (23, "001"),
            (25, "91"),
            (26, "12"),
            (41, "TERM0001"),
            (42, "MERCHANT0000001"),
            (49, "156"),
            (53, "2600000000000000"),
            (60, "4500000100050"),
            (64, "D50D02BE"),
        ];
        let found: Vec<_> = message.iter().map(|(field, _)| (field, message.text(field).unwrap())).collect();
        assert_eq!(found, expected);
        assert_eq!(encode(&message, pos), Ok(bytes));
    }

    #[test]
    fn errors_name_field_and_offset() {
        let pos = dialect("pos").unwrap();
        let parse = |hex: &str| parse(&parse_hex(hex).unwrap(), pos).unwrap_err().to_string();
        assert_eq!(parse("0A00"), "expected a decimal digit in the MTI at offset 0, found 0A");
        assert_eq!(
            parse("0200 4000000000000000 20 00"),
            "expected at most 19 of field 2 at offset 10, found a length of 20"
        );
        assert_eq!(
            parse("0200 0000000100000000"),
            "expected 1 bytes of the length of field 32 at offset 10, found 0"
        );
        assert!(parse("0200 0200000000000000").starts_with("field 7 (bitmap at offset 2) has no row"));
        assert_eq!(
            parse("0200 4000000000000000 03 1233"),
            "expected 0 or F as filling in field 2 at offset 12, found 03"
        );
    }

    #[test]
    fn what_fills_and_what_parts_packed_digits() {
        let pos = dialect("pos").unwrap();
        let message = Message::new(Mti::FINANCIAL).with(22, "051").with(23, "001").with(35, "629999=2512");
        let bytes = encode(&message, pos).unwrap();
        assert_eq!(bytes[10..], parse_hex("0510 0001 11 629999D25120").unwrap());
        let filled = [&bytes[..bytes.len() - 1], &[0x2F]].concat();
        assert_eq!(parse(&filled, pos), Ok(message));
    }
}
