//! A block cipher chosen at run time: single blocks, ECB, CBC, CBC-MAC, check values.
//! For calculators; where the cipher is known its own functions are shorter.

use super::{CryptoError, Padding, aes_cmac, pad};
use super::{aes_decrypt_block, aes_encrypt_block, sm4_decrypt_block, sm4_encrypt_block};
use super::{des_decrypt_block, des_encrypt_block};
use crate::base::bytes::Secret;

/// Which block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CipherKind {
    /// DES with a key of 8 bytes, triple DES with one of 16 or 24.
    Des,
    /// AES with a key of 16, 24 or 32 bytes.
    Aes,
    /// SM4 with a key of 16 bytes.
    Sm4,
}

impl CipherKind {
    /// Bytes of a block.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes | Self::Sm4 => 16,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Des => "DES",
            Self::Aes => "AES",
            Self::Sm4 => "SM4",
        }
    }

    const fn key_lengths(self) -> &'static [usize] {
        match self {
            Self::Des => &[8, 16, 24],
            Self::Aes => &[16, 24, 32],
            Self::Sm4 => &[16],
        }
    }
}

/// A block cipher and its key.
#[derive(Debug, Clone)]
pub struct BlockCipher {
    kind: CipherKind,
    key: Secret<Vec<u8>>,
}

impl BlockCipher {
    /// A cipher under a key of one of its lengths.
    pub fn new(kind: CipherKind, key: Secret<Vec<u8>>) -> Result<Self, CryptoError> {
        let found_bytes = key.expose().len();
        match kind.key_lengths().contains(&found_bytes) {
            true => Ok(Self { kind, key }),
            false => Err(CryptoError::CipherKeyLength {
                algorithm: kind.name(),
                expected: kind.key_lengths(),
                found_bytes,
            }),
        }
    }

    /// Which cipher it is.
    pub const fn kind(&self) -> CipherKind {
        self.kind
    }

    /// Encrypts whole blocks, each by itself.
    pub fn encrypt_ecb(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.each(data, |block| self.encrypt_block(block))
    }

    /// Decrypts whole blocks, each by itself.
    pub fn decrypt_ecb(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.each(data, |block| self.decrypt_block(block))
    }

    /// Encrypts whole blocks, each joined with the one before; `iv` is a block.
    pub fn encrypt_cbc(&self, iv: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut chain = self.iv(iv)?;
        self.each(data, |block| {
            chain = self.encrypt_block(&xor(block, &chain))?;
            Ok(chain.clone())
        })
    }

    /// Decrypts what [`Self::encrypt_cbc`] made.
    pub fn decrypt_cbc(&self, iv: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut chain = self.iv(iv)?;
        self.each(data, |block| {
            let plain = xor(&self.decrypt_block(block)?, &chain);
            chain = block.to_vec();
            Ok(plain)
        })
    }

    /// ISO/IEC 9797-1 algorithm 1: the last block of CBC over the padded data.
    pub fn mac_algorithm_1(&self, iv: &[u8], data: &[u8], padding: Padding) -> Result<Vec<u8>, CryptoError> {
        let block_bytes = self.kind.block_bytes();
        let mut out = self.encrypt_cbc(iv, &pad(data, block_bytes, padding))?;
        Ok(out.split_off(out.len().saturating_sub(block_bytes)))
    }

    /// Key check value, 3 bytes: the beginning of the encryption of zeros.
    pub fn check_value(&self) -> Result<[u8; 3], CryptoError> {
        Ok(first_three(&self.encrypt_block(&vec![0; self.kind.block_bytes()])?))
    }

    /// The other check value that AES keys have: the beginning of the CMAC of a block of
    /// zeros (ANSI X9.24-1:2017 annex A). Other ciphers have none.
    pub fn check_value_cmac(&self) -> Option<[u8; 3]> {
        let mac = (self.kind == CipherKind::Aes).then(|| aes_cmac(self.key.expose(), &[0; 16]))?;
        mac.ok().map(|mac| first_three(&mac))
    }

    fn encrypt_block(&self, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = self.key.expose();
        match self.kind {
            CipherKind::Des => self.triple(block, [des_encrypt_block, des_decrypt_block], [0, 1, 2]),
            CipherKind::Aes => Ok(aes_encrypt_block(key, self.block(block)?)?.to_vec()),
            CipherKind::Sm4 => Ok(sm4_encrypt_block(&self.block(key)?, self.block(block)?).to_vec()),
        }
    }

    fn decrypt_block(&self, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = self.key.expose();
        match self.kind {
            CipherKind::Des => self.triple(block, [des_decrypt_block, des_encrypt_block], [2, 1, 0]),
            CipherKind::Aes => Ok(aes_decrypt_block(key, self.block(block)?)?.to_vec()),
            CipherKind::Sm4 => Ok(sm4_decrypt_block(&self.block(key)?, self.block(block)?).to_vec()),
        }
    }

    /// Single DES, or three passes of which the middle one goes the other way. Of two
    /// halves the first comes again as the third.
    fn triple(
        &self,
        block: &[u8],
        [outer, inner]: [Pass; 2],
        order: [usize; 3],
    ) -> Result<Vec<u8>, CryptoError> {
        let block = self.block(block)?;
        Ok(match self.key.expose().as_chunks::<8>().0 {
            [only] => outer(only, block),
            parts => {
                let part = |place: usize| &parts[order[place] % parts.len()];
                outer(part(2), inner(part(1), outer(part(0), block)))
            }
        }
        .to_vec())
    }

