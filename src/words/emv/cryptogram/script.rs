//! Secure messaging of issuer scripts (EMV Book 2 clause 9, format 2 with the
//! transaction's ATC and ARQC; VIS; PBOC): the MAC, enciphered data, the PIN
//! block of PIN CHANGE. Chaining one command's MAC into the next is not done.

use zeroize::Zeroizing;

use super::{Algorithm, CardKeys, CryptogramError, CryptogramVersion, PinBlockKey};
use crate::base::bytes::Secret;
use crate::base::crypto::{self, Padding};

impl CryptogramVersion {
    /// MAC of a script command: over CLA INS P1 P2 Lc, ATC, ARQC and the command's
    /// data before the MAC, leftmost `length_bytes` (4 to 8; usually
    /// [`Self::script_mac_bytes`]). The Lc in `header` counts the MAC.
    pub fn script_mac(
        &self,
        udk_mac: &[u8; 16],
        atc: [u8; 2],
        arqc: [u8; 8],
        header: [u8; 5],
        data: &[u8],
        length_bytes: usize,
    ) -> Result<Vec<u8>, CryptogramError> {
        if !(4..=8).contains(&length_bytes) {
            return Err(CryptogramError::ScriptMacLength { found_bytes: length_bytes });
        }
        let key = self.script_session_key(udk_mac, atc, arqc);
        let message = [&header[..], &atc, &arqc, data].concat();
        Ok(self.mac(key.expose(), &message, Padding::Method2)[..length_bytes].to_vec())
    }

    /// Enciphers command data: its length in one byte, the data, padding 80 00...,
    /// then the block cipher on each block.
    pub fn encipher_data(
        &self,
        udk_enc: &[u8; 16],
        atc: [u8; 2],
        arqc: [u8; 8],
        data: &[u8],
    ) -> Result<Vec<u8>, CryptogramError> {
        let Ok(length) = u8::try_from(data.len()) else {
            return Err(CryptogramError::NotDefined {
                version: self.name,
                what: "command data over 255 bytes",
            });
        };
        let mut plain = Zeroizing::new(Vec::with_capacity(data.len() + 1));
        plain.push(length);
        plain.extend_from_slice(data);
        let padded = Zeroizing::new(crypto::pad(&plain, self.block_bytes(), Padding::Method2));
        let key = self.script_session_key(udk_enc, atc, arqc);
        Ok(match self.algorithm {
            Algorithm::TripleDes => crypto::tdes_ecb_encrypt(key.expose(), &padded)?,
            Algorithm::Sm4 => crypto::sm4_ecb_encrypt(key.expose(), &padded)?,
        })
    }

    /// Opens what [`Self::encipher_data`] made; checks length and padding.
    pub fn decipher_data(
        &self,
        udk_enc: &[u8; 16],
        atc: [u8; 2],
        arqc: [u8; 8],
        enciphered: &[u8],
    ) -> Result<Secret<Vec<u8>>, CryptogramError> {
        let key = self.script_session_key(udk_enc, atc, arqc);
        let plain = Zeroizing::new(match self.algorithm {
            Algorithm::TripleDes => crypto::tdes_ecb_decrypt(key.expose(), enciphered)?,
            Algorithm::Sm4 => crypto::sm4_ecb_decrypt(key.expose(), enciphered)?,
        });
        let data = plain
            .split_first()
            .and_then(|(length, rest)| rest.get(..usize::from(*length)))
            .ok_or(CryptogramError::Enciphered { reason: "expected a length that fits", offset: 0 })?;
        let whole =
            Zeroizing::new(crypto::pad(&plain[..data.len() + 1], self.block_bytes(), Padding::Method2));
        if *whole != *plain {
            return Err(CryptogramError::Enciphered {
                reason: "expected padding 80 and zeros to the end of the block",
                offset: data.len() + 1,
            });
        }
        Ok(Secret::new(data.to_vec()))
    }

    /// The enciphered PIN block of PIN CHANGE. With the current PIN, P2 of the
    /// command is 01; without it, 02. The PINs are 4 to 12 digits.
    pub fn encipher_pin_block(
        &self,
        keys: &CardKeys,
        atc: [u8; 2],
        arqc: [u8; 8],
        new_pin: &str,
        current_pin: Option<&str>,
    ) -> Result<Vec<u8>, CryptogramError> {
        let mut block = Zeroizing::new(pin_digits(new_pin, 0x0F)?);
        block.rotate_right(1);
        block[0] = new_pin.len() as u8;
        xor(&mut block, &*self.pin_mask(keys, current_pin)?);
        self.encipher_data(keys.enc.expose(), atc, arqc, &*block)
    }

    /// The new PIN out of an enciphered PIN block, as the card reads it.
    pub fn decipher_pin_block(
        &self,
        keys: &CardKeys,
        atc: [u8; 2],
        arqc: [u8; 8],
        enciphered: &[u8],
        current_pin: Option<&str>,
    ) -> Result<Secret<String>, CryptogramError> {
        let data = self.decipher_data(keys.enc.expose(), atc, arqc, enciphered)?;
        let mut block: Zeroizing<[u8; 8]> =
            Zeroizing::new(data.expose().as_slice().try_into().map_err(|_| CryptogramError::Enciphered {
                reason: "expected 8 bytes of PIN block",
                offset: 1,
            })?);
        xor(&mut block, &*self.pin_mask(keys, current_pin)?);
        let digits = Zeroizing::new(hex::encode_upper(&block[1..]));
        let length = usize::from(block[0]);
        let pin = digits
            .get(..length)
            .filter(|pin| (4..=12).contains(&length) && pin.bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|_| digits[length..].bytes().all(|byte| byte == b'F'));
        pin.map(|pin| Secret::new(pin.to_owned()))
            .ok_or(CryptogramError::Enciphered { reason: "expected 4 to 12 digits and filling F", offset: 1 })
    }

