//! Card keys and session keys over triple DES (EMV Book 2 annex A1; PBOC part 5;
//! VIS secure messaging; the PBOC purse).

use super::des::odd_parity;
use super::mac::halves;
use super::sha1;
use super::{CryptoError, TripleDes};
use crate::base::bytes::digits_to_bcd;

/// Most digits a PAN has (ISO/IEC 7812-1).
const PAN_DIGITS_MAX: usize = 19;

/// EMV card key, option A (annex A1.4.1), which is also PBOC's: both halves from
/// the rightmost 16 digits of PAN and sequence number. `psn` is the byte of 5F34
/// (two decimal digits; 00 when the card has none). Parity is left as it falls.
pub fn option_a(master: &[u8; 16], pan_digits: &str, psn: u8) -> Result<[u8; 16], CryptoError> {
    let x = option_a_input(pan_digits, psn)?;
    Ok(derive_pair(master, x, complement(x)))
}

/// EMV card key, option B (annex A1.4.2): for a PAN of more than 16 digits, the
/// input comes from the decimalised SHA-1 of PAN and sequence number; a shorter
/// PAN takes option A. Parity is left as it falls.
pub fn option_b(master: &[u8; 16], pan_digits: &str, psn: u8) -> Result<[u8; 16], CryptoError> {
    let x = option_b_input(pan_digits, psn)?;
    Ok(derive_pair(master, x, complement(x)))
}

/// The rightmost 16 digits of PAN and sequence number, zeros on the left.
pub fn option_a_input(pan_digits: &str, psn: u8) -> Result<[u8; 8], CryptoError> {
    let digits = pan_and_sequence(pan_digits, psn)?;
    let kept = digits.get(digits.len().saturating_sub(16)..).unwrap_or_default();
    packed(&format!("{kept:0>16}"), pan_digits)
}

/// The first 16 decimal digits of SHA-1 over PAN and sequence number; where there
/// are fewer, the letters from the front follow as 0 to 5. A PAN of up to 16
/// digits gives [`option_a_input`].
pub fn option_b_input(pan_digits: &str, psn: u8) -> Result<[u8; 8], CryptoError> {
    if pan_digits.len() <= 16 {
        return option_a_input(pan_digits, psn);
    }
    let digits = pan_and_sequence(pan_digits, psn)?;
    let whole_bytes = digits.len().div_ceil(2);
    let message = digits_to_bcd(&format!("{digits:0>width$}", width = whole_bytes * 2), whole_bytes)
        .map_err(|_| not_a_pan(pan_digits))?;
    packed(&decimalised(&sha1(&[&message]))[..16], pan_digits)
}

/// PBOC session key (part 5): left from the ATC, right from its complement, each
/// after six bytes of zeros.
pub fn pboc_session_key(card_key: &[u8; 16], atc: [u8; 2]) -> [u8; 16] {
    TripleDes::Crate.pboc_session_key(card_key, atc)
}

/// EMV common session key (Book 2 annex A1.3.1) from the diversification value
/// `r`: its third byte is F0 for the left half and 0F for the right. For secure
/// messaging `r` is the ARQC.
pub fn emv_common_session_key(card_key: &[u8; 16], r: [u8; 8]) -> [u8; 16] {
    TripleDes::Crate.emv_common_session_key(card_key, r)
}

/// EMV common session key for application cryptograms: `r` is the ATC, then zeros.
pub fn emv_common_session_key_atc(card_key: &[u8; 16], atc: [u8; 2]) -> [u8; 16] {
    TripleDes::Crate.emv_common_session_key_atc(card_key, atc)
}

/// VIS secure messaging session key: the ATC XORed into the end of the left half,
/// its complement into the end of the right half.
pub fn vis_session_key_xor(card_key: &[u8; 16], atc: [u8; 2]) -> [u8; 16] {
    let mut key = *card_key;
    key[6] ^= atc[0];
    key[7] ^= atc[1];
    key[14] ^= !atc[0];
    key[15] ^= !atc[1];
    key
}

/// Mastercard's session key for application cryptograms (M/Chip): as EMV's common one,
/// `r` being the ATC, two zeros and the terminal's unpredictable number.
pub fn mastercard_session_key(card_key: &[u8; 16], atc: [u8; 2], unpredictable_number: [u8; 4]) -> [u8; 16] {
    TripleDes::Crate.mastercard_session_key(card_key, atc, unpredictable_number)
}

/// EMV 2000 session key (EMV 4.1 Book 2 annex A1.3, withdrawn by bulletin SU-46): a tree
/// of branch factor 4 and height 8 under the card's key, walked by the ATC. Odd parity.
pub fn emv_2000_session_key(card_key: &[u8; 16], atc: [u8; 2]) -> [u8; 16] {
    const HEIGHT: u32 = 8;
    let atc = u16::from_be_bytes(atc);
    let [mut above, mut grandparent, mut parent] = [[0; 16], [0; 16], *card_key];
    for level in (0..HEIGHT).rev() {
        let branch = (atc >> (2 * level) & 3) as u8;
        let (mut left, mut right) = halves(&grandparent);
        left[7] ^= branch;
        right[7] ^= branch ^ 0xF0;
        let child = derive_pair(&parent, left, right);
        [above, grandparent, parent] = [grandparent, parent, child];
    }
    let mut key = std::array::from_fn(|place| parent[place] ^ above[place]);
    odd_parity(&mut key);
    key
}