    fn each(
        &self,
        data: &[u8],
        mut crypt: impl FnMut(&[u8]) -> Result<Vec<u8>, CryptoError>,
    ) -> Result<Vec<u8>, CryptoError> {
        if !data.len().is_multiple_of(self.kind.block_bytes()) {
            return Err(self.not_whole(data.len()));
        }
        let mut out = Vec::with_capacity(data.len());
        for block in data.chunks(self.kind.block_bytes()) {
            out.extend(crypt(block)?);
        }
        Ok(out)
    }

    fn iv(&self, iv: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match iv.len() == self.kind.block_bytes() {
            true => Ok(iv.to_vec()),
            false => Err(self.not_whole(iv.len())),
        }
    }

    fn block<const N: usize>(&self, bytes: &[u8]) -> Result<[u8; N], CryptoError> {
        bytes.try_into().map_err(|_| self.not_whole(bytes.len()))
    }

    fn not_whole(&self, found_bytes: usize) -> CryptoError {
        let (algorithm, block_bytes) = (self.kind.name(), self.kind.block_bytes());
        CryptoError::NotWholeBlocks { algorithm, block_bytes, found_bytes }
    }
}

/// One pass of DES.
type Pass = fn(&[u8; 8], [u8; 8]) -> [u8; 8];

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}

fn first_three(bytes: &[u8]) -> [u8; 3] {
    std::array::from_fn(|place| bytes[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crypto::{
        kcv, mac_algorithm_1, sm4_cbc_mac, sm4_kcv, tdes_cbc_encrypt, tdes_decrypt_block,
    };
    use proptest::prelude::*;

    fn cipher(kind: CipherKind, key: &[u8]) -> BlockCipher {
        BlockCipher::new(kind, Secret::new(key.to_vec())).unwrap()
    }

    #[test]
    fn a_key_has_one_of_its_ciphers_lengths() {
        for (kind, length) in [(CipherKind::Des, 7), (CipherKind::Aes, 8), (CipherKind::Sm4, 24)] {
            let error = BlockCipher::new(kind, Secret::new(vec![0; length])).unwrap_err();
            assert!(error.to_string().contains(&format!("found {length}")), "{error}");
        }
    }

    #[test]
    fn three_equal_keys_are_single_des() {
        let (single, triple) = (cipher(CipherKind::Des, &[7; 8]), cipher(CipherKind::Des, &[7; 24]));
        assert_eq!(single.encrypt_ecb(&[1; 16]), triple.encrypt_ecb(&[1; 16]));
    }

    #[test]
    fn aes_has_two_check_values() {
        // NIST SP 800-38A's key under ECB of zeros, by openssl; the CMAC by another path.
        let key: Vec<u8> = (0..16).collect();
        let aes = cipher(CipherKind::Aes, &key);
        assert_eq!(aes.check_value().unwrap(), [0xC6, 0xA1, 0x3B]);
        assert_eq!(aes.check_value_cmac().unwrap()[..], aes_cmac(&key, &[0; 16]).unwrap()[..3]);
        assert_eq!(cipher(CipherKind::Sm4, &key).check_value_cmac(), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_functions_of_each_cipher(
            key: [u8; 16], iv: [u8; 8], blocks in prop::collection::vec(any::<[u8; 16]>(), 1..5),
        ) {
            let data = blocks.as_flattened();
            let (des, sm4) = (cipher(CipherKind::Des, &key), cipher(CipherKind::Sm4, &key));
            prop_assert_eq!(des.check_value().unwrap(), kcv(&key));
            prop_assert_eq!(sm4.check_value().unwrap(), sm4_kcv(&key));
            prop_assert_eq!(des.encrypt_cbc(&iv, data).unwrap(), tdes_cbc_encrypt(&key, iv, data).unwrap());
            let block = *iv.first_chunk::<8>().unwrap();
            prop_assert_eq!(des.decrypt_ecb(&block).unwrap(), tdes_decrypt_block(&key, block));
            let half = *key.first_chunk::<8>().unwrap();
            let single = cipher(CipherKind::Des, &half);
            for padding in [Padding::Method1, Padding::Method2] {
                prop_assert_eq!(
                    single.mac_algorithm_1(&iv, &data[3..], padding).unwrap(),
                    mac_algorithm_1(&half, iv, &data[3..], padding)
                );
                prop_assert_eq!(
                    sm4.mac_algorithm_1(&[0; 16], &data[3..], padding).unwrap(),
                    sm4_cbc_mac(&key, &data[3..], padding)
                );
            }
        }

        #[test]
        fn what_is_encrypted_decrypts(key: [u8; 32], iv: [u8; 16], data in prop::collection::vec(any::<u8>(), 0..64)) {
            for (kind, lengths) in
                [(CipherKind::Des, &[8, 16, 24][..]), (CipherKind::Aes, &[16, 24, 32]), (CipherKind::Sm4, &[16])]
            {
                for length in lengths {
                    let cipher = cipher(kind, &key[..*length]);
                    let (iv, whole) = (&iv[..kind.block_bytes()], data.len() % kind.block_bytes() == 0);
                    match cipher.encrypt_cbc(iv, &data) {
                        Ok(out) => prop_assert_eq!(cipher.decrypt_cbc(iv, &out).unwrap(), data.clone()),
                        Err(_) => prop_assert!(!whole),
                    }
                    if let Ok(out) = cipher.encrypt_ecb(&data) {
                        prop_assert_eq!(cipher.decrypt_ecb(&out).unwrap(), data.clone());
                    }
                }
            }
        }
    }
}