    const fn block_bytes(&self) -> usize {
        match self.algorithm {
            Algorithm::TripleDes => 8,
            Algorithm::Sm4 => 16,
        }
    }

    /// What is XORed over the PIN: four zeros and bytes 5 to 8 of the card key with
    /// odd parity, and the current PIN's digits from the left.
    fn pin_mask(
        &self,
        keys: &CardKeys,
        current_pin: Option<&str>,
    ) -> Result<Zeroizing<[u8; 8]>, CryptogramError> {
        let key = match self.pin_block_key {
            PinBlockKey::Ac => &keys.ac,
            PinBlockKey::Enc => &keys.enc,
        };
        let mut key = Zeroizing::new(*key.expose());
        if self.algorithm == Algorithm::TripleDes {
            crypto::odd_parity(&mut *key);
        }
        let mut mask = Zeroizing::new([0; 8]);
        mask[4..].copy_from_slice(&key[4..8]);
        if let Some(pin) = current_pin {
            xor(&mut mask, &pin_digits(pin, 0)?);
        }
        Ok(mask)
    }
}

/// A PIN's digits packed from the left, the rest filled with `fill`.
fn pin_digits(pin: &str, fill: u8) -> Result<[u8; 8], CryptogramError> {
    let characters = pin.chars().count();
    if !(4..=12).contains(&characters) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CryptogramError::Pin { found_characters: characters });
    }
    let mut nibbles = pin.bytes().map(|byte| byte - b'0');
    let mut next = || nibbles.next().unwrap_or(fill);
    Ok(std::array::from_fn(|_| (next() << 4) | next()))
}

fn xor(onto: &mut [u8; 8], with: &[u8; 8]) {
    for (byte, other) in onto.iter_mut().zip(with) {
        *byte ^= other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::cryptogram::CRYPTOGRAM_VERSIONS;

    fn keys() -> CardKeys {
        CardKeys { ac: [0x11; 16].into(), mac: [0x22; 16].into(), enc: [0x35; 16].into() }
    }

    #[test]
    fn a_pin_block_opens_again_under_every_version() {
        let (atc, arqc) = ([0, 0x1C], [9; 8]);
        for row in CRYPTOGRAM_VERSIONS {
            for (pin, current) in [("1234", None), ("123456789012", Some("999999"))] {
                let sealed = row.encipher_pin_block(&keys(), atc, arqc, pin, current).unwrap();
                let opened = row.decipher_pin_block(&keys(), atc, arqc, &sealed, current).unwrap();
                assert_eq!(opened.expose(), pin, "{}", row.name);
            }
        }
    }

    #[test]
    fn a_wrong_current_pin_or_key_does_not_open() {
        let row = &CRYPTOGRAM_VERSIONS[0];
        let sealed = row.encipher_pin_block(&keys(), [0, 1], [9; 8], "123456", Some("8888")).unwrap();
        assert!(row.decipher_pin_block(&keys(), [0, 2], [9; 8], &sealed, Some("8888")).is_err());
        assert!(row.decipher_pin_block(&keys(), [0, 1], [9; 8], &sealed[..8], Some("8888")).is_err());
        assert!(row.decipher_pin_block(&keys(), [0, 1], [9; 8], &[], None).is_err());
        let mut other = keys();
        other.enc = [0x77; 16].into();
        assert!(row.decipher_pin_block(&other, [0, 1], [9; 8], &sealed, Some("8888")).is_err());
    }

    #[test]
    fn refuses_a_bad_pin_without_repeating_it() {
        for pin in ["123", "1234567890123", "12a4", "１２３４"] {
            let error =
                CRYPTOGRAM_VERSIONS[0].encipher_pin_block(&keys(), [0, 1], [9; 8], pin, None).unwrap_err();
            assert!(matches!(error, CryptogramError::Pin { .. }) && !error.to_string().contains(pin));
        }
    }

    #[test]
    fn a_mac_has_four_to_eight_bytes() {
        for row in CRYPTOGRAM_VERSIONS {
            let mac = |length| row.script_mac(&[1; 16], [0, 1], [2; 8], [0x84, 0x1E, 0, 0, 4], &[], length);
            assert_eq!(mac(4).unwrap()[..], mac(8).unwrap()[..4]);
            assert_eq!(mac(9), Err(CryptogramError::ScriptMacLength { found_bytes: 9 }));
        }
    }

    proptest::proptest! {
        #[test]
        fn enciphered_data_opens_again(data: Vec<u8>, atc: [u8; 2], arqc: [u8; 8]) {
            for row in CRYPTOGRAM_VERSIONS {
                let sealed = row.encipher_data(&[7; 16], atc, arqc, &data[..data.len().min(255)]).unwrap();
                let opened = row.decipher_data(&[7; 16], atc, arqc, &sealed).unwrap();
                proptest::prop_assert_eq!(opened.expose().as_slice(), &data[..data.len().min(255)]);
            }
        }

        #[test]
        fn arbitrary_bytes_are_refused_or_read_never_a_panic(bytes: Vec<u8>, atc: [u8; 2], arqc: [u8; 8]) {
            let _ = CryptogramVersion::by_iad(&bytes);
            for row in CRYPTOGRAM_VERSIONS {
                let _ = row.decipher_data(&[7; 16], atc, arqc, &bytes);
                let _ = row.decipher_pin_block(&keys(), atc, arqc, &bytes, None);
                let _ = row.assemble(&|_| Some(bytes.clone()));
            }
        }
    }
}
