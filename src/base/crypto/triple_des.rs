//! Who computes triple DES: the crate `des`, or tables. Both give the same; what is made
//! with a key of a card or an issuer is made by one choice, which comes in here.

use super::{Padding, des, mac, table_des};

/// Who computes triple DES.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TripleDes {
    /// The crate `des`, in a time that tells nothing of the key: for secrets on a host
    /// that others share.
    #[default]
    Crate,
    /// Tables, more than twice as fast, in a time that the cache gives them: for simulated
    /// cards, whose keys are no secrets.
    Tables,
}

impl TripleDes {
    /// One block: E(left), D(right), E(left).
    pub fn encrypt_block(self, key: &[u8; 16], block: [u8; 8]) -> [u8; 8] {
        match self {
            Self::Crate => des::tdes_encrypt_block(key, block),
            Self::Tables => table_des::tdes_encrypt_block(key, block),
        }
    }

    /// A 16-byte key from two 8-byte inputs, each encrypted.
    pub fn derive_pair(self, key: &[u8; 16], left: [u8; 8], right: [u8; 8]) -> [u8; 16] {
        let blocks = match self {
            Self::Crate => des::tdes_encrypt_blocks(key, [left, right]),
            Self::Tables => table_des::tdes_encrypt_blocks(key, [left, right]),
        };
        std::array::from_fn(|place| blocks[place / 8][place % 8])
    }

    /// The retail MAC, as [`super::mac_algorithm_3`]. All 8 bytes.
    pub fn mac_algorithm_3(self, key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 8] {
        match self {
            Self::Crate => mac::mac_algorithm_3(key, data, padding),
            Self::Tables => table_des::mac_algorithm_3(key, data, padding),
        }
    }

    /// As [`super::pboc_session_key`].
    pub fn pboc_session_key(self, card_key: &[u8; 16], [high, low]: [u8; 2]) -> [u8; 16] {
        self.derive_pair(card_key, [0, 0, 0, 0, 0, 0, high, low], [0, 0, 0, 0, 0, 0, !high, !low])
    }

    /// As [`super::emv_common_session_key`].
    pub fn emv_common_session_key(self, card_key: &[u8; 16], r: [u8; 8]) -> [u8; 16] {
        let [a, b, _, c, d, e, f, g] = r;
        self.derive_pair(card_key, [a, b, 0xF0, c, d, e, f, g], [a, b, 0x0F, c, d, e, f, g])
    }

    /// As [`super::emv_common_session_key_atc`].
    pub fn emv_common_session_key_atc(self, card_key: &[u8; 16], [high, low]: [u8; 2]) -> [u8; 16] {
        self.emv_common_session_key(card_key, [high, low, 0, 0, 0, 0, 0, 0])
    }

    /// As [`super::mastercard_session_key`].
    pub fn mastercard_session_key(
        self,
        card_key: &[u8; 16],
        [high, low]: [u8; 2],
        [a, b, c, d]: [u8; 4],
    ) -> [u8; 16] {
        self.emv_common_session_key(card_key, [high, low, 0, 0, a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_give_the_same(
            key: [u8; 16], block: [u8; 8], atc: [u8; 2], number: [u8; 4], data: Vec<u8>, second: bool,
        ) {
            let padding = if second { Padding::Method2 } else { Padding::Method1 };
            let [one, other] = [TripleDes::Crate, TripleDes::Tables].map(|by| {
                (
                    by.encrypt_block(&key, block),
                    by.mac_algorithm_3(&key, &data, padding),
                    by.pboc_session_key(&key, atc),
                    by.emv_common_session_key(&key, block),
                    by.emv_common_session_key_atc(&key, atc),
                    by.mastercard_session_key(&key, atc, number),
                )
            });
            prop_assert_eq!(one, other);
        }
    }
}
