//! Application Preferred Name, tag 9F12, in the characters of the Issuer Code Table
//! Index, tag 9F11: EMV Book 4 11.3 and annex B (ISO/IEC 8859).

use super::printable;

/// A name in an alphabet of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferredName {
    /// The part of ISO/IEC 8859, 1 to 10.
    pub code_table: u8,
    /// The name, 1 to 16 bytes.
    pub bytes: Vec<u8>,
}

impl PreferredName {
    /// The name as text; `None` where the part of ISO/IEC 8859 is not one that is known
    /// here (1 and 5).
    pub fn text(&self) -> Option<String> {
        let upper: fn(u8) -> char = match self.code_table {
            1 => char::from,
            5 => cyrillic,
            _ => return None,
        };
        let character = |byte: &u8| if *byte < 0xA0 { char::from(*byte) } else { upper(*byte) };
        let text: String = self.bytes.iter().map(character).collect();
        Some(printable(text.as_bytes()))
    }
}

/// The upper half of ISO/IEC 8859-5.
fn cyrillic(byte: u8) -> char {
    match byte {
        0xA0 | 0xAD => char::from(byte),
        0xF0 => '\u{2116}',
        0xFD => '\u{A7}',
        // The block stands in Unicode in the same order.
        _ => char::from_u32(0x0360 + u32::from(byte)).unwrap_or('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_by_its_code_table() {
        let name = |code_table, bytes: &[u8]| PreferredName { code_table, bytes: bytes.into() }.text();
        assert_eq!(name(1, b"CR\xC9DIT").as_deref(), Some("CRÉDIT"));
        // The letters of ISO/IEC 8859-5.
        assert_eq!(name(5, b"\xBA\xD0\xE0\xE2\xD0").as_deref(), Some("Карта"));
        assert_eq!(name(1, b"A\x1B[31m").as_deref(), Some("A?[31m"));
        assert_eq!(name(7, b"A"), None);
    }
}
