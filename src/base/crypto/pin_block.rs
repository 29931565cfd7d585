//! PIN blocks of ISO 9564-1: formats 0 to 3 in the clear, format 4 under AES. Where a
//! block travels, and under which key, is for others.

use super::{BlockCipher, CipherKind, CryptoError};
use crate::base::bytes::Secret;

/// A format of 8 bytes. Its number is the block's first nibble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinBlockFormat {
    /// Filled with F and joined with the PAN.
    Format0,
    /// Filled with random digits; no PAN.
    Format1,
    /// Filled with F; for offline PINs, between terminal and card.
    Format2,
    /// Filled with random digits A to F and joined with the PAN.
    Format3,
}

impl PinBlockFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Format0, Self::Format1, Self::Format2, Self::Format3];

    /// Its control digit.
    pub const fn control(self) -> u8 {
        match self {
            Self::Format0 => 0,
            Self::Format1 => 1,
            Self::Format2 => 2,
            Self::Format3 => 3,
        }
    }

    /// Whether the PAN is joined in.
    pub const fn takes_pan(self) -> bool {
        matches!(self, Self::Format0 | Self::Format3)
    }

    /// Builds a block. `pan` is its digits, asked for where [`Self::takes_pan`]; `random`
    /// fills formats 1 and 3.
    pub fn build(self, pin: &str, pan: &str, random: [u8; 8]) -> Result<Secret<[u8; 8]>, CryptoError> {
        let fill = |place: usize| {
            let digit = random[place / 2] >> (if place.is_multiple_of(2) { 4 } else { 0 }) & 0x0F;
            match self {
                Self::Format0 | Self::Format2 => 0x0F,
                Self::Format1 => digit,
                Self::Format3 => 0x0A + digit % 6,
            }
        };
        let digits = digits_of(pin)?;
        let mut block = Secret::new([0u8; 8]);
        let place = block.expose_mut();
        place[0] = self.control() << 4 | digits.expose().len() as u8;
        for at in 2..16 {
            let digit = digits.expose().get(at - 2).copied().unwrap_or_else(|| fill(at));
            place[at / 2] |= digit << (if at.is_multiple_of(2) { 4 } else { 0 });
        }
        self.join(block, pan)
    }

    /// The PIN of a block.
    pub fn open(self, block: &[u8; 8], pan: &str) -> Result<Secret<String>, CryptoError> {
        let plain = self.join(Secret::new(*block), pan)?;
        let plain = plain.expose();
        let fill_is_right = |digit: u8| match self {
            Self::Format0 | Self::Format2 => digit == 0x0F,
            Self::Format1 => true,
            Self::Format3 => digit >= 0x0A,
        };
        pin_of(self.control(), plain, fill_is_right)
    }

    fn join(self, mut block: Secret<[u8; 8]>, pan: &str) -> Result<Secret<[u8; 8]>, CryptoError> {
        if self.takes_pan() {
            let field = pan_field(pan)?;
            block.expose_mut().iter_mut().zip(field).for_each(|(byte, other)| *byte ^= other);
        }
        Ok(block)
    }
}

/// What enciphers a block of format 4, step by step (ISO 9564-1:2017 9.4.2).
#[derive(Debug, Clone)]
pub struct PinBlock4 {
    /// Control 4, length, PIN, filling A to 8 bytes, then 8 random bytes.
    pub pin_field: Secret<[u8; 16]>,
    /// Digits of the PAN beyond twelve, the PAN, zeros.
    pub pan_field: [u8; 16],
    /// The enciphered block.
    pub block: [u8; 16],
}

