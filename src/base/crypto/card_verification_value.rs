//! Card verification values (CVV, CVV2, iCVV; CVC): a pair of DES keys over PAN, expiry
//! and service code, decimalised. The method is public; IBM's CSNBCSG describes it.

use super::derivation::{checked_pan, decimalised};
use super::mac::halves;
use super::{CryptoError, des_encrypt_block, tdes_encrypt_block};
use crate::base::bytes::digits_to_bcd;

/// The value's digits, 16 at most, of which cards print or carry the first three.
/// `expiry` is four digits in the order that the issuer uses (YYMM on tracks, often MMYY
/// for CVV2); `service_code` is three: 000 gives CVV2, 999 iCVV.
pub fn card_verification_value(
    key_pair: &[u8; 16],
    pan: &str,
    expiry: &str,
    service_code: &str,
) -> Result<String, CryptoError> {
    checked_pan(pan)?;
    let wrong = |what, digits, text: &str| {
        let right = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_digit());
        if right { Ok(()) } else { Err(CryptoError::Digits { what, digits, found: text.chars().count() }) }
    };
    wrong("expiry date", 4, expiry)?;
    wrong("service code", 3, service_code)?;
    let text = format!("{:0<32}", format!("{pan}{expiry}{service_code}"));
    // Digits by the checks above, 26 at most.
    let data = digits_to_bcd(&text, 16).unwrap_or_default();
    let ([first, second], _) = data.as_chunks::<8>() else {
        return Err(CryptoError::Digits { what: "verification data", digits: 32, found: text.len() });
    };
    let (left, _) = halves(key_pair);
    let chain = des_encrypt_block(&left, *first);
    let out = tdes_encrypt_block(key_pair, std::array::from_fn(|i| chain[i] ^ second[i]));
    Ok(decimalised(&out))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [u8; 16] =
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];

    #[test]
    fn the_public_example() {
        // Thales and IBM manuals: PAN 4123456789012345, expiry 8701, service code 101.
        let value = |service| card_verification_value(&KEYS, "4123456789012345", "8701", service).unwrap();
        assert_eq!(value("101")[..3], *"561");
        assert_ne!(value("000")[..3], value("999")[..3]);
    }

    #[test]
    fn what_is_no_input_is_refused() {
        for (pan, expiry, service) in
            [("41a", "8701", "101"), ("41", "871", "101"), ("41", "8701", "1x1"), ("", "8701", "101")]
        {
            assert!(card_verification_value(&KEYS, pan, expiry, service).is_err());
        }
    }
}
