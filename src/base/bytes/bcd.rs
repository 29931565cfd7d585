//! Binary-coded decimal: two digits a byte, EMV formats `n` (right-justified,
//! zero-filled) and `cn` (left-justified, filled with F).

/// Why bytes or text are not decimal digits of the length asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BcdError {
    /// A nibble above 9.
    #[error("expected a decimal digit in nibble {nibble}, found {found:X}")]
    NotDecimal {
        /// Position in nibbles, from 0.
        nibble: usize,
        /// The nibble found.
        found: u8,
    },
    /// More digits than fit.
    #[error("expected at most {room} digits, found {digits}")]
    TooLong {
        /// Digits that fit.
        room: usize,
        /// Digits found.
        digits: usize,
    },
}

/// Encodes `value` in format `n` over `length_bytes` bytes.
pub fn u64_to_bcd(value: u64, length_bytes: usize) -> Result<Vec<u8>, BcdError> {
    let digits = value.to_string();
    let room = length_bytes * 2;
    if digits.len() > room {
        return Err(BcdError::TooLong { room, digits: digits.len() });
    }
    digits_to_bcd(&format!("{digits:0>room$}"), length_bytes)
}

/// Decodes format `n`: every nibble must be a digit, at most 19 significant digits.
pub fn bcd_to_u64(bytes: &[u8]) -> Result<u64, BcdError> {
    let mut value = 0u64;
    for (nibble, digit) in nibbles(bytes).enumerate() {
        if digit > 9 {
            return Err(BcdError::NotDecimal { nibble, found: digit });
        }
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(u64::from(digit)))
            .ok_or(BcdError::TooLong { room: 19, digits: bytes.len() * 2 })?;
    }
    Ok(value)
}

/// Encodes decimal digits in format `cn`: left-justified, filled with F.
pub fn digits_to_bcd(digits: &str, length_bytes: usize) -> Result<Vec<u8>, BcdError> {
    let room = length_bytes * 2;
    if digits.chars().count() > room {
        return Err(BcdError::TooLong { room, digits: digits.chars().count() });
    }
    let mut out = vec![0xFF; length_bytes];
    for (nibble, c) in digits.chars().enumerate() {
        let Some(digit) = c.to_digit(10) else {
            return Err(BcdError::NotDecimal { nibble, found: c as u8 });
        };
        let (shift, keep) = if nibble % 2 == 0 { (4, 0x0F) } else { (0, 0xF0) };
        out[nibble / 2] = (out[nibble / 2] & keep) | ((digit as u8) << shift);
    }
    Ok(out)
}

/// Decodes format `cn`: digits up to the first F, after which only F may follow.
pub fn bcd_digits(bytes: &[u8]) -> Result<String, BcdError> {
    let mut digits = String::with_capacity(bytes.len() * 2);
    let mut filling = false;
    for (nibble, found) in nibbles(bytes).enumerate() {
        match found {
            0x0F => filling = true,
            0..=9 if !filling => digits.push(char::from(b'0' + found)),
            _ => return Err(BcdError::NotDecimal { nibble, found }),
        }
    }
    Ok(digits)
}

fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_is_right_justified() {
        assert_eq!(u64_to_bcd(1250, 6).unwrap(), [0, 0, 0, 0, 0x12, 0x50]);
        assert_eq!(bcd_to_u64(&[0, 0, 0, 0, 0x12, 0x50]).unwrap(), 1250);
        assert_eq!(u64_to_bcd(100, 1), Err(BcdError::TooLong { room: 2, digits: 3 }));
        assert_eq!(bcd_to_u64(&[0x1A]), Err(BcdError::NotDecimal { nibble: 1, found: 10 }));
    }

    #[test]
    fn compressed_is_filled_with_f() {
        assert_eq!(digits_to_bcd("12345", 4).unwrap(), [0x12, 0x34, 0x5F, 0xFF]);
        assert_eq!(bcd_digits(&[0x12, 0x34, 0x5F, 0xFF]).unwrap(), "12345");
        assert!(bcd_digits(&[0x1F, 0x34]).is_err());
    }

    #[test]
    fn a_number_over_nineteen_digits_is_refused() {
        assert!(bcd_to_u64(&[0x99; 10]).is_err());
    }
}
