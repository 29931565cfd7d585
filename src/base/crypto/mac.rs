//! Message authentication: ISO/IEC 9797-1 algorithms 1 and 3 over DES, CBC-MAC
//! over SM4, CMAC over AES (NIST SP 800-38B).

use aes::{Aes128, Aes192, Aes256};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};
use des::Des;
use sm4::Sm4;

use super::CryptoError;

/// How a message is filled up to whole blocks (ISO/IEC 9797-1 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Zeros, only as many as needed; an empty message becomes one block of zeros.
    Method1,
    /// One byte 80, always, then zeros.
    Method2,
}

/// Fills `data` up to whole blocks of `block_bytes` bytes.
pub fn pad(data: &[u8], block_bytes: usize, padding: Padding) -> Vec<u8> {
    let block_bytes = block_bytes.max(1);
    let mut out = Vec::with_capacity(data.len() + block_bytes);
    out.extend_from_slice(data);
    if padding == Padding::Method2 {
        out.push(0x80);
    }
    out.resize(out.len().next_multiple_of(block_bytes).max(block_bytes), 0);
    out
}

/// ISO/IEC 9797-1 algorithm 3, the retail MAC: single DES in CBC mode with the
/// left half of the key and IV 0, then D(right), E(left). All 8 bytes.
pub fn mac_algorithm_3(key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 8] {
    mac_algorithm_3_from(key, [0; 8], data, padding)
}

/// The same with another initial vector.
pub fn mac_algorithm_3_from(key: &[u8; 16], iv: [u8; 8], data: &[u8], padding: Padding) -> [u8; 8] {
    let (left, right) = halves(key);
    let cipher = Des::new(&left.into());
    let mut out = des_cbc(&cipher, iv, data, padding).into();
    Des::new(&right.into()).decrypt_block(&mut out);
    cipher.encrypt_block(&mut out);
    out.into()
}

/// ISO/IEC 9797-1 algorithm 1: single DES in CBC mode, the last block. All 8 bytes.
pub fn mac_algorithm_1(key: &[u8; 8], iv: [u8; 8], data: &[u8], padding: Padding) -> [u8; 8] {
    des_cbc(&Des::new(&(*key).into()), iv, data, padding)
}

/// CBC-MAC over SM4 with IV 0: the last block. All 16 bytes.
pub fn sm4_cbc_mac(key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 16] {
    let cipher = Sm4::new(&(*key).into());
    let mut chain = [0u8; 16];
    for block in pad(data, 16, padding).as_chunks::<16>().0 {
        let mut next = std::array::from_fn::<u8, 16, _>(|i| chain[i] ^ block[i]).into();
        cipher.encrypt_block(&mut next);
        chain = next.into();
    }
    chain
}

/// CMAC over AES; the key's length (16, 24 or 32 bytes) chooses the variant.
pub fn aes_cmac(key: &[u8], data: &[u8]) -> Result<[u8; 16], CryptoError> {
    fn run<M: Mac<OutputSize = cipher::consts::U16> + KeyInit>(
        key: &[u8],
        data: &[u8],
    ) -> Result<[u8; 16], CryptoError> {
        let mut mac = <M as KeyInit>::new_from_slice(key)
            .map_err(|_| CryptoError::KeyLength { found_bytes: key.len() })?;
        mac.update(data);
        Ok(mac.finalize().into_bytes().into())
    }
    match key.len() {
        16 => run::<Cmac<Aes128>>(key, data),
        24 => run::<Cmac<Aes192>>(key, data),
        _ => run::<Cmac<Aes256>>(key, data),
    }
}

pub(super) fn halves(key: &[u8; 16]) -> ([u8; 8], [u8; 8]) {
    (std::array::from_fn(|i| key[i]), std::array::from_fn(|i| key[i + 8]))
}

/// CBC without a copy of the message: only the last block is padded.
fn des_cbc(cipher: &Des, iv: [u8; 8], data: &[u8], padding: Padding) -> [u8; 8] {
    let mut chain = iv;
    let mut absorb = |block: &[u8; 8]| {
        let mut next = std::array::from_fn::<u8, 8, _>(|i| chain[i] ^ block[i]).into();
        cipher.encrypt_block(&mut next);
        chain = next.into();
    };
    let (blocks, rest) = data.as_chunks::<8>();
    blocks.iter().for_each(&mut absorb);
    if let Some(last) = last_block(rest, data.is_empty(), padding) {
        absorb(&last);
    }
    chain
}

/// The block that padding adds after the whole ones, if it adds any.
pub(super) fn last_block(rest: &[u8], is_empty: bool, padding: Padding) -> Option<[u8; 8]> {
    if padding == Padding::Method1 && rest.is_empty() && !is_empty {
        return None;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    if padding == Padding::Method2 {
        last[rest.len()] = 0x80;
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_whole_blocks() {
        assert_eq!(pad(&[1; 8], 8, Padding::Method1), [1; 8]);
        assert_eq!(pad(&[], 8, Padding::Method1), [0; 8]);
        assert_eq!(pad(&[1; 7], 8, Padding::Method2), [1, 1, 1, 1, 1, 1, 1, 0x80]);
        assert_eq!(pad(&[1; 8], 8, Padding::Method2)[8..], [0x80, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn padding_in_place_equals_padding_by_copy() {
        for length in 0..25 {
            let data = vec![0xA5; length];
            for padding in [Padding::Method1, Padding::Method2] {
                let padded = pad(&data, 8, padding);
                assert_eq!(
                    mac_algorithm_1(b"8byteKEY", [0; 8], &data, padding),
                    mac_algorithm_1(b"8byteKEY", [0; 8], &padded, Padding::Method1),
                );
            }
        }
    }

    #[test]
    fn retail_mac_of_the_public_message() {
        let key = *[[0xAA; 8], [0xBB; 8]].as_flattened().first_chunk::<16>().unwrap();
        let mac = |padding| mac_algorithm_3(&key, b"hello world", padding);
        assert_eq!(mac(Padding::Method1), [0x78, 0xDA, 0x3D, 0x3D, 0xEB, 0x48, 0xFD, 0x4D]);
        assert_eq!(mac(Padding::Method2), [0x2B, 0xC2, 0xD9, 0xED, 0xE0, 0xCF, 0x31, 0xF6]);
    }

    #[test]
    fn cmac_of_rfc_4493_example_1() {
        let key =
            [0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C];
        assert_eq!(aes_cmac(&key, b"").unwrap()[..4], [0xBB, 0x1D, 0x69, 0x29]);
        assert_eq!(aes_cmac(&key[..5], b""), Err(CryptoError::KeyLength { found_bytes: 5 }));
    }
}