impl PinBlock4 {
    /// Builds and enciphers a block under an AES key of 16, 24 or 32 bytes.
    pub fn build(key: &Secret<Vec<u8>>, pin: &str, pan: &str, random: [u8; 8]) -> Result<Self, CryptoError> {
        let (digits, pan_field) = (digits_of(pin)?, long_pan_field(pan)?);
        let mut pin_field = Secret::new([0xAA; 16]);
        let field = pin_field.expose_mut();
        field[0] = 0x40 | digits.expose().len() as u8;
        for (at, digit) in digits.expose().iter().enumerate() {
            let byte = &mut field[1 + at / 2];
            *byte = if at.is_multiple_of(2) { digit << 4 | 0x0A } else { *byte & 0xF0 | digit };
        }
        field[8..].copy_from_slice(&random);
        let aes = BlockCipher::new(CipherKind::Aes, key.clone())?;
        let mut inner = aes.encrypt_ecb(pin_field.expose())?;
        inner.iter_mut().zip(pan_field).for_each(|(byte, other)| *byte ^= other);
        let block = sixteen(&aes.encrypt_ecb(&inner)?);
        Ok(Self { pin_field, pan_field, block })
    }

    /// The PIN of an enciphered block.
    pub fn open(key: &Secret<Vec<u8>>, block: &[u8; 16], pan: &str) -> Result<Secret<String>, CryptoError> {
        let aes = BlockCipher::new(CipherKind::Aes, key.clone())?;
        let mut inner = Secret::new(aes.decrypt_ecb(block)?);
        inner.expose_mut().iter_mut().zip(long_pan_field(pan)?).for_each(|(byte, other)| *byte ^= other);
        let field = Secret::new(sixteen(&aes.decrypt_ecb(inner.expose())?));
        let plain = std::array::from_fn(|place| field.expose()[place]);
        pin_of(4, &plain, |digit| digit == 0x0A)
    }
}

/// The control digit, the length, the digits and what fills the block are checked.
fn pin_of(
    control: u8,
    plain: &[u8; 8],
    fill_is_right: impl Fn(u8) -> bool,
) -> Result<Secret<String>, CryptoError> {
    let wrong = |reason| CryptoError::PinBlock { control, reason };
    let length = usize::from(plain[0] & 0x0F);
    if plain[0] >> 4 != control {
        return Err(wrong("another control digit"));
    }
    if !(4..=12).contains(&length) {
        return Err(wrong("a length that no PIN has"));
    }
    let nibble = |at: usize| plain[at / 2] >> (if at.is_multiple_of(2) { 4 } else { 0 }) & 0x0F;
    let mut pin = Secret::new(String::with_capacity(12));
    for at in 0..14 {
        match (nibble(at + 2), at < length) {
            (digit @ 0..=9, true) => pin.expose_mut().push(char::from(b'0' + digit)),
            (digit, false) if fill_is_right(digit) => {}
            (_, true) => return Err(wrong("a digit above 9 in the PIN")),
            (_, false) => return Err(wrong("another filling after the PIN")),
        }
    }
    Ok(pin)
}

fn digits_of(pin: &str) -> Result<Secret<Vec<u8>>, CryptoError> {
    if !(4..=12).contains(&pin.len()) || !pin.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(CryptoError::Pin { found_characters: pin.chars().count() });
    }
    Ok(Secret::new(pin.bytes().map(|digit| digit - b'0').collect()))
}

/// Two zero bytes, then the twelve digits of the PAN before its check digit, zeros on the
/// left where there are fewer.
fn pan_field(pan: &str) -> Result<[u8; 8], CryptoError> {
    let pan = super::derivation::checked_pan(pan)?;
    let body = &pan[..pan.len() - 1];
    let mut out = [0; 8];
    for (back, digit) in body.iter().rev().take(12).enumerate() {
        out[7 - back / 2] |= (digit - b'0') << (if back.is_multiple_of(2) { 0 } else { 4 });
    }
    Ok(out)
}

/// How many digits there are beyond twelve, the PAN (zeros before a shorter one), zeros.
fn long_pan_field(pan: &str) -> Result<[u8; 16], CryptoError> {
    let pan = super::derivation::checked_pan(pan)?;
    let zeros = 12usize.saturating_sub(pan.len());
    let beyond = pan.len().saturating_sub(12) as u8;
    let digits = std::iter::once(beyond)
        .chain(std::iter::repeat_n(0, zeros))
        .chain(pan.iter().map(|digit| digit - b'0'));
    let mut out = [0; 16];
    for (at, digit) in digits.enumerate() {
        out[at / 2] |= digit << (if at.is_multiple_of(2) { 4 } else { 0 });
    }
    Ok(out)
}

