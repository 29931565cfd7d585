//! Hashes over parts that stand side by side: SHA-1, SHA-256 (FIPS 180) and SM3 (GB/T 32905).
//! SHA-1 stays because EMV's certificates have it (Book 2 annex B3.1).

use sha1::{Digest, Sha1};
use sha2::Sha256;
use sm3::Sm3;

/// SHA-1 over the parts one after another.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    over::<Sha1>(parts).into()
}

/// SHA-256 over the parts one after another.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    over::<Sha256>(parts).into()
}

/// SM3 over the parts one after another.
pub fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    over::<Sm3>(parts).into()
}

fn over<D: Digest>(parts: &[&[u8]]) -> cipher::array::Array<u8, D::OutputSize> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_the_standards() {
        assert_eq!(sm3(&[b"abc"])[..4], [0x66, 0xC7, 0xF0, 0xF4]);
        assert_eq!(sha1(&[b"a", b"bc"])[..4], [0xA9, 0x99, 0x3E, 0x36]);
        assert_eq!(sha256(&[b"ab", b"c"])[..4], [0xBA, 0x78, 0x16, 0xBF]);
    }
}
