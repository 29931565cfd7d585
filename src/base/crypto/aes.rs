//! AES on single blocks (FIPS 197).

use aes::{Aes128, Aes192, Aes256};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::CryptoError;

/// Encrypts one block with AES; the key's length (16, 24 or 32 bytes) chooses the variant.
pub fn aes_encrypt_block(key: &[u8], block: [u8; 16]) -> Result<[u8; 16], CryptoError> {
    let mut out = block.into();
    match key.len() {
        16 => Aes128::new_from_slice(key).map_err(|_| wrong(key))?.encrypt_block(&mut out),
        24 => Aes192::new_from_slice(key).map_err(|_| wrong(key))?.encrypt_block(&mut out),
        _ => Aes256::new_from_slice(key).map_err(|_| wrong(key))?.encrypt_block(&mut out),
    }
    Ok(out.into())
}

/// Decrypts one block with AES; the key's length (16, 24 or 32 bytes) chooses the variant.
pub fn aes_decrypt_block(key: &[u8], block: [u8; 16]) -> Result<[u8; 16], CryptoError> {
    let mut out = block.into();
    match key.len() {
        16 => Aes128::new_from_slice(key).map_err(|_| wrong(key))?.decrypt_block(&mut out),
        24 => Aes192::new_from_slice(key).map_err(|_| wrong(key))?.decrypt_block(&mut out),
        _ => Aes256::new_from_slice(key).map_err(|_| wrong(key))?.decrypt_block(&mut out),
    }
    Ok(out.into())
}

fn wrong(key: &[u8]) -> CryptoError {
    CryptoError::KeyLength { found_bytes: key.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_197_appendix_c() {
        let key: Vec<u8> = (0..32).collect();
        let plain: [u8; 16] = std::array::from_fn(|i| i as u8 * 0x11);
        for (length, first) in [(16, 0x69), (24, 0xDD), (32, 0x8E)] {
            let out = aes_encrypt_block(&key[..length], plain).unwrap();
            assert_eq!(out[0], first);
            assert_eq!(aes_decrypt_block(&key[..length], out).unwrap(), plain);
        }
        assert_eq!(aes_encrypt_block(&key[..17], plain), Err(CryptoError::KeyLength { found_bytes: 17 }));
    }
}
