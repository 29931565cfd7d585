//! DES and two-key triple DES (ISO/IEC 18033-3), odd parity, key check values.

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};

use super::CryptoError;

/// Encrypts one block with single DES.
pub fn des_encrypt_block(key: &[u8; 8], block: [u8; 8]) -> [u8; 8] {
    let mut out = block.into();
    Des::new(&(*key).into()).encrypt_block(&mut out);
    out.into()
}

/// Decrypts one block with single DES.
pub fn des_decrypt_block(key: &[u8; 8], block: [u8; 8]) -> [u8; 8] {
    let mut out = block.into();
    Des::new(&(*key).into()).decrypt_block(&mut out);
    out.into()
}

/// Encrypts one block with two-key triple DES: E(left), D(right), E(left).
pub fn tdes_encrypt_block(key: &[u8; 16], block: [u8; 8]) -> [u8; 8] {
    let mut out = block.into();
    TdesEde2::new(&(*key).into()).encrypt_block(&mut out);
    out.into()
}

/// Decrypts one block with two-key triple DES.
pub fn tdes_decrypt_block(key: &[u8; 16], block: [u8; 8]) -> [u8; 8] {
    let mut out = block.into();
    TdesEde2::new(&(*key).into()).decrypt_block(&mut out);
    out.into()
}

/// Several blocks under one key schedule, which costs a third of a block.
pub(super) fn tdes_encrypt_blocks<const N: usize>(key: &[u8; 16], blocks: [[u8; 8]; N]) -> [[u8; 8]; N] {
    let cipher = TdesEde2::new(&(*key).into());
    blocks.map(|block| {
        let mut out = block.into();
        cipher.encrypt_block(&mut out);
        out.into()
    })
}

/// Encrypts whole 8-byte blocks with triple DES, each by itself. Refuses any
/// other length: the padding is the caller's rule.
pub fn tdes_ecb_encrypt(key: &[u8; 16], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let cipher = TdesEde2::new(&(*key).into());
    each_block(data, |block| {
        let mut out = block.into();
        cipher.encrypt_block(&mut out);
        out.into()
    })
}

/// Decrypts whole 8-byte blocks with triple DES, each by itself.
pub fn tdes_ecb_decrypt(key: &[u8; 16], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let cipher = TdesEde2::new(&(*key).into());
    each_block(data, |block| {
        let mut out = block.into();
        cipher.decrypt_block(&mut out);
        out.into()
    })
}

/// Encrypts whole 8-byte blocks with triple DES in CBC mode. The last block is the
/// CBC-MAC of the data (ISO/IEC 9797-1 algorithm 1 over triple DES).
pub fn tdes_cbc_encrypt(key: &[u8; 16], iv: [u8; 8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (cipher, mut chain) = (TdesEde2::new(&(*key).into()), iv);
    each_block(data, |block| {
        let mut out = std::array::from_fn::<u8, 8, _>(|i| chain[i] ^ block[i]).into();
        cipher.encrypt_block(&mut out);
        chain = out.into();
        chain
    })
}

/// Decrypts whole 8-byte blocks with triple DES in CBC mode.
pub fn tdes_cbc_decrypt(key: &[u8; 16], iv: [u8; 8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (cipher, mut chain) = (TdesEde2::new(&(*key).into()), iv);
    each_block(data, |block| {
        let mut out = block.into();
        cipher.decrypt_block(&mut out);
        let plain: [u8; 8] = out.into();
        let plain = std::array::from_fn(|i| chain[i] ^ plain[i]);
        chain = block;
        plain
    })
}

/// Sets the lowest bit of every byte so that the byte has an odd number of ones.
/// DES ignores that bit; a key made by XOR and the stored bytes do not.
pub fn odd_parity(key: &mut [u8]) {
    for byte in key {
        *byte = (*byte & 0xFE) | u8::from((*byte >> 1).count_ones() % 2 == 0);
    }
}

/// Key check value: the first three bytes of the encryption of zeros.
pub fn kcv(key: &[u8; 16]) -> [u8; 3] {
    let [a, b, c, ..] = tdes_encrypt_block(key, [0; 8]);
    [a, b, c]
}

fn each_block(data: &[u8], mut crypt: impl FnMut([u8; 8]) -> [u8; 8]) -> Result<Vec<u8>, CryptoError> {
    let (blocks, rest) = data.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(CryptoError::NotWholeBlocks {
            algorithm: "triple DES",
            block_bytes: 8,
            found_bytes: data.len(),
        });
    }
    Ok(blocks.iter().flat_map(|block| crypt(*block)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] =
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];

    #[test]
    fn check_value_of_the_public_test_key() {
        assert_eq!(kcv(&KEY)[..2], [0x08, 0xD7]);
    }

    #[test]
    fn equal_halves_are_single_des() {
        let half = *KEY.first_chunk::<8>().unwrap();
        let key = *[half, half].as_flattened().first_chunk::<16>().unwrap();
        assert_eq!(tdes_encrypt_block(&key, [7; 8]), des_encrypt_block(&half, [7; 8]));
        assert_eq!(des_decrypt_block(&half, des_encrypt_block(&half, [7; 8])), [7; 8]);
    }

    #[test]
    fn parity_is_odd_and_does_not_matter_to_des() {
        let mut key: [u8; 16] = std::array::from_fn(|i| i as u8 * 7);
        let before = kcv(&key);
        odd_parity(&mut key);
        assert!(key.iter().all(|byte| byte.count_ones() % 2 == 1));
        assert_eq!(kcv(&key), before);
    }

    #[test]
    fn ecb_refuses_part_of_a_block() {
        let error = tdes_ecb_encrypt(&KEY, &[0; 9]).unwrap_err();
        assert_eq!(error.to_string(), "expected a multiple of 8 bytes for triple DES in ECB mode, found 9");
        let out = tdes_ecb_encrypt(&KEY, &[1; 16]).unwrap();
        assert_eq!(tdes_ecb_decrypt(&KEY, &out).unwrap(), [1; 16]);
    }
}