/// Card key of the PBOC purse: left from the 8-byte application serial, right
/// from its complement. Repeated with a code block, it is the step from one level
/// of master key (country, city) to the next.
pub fn purse_card_key(master: &[u8; 16], serial: [u8; 8]) -> [u8; 16] {
    derive_pair(master, serial, complement(serial))
}

/// Single-DES key of the purse's TAC: left half XOR right half of the card's TAC key.
pub fn purse_tac_key(card_tac_key: &[u8; 16]) -> [u8; 8] {
    let (left, right) = halves(card_tac_key);
    std::array::from_fn(|i| left[i] ^ right[i])
}

/// A 16-byte key from two 8-byte inputs, each encrypted with triple DES.
pub fn derive_pair(key: &[u8; 16], left: [u8; 8], right: [u8; 8]) -> [u8; 16] {
    TripleDes::Crate.derive_pair(key, left, right)
}

fn complement(x: [u8; 8]) -> [u8; 8] {
    x.map(|byte| !byte)
}

/// Hexadecimal digits made decimal: those below A first, then the letters as 0 to 5.
pub(super) fn decimalised(bytes: &[u8]) -> String {
    let text = hex::encode_upper(bytes);
    let digits = text.chars().filter(char::is_ascii_digit);
    let letters = text.chars().filter(|c| !c.is_ascii_digit()).map(|c| char::from(c as u8 - b'A' + b'0'));
    digits.chain(letters).collect()
}

/// The bytes of a PAN of 1 to 19 digits.
pub(super) fn checked_pan(pan_digits: &str) -> Result<&[u8], CryptoError> {
    let all_digits = pan_digits.bytes().all(|byte| byte.is_ascii_digit());
    match pan_digits.is_empty() || pan_digits.len() > PAN_DIGITS_MAX || !all_digits {
        true => Err(not_a_pan(pan_digits)),
        false => Ok(pan_digits.as_bytes()),
    }
}

fn pan_and_sequence(pan_digits: &str, psn: u8) -> Result<String, CryptoError> {
    checked_pan(pan_digits)?;
    if psn >> 4 > 9 || psn & 0x0F > 9 {
        return Err(CryptoError::PanSequenceNumber { found: psn });
    }
    Ok(format!("{pan_digits}{psn:02X}"))
}

fn not_a_pan(pan_digits: &str) -> CryptoError {
    CryptoError::Pan {
        found_characters: pan_digits.chars().count(),
        not_digit_at: pan_digits.chars().position(|c| !c.is_ascii_digit()),
    }
}

fn packed(sixteen_digits: &str, pan_digits: &str) -> Result<[u8; 8], CryptoError> {
    let bytes = digits_to_bcd(sixteen_digits, 8).map_err(|_| not_a_pan(pan_digits))?;
    bytes.try_into().map_err(|_| not_a_pan(pan_digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crypto::kcv;

    const MASTER: [u8; 16] =
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];

    #[test]
    fn option_a_of_long_and_short_pans() {
        let x = option_a_input("6299999999999999", 0x00).unwrap();
        assert_eq!(x, [0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x00]);
        assert_eq!(option_a_input("6200001234567890123", 0x01).unwrap()[0], 0x01);
        assert_eq!(option_a_input("123", 0x45).unwrap(), [0, 0, 0, 0, 0, 0x01, 0x23, 0x45]);
    }

    #[test]
    fn public_check_values() {
        let check = |key: Result<[u8; 16], CryptoError>| kcv(&key.unwrap());
        assert_eq!(check(option_a(&MASTER, "12345678901234567", 0x45))[..2], [0xFF, 0x08]);
        assert_eq!(check(option_b(&MASTER, "12345678901234567", 0x45))[..2], [0x0B, 0xAF]);
        assert_eq!(check(option_b(&MASTER, "123456789012345679", 0x00))[..2], [0xC2, 0xF3]);
    }

    #[test]
    fn emv_2000_of_a_public_vector() {
        // pyemv (github.com/knovichikhin/pyemv, MIT), kd.derive_emv2000_tree_sk.
        let key = emv_2000_session_key(&MASTER, [0x00, 0x1C]);
        assert_eq!(hex::encode_upper(key), "E5BF6D1067F194B0A89B7F5D83BC64A2");
    }

    #[test]
    fn refuses_what_is_no_pan_and_does_not_repeat_it() {
        let error = option_a(&MASTER, "62000F", 0).unwrap_err();
        assert!(!error.to_string().contains("62000"));
        assert_eq!(error, CryptoError::Pan { found_characters: 6, not_digit_at: Some(5) });
        for wrong in ["", "12345678901234567890", "１２３４"] {
            assert!(option_b(&MASTER, wrong, 0).is_err(), "{wrong}");
        }
        assert!(matches!(option_a(&MASTER, "62", 0x1A), Err(CryptoError::PanSequenceNumber { found: 0x1A })));
    }
}
