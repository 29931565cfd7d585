//! SM4 (GB/T 32907) on whole blocks, and PBOC's card and session keys over it
//! (JR/T 0025.17). These follow public code; no card has confirmed them.

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use sm4::Sm4;

use super::CryptoError;

/// Encrypts one block with SM4.
pub fn sm4_encrypt_block(key: &[u8; 16], block: [u8; 16]) -> [u8; 16] {
    let mut out = block.into();
    Sm4::new(&(*key).into()).encrypt_block(&mut out);
    out.into()
}

/// Decrypts one block with SM4.
pub fn sm4_decrypt_block(key: &[u8; 16], block: [u8; 16]) -> [u8; 16] {
    let mut out = block.into();
    Sm4::new(&(*key).into()).decrypt_block(&mut out);
    out.into()
}

/// Encrypts whole 16-byte blocks with SM4, each by itself.
pub fn sm4_ecb_encrypt(key: &[u8; 16], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    each_block(data, |block| sm4_encrypt_block(key, block))
}

/// Decrypts whole 16-byte blocks with SM4, each by itself.
pub fn sm4_ecb_decrypt(key: &[u8; 16], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    each_block(data, |block| sm4_decrypt_block(key, block))
}

/// Card key: one block, the 8-byte input (rightmost 16 digits of PAN and sequence
/// number, see [`super::option_a_input`]) and its complement.
pub fn sm4_card_key(master: &[u8; 16], x: [u8; 8]) -> [u8; 16] {
    sm4_encrypt_block(master, with_complement(x))
}

/// Session key: one block, six zeros and the ATC, six zeros and its complement.
pub fn sm4_session_key(card_key: &[u8; 16], atc: [u8; 2]) -> [u8; 16] {
    let [high, low] = atc;
    sm4_encrypt_block(card_key, [0, 0, 0, 0, 0, 0, high, low, 0, 0, 0, 0, 0, 0, !high, !low])
}

/// Key check value: the first three bytes of the encryption of zeros.
pub fn sm4_kcv(key: &[u8; 16]) -> [u8; 3] {
    let [a, b, c, ..] = sm4_encrypt_block(key, [0; 16]);
    [a, b, c]
}

fn with_complement(x: [u8; 8]) -> [u8; 16] {
    std::array::from_fn(|i| if i < 8 { x[i] } else { !x[i - 8] })
}

fn each_block(data: &[u8], crypt: impl Fn([u8; 16]) -> [u8; 16]) -> Result<Vec<u8>, CryptoError> {
    let (blocks, rest) = data.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(CryptoError::NotWholeBlocks {
            algorithm: "SM4",
            block_bytes: 16,
            found_bytes: data.len(),
        });
    }
    Ok(blocks.iter().flat_map(|block| crypt(*block)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer_of_the_standard() {
        let key =
            [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];
        let out = sm4_encrypt_block(&key, key);
        assert_eq!(out[..4], [0x68, 0x1E, 0xDF, 0x34]);
        assert_eq!(sm4_decrypt_block(&key, out), key);
    }

    #[test]
    fn ecb_refuses_part_of_a_block() {
        assert!(sm4_ecb_encrypt(&[0; 16], &[0; 8]).is_err());
        let out = sm4_ecb_encrypt(&[0; 16], &[5; 32]).unwrap();
        assert_eq!(sm4_ecb_decrypt(&[0; 16], &out).unwrap(), [5; 32]);
    }
}
