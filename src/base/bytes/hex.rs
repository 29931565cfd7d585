//! Hexadecimal text, lenient on input, upper case on output.

use std::fmt;

/// Why a text is not hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// A character that is no hexadecimal digit.
    #[error("expected a hexadecimal digit at character {offset}, found {found:?}")]
    NotHex {
        /// Position in characters, from 0.
        offset: usize,
        /// What stood there.
        found: char,
    },
    /// An odd number of digits.
    #[error("expected an even number of hexadecimal digits, found {digits}")]
    Odd {
        /// How many digits there were.
        digits: usize,
    },
}

/// Reads hexadecimal text; white space, `:` and `-` between digits, and one
/// leading `0x` are passed over.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let body = text.strip_prefix("0x").unwrap_or(text);
    let skipped = text.chars().count() - body.chars().count();
    let mut digits = Vec::with_capacity(body.len());
    for (offset, found) in body.chars().enumerate() {
        match found {
            c if c.is_ascii_hexdigit() => digits.push(c as u8),
            c if c.is_whitespace() || c == ':' || c == '-' => {}
            _ => return Err(HexError::NotHex { offset: offset + skipped, found }),
        }
    }
    ::hex::decode(&digits).map_err(|_| HexError::Odd { digits: digits.len() })
}

/// Prints bytes as upper-case hexadecimal; `{:#}` puts a space between bytes.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if f.alternate() && index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(parse_hex("00 A4:04-00").unwrap(), [0x00, 0xA4, 0x04, 0x00]);
        assert_eq!(parse_hex("0x9f79").unwrap(), [0x9F, 0x79]);
        assert_eq!(parse_hex("").unwrap(), [0u8; 0]);
    }

    #[test]
    fn names_the_place_of_what_is_wrong() {
        assert_eq!(parse_hex("0x9G"), Err(HexError::NotHex { offset: 3, found: 'G' }));
        assert_eq!(parse_hex("123"), Err(HexError::Odd { digits: 3 }));
    }

    #[test]
    fn prints_upper_case() {
        assert_eq!(Hex(&[0x9f, 0x79]).to_string(), "9F79");
        assert_eq!(format!("{:#}", Hex(&[0x9f, 0x79])), "9F 79");
    }
}
