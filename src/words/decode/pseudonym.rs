//! One pseudonym for each PAN of a file. It tells nothing of the digits it stands
//! for: its middle counts the PANs of the file, so no key and no hash can be tried.

use crate::base::bytes::Secret;
use crate::words::emv::Pan;

/// PANs and what stands for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pseudonyms {
    known: Vec<(Secret<String>, Secret<String>)>,
    keeps_test_range: bool,
}

impl Pseudonyms {
    /// PANs of our own test range stand for themselves.
    pub(super) fn keeping_test_range() -> Self {
        Self { keeps_test_range: true, ..Self::default() }
    }

    /// The pseudonym of a PAN: same length, first six and last four digits, Luhn-valid,
    /// and never the PAN itself.
    pub(super) fn of(&mut self, pan: &Pan) -> String {
        let digits = pan.expose();
        if self.keeps_test_range && pan.is_test() {
            return digits.to_owned();
        }
        if let Some((_, pseudonym)) = self.known.iter().find(|(known, _)| known.expose() == digits) {
            return pseudonym.expose().clone();
        }
        let known = self.known.len();
        // Of twice as many candidates as there are names, one is free, but for the few
        // middles of a short PAN: there two PANs may come to share one.
        let free = (known + 1..=known * 3 + 3).map(|count| candidate(digits, count)).find(|name| {
            name != digits && self.known.iter().all(|(a, b)| a.expose() != name && b.expose() != name)
        });
        let pseudonym = free.unwrap_or_else(|| {
            let first = candidate(digits, 1);
            if first == digits { candidate(digits, 2) } else { first }
        });
        self.known.push((Secret::new(digits.to_owned()), Secret::new(pseudonym.clone())));
        pseudonym
    }

    /// Whether digits are a pseudonym that was given.
    pub(super) fn is_name(&self, digits: &str) -> bool {
        self.known.iter().any(|(_, name)| name.expose() == digits)
    }

    /// Replaces every known PAN in bytes, packed (at either half of a byte) or in characters.
    pub(super) fn sweep(&self, bytes: &mut [u8]) {
        for (pan, pseudonym) in &self.known {
            let (pan, pseudonym) = (pan.expose().as_bytes(), pseudonym.expose().as_bytes());
            for start in 0..(bytes.len() + 1).saturating_sub(pan.len()) {
                if bytes[start..].starts_with(pan) {
                    bytes[start..start + pan.len()].copy_from_slice(pseudonym);
                }
            }
            for start in 0..(bytes.len() * 2 + 1).saturating_sub(pan.len()) {
                if pan.iter().enumerate().all(|(i, digit)| nibble(bytes, start + i) == digit - b'0') {
                    for (i, digit) in pseudonym.iter().enumerate() {
                        set_nibble(bytes, start + i, digit - b'0');
                    }
                }
            }
        }
    }

    /// Replaces every known PAN in a text.
    pub(super) fn sweep_text(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (pan, name)| text.replace(pan.expose(), name.expose()))
    }
}

/// Whether the last digit is the Luhn check digit (ISO/IEC 7812-1 Annex B).
pub(super) fn passes_luhn(digits: &str) -> bool {
    Pan::checked(digits).is_ok()
}

/// One half of a byte; the first half has the even position.
pub(super) fn nibble(bytes: &[u8], position: usize) -> u8 {
    let byte = bytes.get(position / 2).copied().unwrap_or(0);
    if position.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F }
}

/// Writes one half of a byte.
pub(super) fn set_nibble(bytes: &mut [u8], position: usize, value: u8) {
    if let Some(byte) = bytes.get_mut(position / 2) {
        *byte = if position.is_multiple_of(2) { *byte & 0x0F | value << 4 } else { *byte & 0xF0 | value };
    }
}

/// The digits with `count` in the middle, and the last digit of the middle such
/// that the check digit fits.
fn candidate(digits: &str, count: usize) -> String {
    let (Some(head), Some(tail)) = (digits.get(..6), digits.get(digits.len().saturating_sub(4)..)) else {
        return "0".repeat(digits.len());
    };
    let width = digits.len().saturating_sub(11);
    let counted = count % 10usize.saturating_pow(width as u32);
    // One of ten digits always fits: both ways of weighing a digit are one-to-one.
    (0..10)
        .map(|check| format!("{head}{counted:0width$}{check}{tail}"))
        .find(|name| passes_luhn(name))
        .unwrap_or_else(|| "0".repeat(digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pan_keeps_its_name_and_two_pans_differ() {
        let mut names = Pseudonyms::default();
        let pan = |digits| Pan::new(digits).unwrap();
        let first = names.of(&pan("4111111111111111"));
        assert_eq!(first, names.of(&pan("4111111111111111")));
        assert_ne!(first, names.of(&pan("4111112222221111")));
        assert!(first.starts_with("411111") && first.ends_with("1111"));
    }

    #[test]
    fn a_pan_of_the_test_range_may_stay() {
        let mut names = Pseudonyms::keeping_test_range();
        let pan = |digits| Pan::new(digits).unwrap();
        assert_eq!(names.of(&pan("6299990000000011")), "6299990000000011");
        assert_ne!(names.of(&pan("6222020000001234567")), "6222020000001234567");
    }

    #[test]
    fn a_known_pan_is_found_at_either_half_of_a_byte_and_in_characters() {
        let mut names = Pseudonyms::default();
        let name = names.of(&Pan::new("6222020000001234567").unwrap());
        let mut bytes = [
            &[0x0A][..],
            b"6222020000001234567",
            &[
                0x01, 0x62, 0x22, 0x02, 0, 0, 0, 0x12, 0x34, 0x56, 0x7F, 0xF6, 0x22, 0x20, 0x20, 0, 0, 0x01,
                0x23, 0x45, 0x67,
            ],
        ]
        .concat();
        names.sweep(&mut bytes);
        let hex = crate::base::bytes::Hex(&bytes).to_string();
        assert_eq!(hex.matches(&name).count(), 2, "{hex}");
        assert!(bytes.windows(19).any(|w| w == name.as_bytes()));
        assert!(!hex.contains("6222020000001234567"));
    }

    proptest! {
        #[test]
        fn a_pseudonym_is_a_valid_pan_and_another(pans in prop::collection::vec("[0-9]{12,19}", 1..40)) {
            let mut names = Pseudonyms::default();
            for digits in pans {
                let name = names.of(&Pan::new(&digits).unwrap());
                prop_assert!(Pan::checked(&name).is_ok());
                prop_assert_ne!(&name, &digits);
                prop_assert_eq!((name.len(), &name[..6], &name[name.len() - 4..]),
                    (digits.len(), &digits[..6], &digits[digits.len() - 4..]));
            }
        }
    }
}