fn sixteen(bytes: &[u8]) -> [u8; 16] {
    std::array::from_fn(|place| bytes[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    const PAN: &str = "4111444433332226";

    #[test]
    fn formats_by_hand() {
        let build = |format: PinBlockFormat| *format.build("1234", PAN, [0x5A; 8]).unwrap().expose();
        // 04 1234 FFFFFFFFFF with 0000 144443333222.
        assert_eq!(build(PinBlockFormat::Format0), [0x04, 0x12, 0x20, 0xBB, 0xBC, 0xCC, 0xCD, 0xDD]);
        assert_eq!(build(PinBlockFormat::Format1), [0x14, 0x12, 0x34, 0x5A, 0x5A, 0x5A, 0x5A, 0x5A]);
        assert_eq!(build(PinBlockFormat::Format2), [0x24, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        // 5 becomes F and A becomes E.
        assert_eq!(build(PinBlockFormat::Format3), [0x34, 0x12, 0x20, 0xBA, 0xBD, 0xCD, 0xCC, 0xDC]);
    }

    #[test]
    fn format_4_of_a_public_vector() {
        // psec (github.com/knovichikhin/psec, MIT), tests/test_pinblock.py.
        let key = Secret::new(parse_hex("00112233445566778899AABBCCDDEEFF").unwrap());
        let made = PinBlock4::build(&key, "1234", "1234567890123456789", [0xFF; 8]).unwrap();
        assert_eq!(made.block[..], parse_hex("28B41FDDD29B743E93124BD8E32D921E").unwrap());
        assert_eq!(
            long_pan_field("112233445566778899").unwrap()[..],
            parse_hex("61122334455667788990000000000000").unwrap()
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let zero = PinBlockFormat::Format0;
        let reason = |block: [u8; 8]| PinBlockFormat::Format2.open(&block, "").unwrap_err().to_string();
        assert!(reason([0x04, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).contains("control digit"));
        assert!(reason([0x23, 0x12, 0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).contains("length"));
        assert!(reason([0x24, 0x1A, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).contains("above 9"));
        assert!(reason([0x24, 0x12, 0x34, 0xFF, 0xF1, 0xFF, 0xFF, 0xFF]).contains("filling"));
        for pin in ["123", "1234567890123", "12a4", "１２３４"] {
            let error = zero.build(pin, PAN, [0; 8]).unwrap_err();
            assert!(!error.to_string().contains(pin), "{error}");
        }
        assert!(zero.build("1234", "41A", [0; 8]).is_err());
        assert!(zero.build("1234", "", [0; 8]).is_err());
        let other = zero.build("1234", "4111444433332234", [0; 8]).unwrap();
        assert!(zero.open(other.expose(), PAN).is_err(), "the PAN is joined in");
    }

    proptest! {
        #[test]
        fn what_is_built_opens(pin in "[0-9]{4,12}", pan in "[0-9]{1,19}", random: [u8; 8], key: [u8; 16]) {
            for format in PinBlockFormat::ALL {
                let block = format.build(&pin, &pan, random).unwrap();
                let opened = format.open(block.expose(), &pan).unwrap();
                prop_assert_eq!(opened.expose(), &pin);
            }
            let key = Secret::new(key.to_vec());
            let made = PinBlock4::build(&key, &pin, &pan, random).unwrap();
            let opened = PinBlock4::open(&key, &made.block, &pan).unwrap();
            prop_assert_eq!(opened.expose(), &pin);
        }

        #[test]
        fn arbitrary_blocks_never_panic(block: [u8; 8], pan in ".{0,21}") {
            for format in PinBlockFormat::ALL {
                let _ = format.open(&block, &pan);
            }
        }
    }
}
