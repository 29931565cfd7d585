//! An issuer's master keys under one derivation key index (EMV Book 2 annex A1.4;
//! PBOC DGI 8000), and the project's own test key set.

use crate::base::bytes::Secret;
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::{CardKeys, CryptogramError, CryptogramVersion, MasterKeys};
use crate::words::pboc::PurseKeys;

// TEST KEYS. Made for this project and printed here: a card that bears them is worth nothing.
const TEST_AC: [u8; 16] = *b"\xCA\x4D\x01\x10\x20\x31\x40\x51\x61\x70\x80\x91\xA1\xB0\xC1\xD0";
const TEST_MAC: [u8; 16] = *b"\xCA\x4D\x02\x13\x23\x32\x43\x52\x62\x73\x83\x92\xA2\xB3\xC2\xD3";
const TEST_ENC: [u8; 16] = *b"\xCA\x4D\x04\x15\x25\x34\x45\x54\x64\x75\x85\x94\xA4\xB5\xC4\xD5";

const TOKEN_AC: [u8; 16] = *b"\x70\x4B\x01\x1A\x2B\x3C\x4D\x5E\x6F\x80\x91\xA2\xB3\xC4\xD5\xE6";
const TOKEN_MAC: [u8; 16] = *b"\x70\x4B\x02\x1D\x2E\x3F\x40\x51\x62\x73\x84\x95\xA6\xB7\xC8\xD9";
const TOKEN_ENC: [u8; 16] = *b"\x70\x4B\x04\x1F\x20\x31\x42\x53\x64\x75\x86\x97\xA8\xB9\xCA\xDB";

/// The test master keys of purses, in the order of [`PurseKeys`]; they are public as well.
const PURSE: [[u8; 16]; 8] = [
    *b"\xED\xE9\x01\x10\x21\x30\x41\x50\x61\x70\x81\x90\xA1\xB0\xC1\xD1",
    *b"\xED\xE9\x02\x12\x23\x32\x43\x52\x63\x72\x83\x92\xA3\xB2\xC3\xD2",
    *b"\xED\xE9\x03\x14\x25\x34\x45\x54\x65\x74\x85\x94\xA5\xB4\xC5\xD3",
    *b"\xED\xE9\x04\x16\x27\x36\x47\x56\x67\x76\x87\x96\xA7\xB6\xC7\xD4",
    *b"\xED\xE9\x05\x18\x29\x38\x49\x58\x69\x78\x89\x98\xA9\xB8\xC9\xD5",
    *b"\xED\xE9\x06\x1A\x2B\x3A\x4B\x5A\x6B\x7A\x8B\x9A\xAB\xBA\xCB\xD6",
    *b"\xED\xE9\x07\x1C\x2D\x3C\x4D\x5C\x6D\x7C\x8D\x9C\xAD\xBC\xCD\xD7",
    *b"\xED\xE9\x08\x1E\x2F\x3E\x4F\x5E\x6F\x7E\x8F\x9E\xAF\xBE\xCF\xD8",
];

/// Master keys and the derivation key index (DKI) that names them on a card.
#[derive(Debug, Clone)]
pub struct KeySet {
    dki: u8,
    master: MasterKeys,
}

impl KeySet {
    /// The index of the test key set.
    pub const TEST_DKI: u8 = 0x01;

    /// The project's own test key set, index 01. Its keys are public.
    pub fn test() -> Self {
        let master =
            MasterKeys { ac: Secret::new(TEST_AC), mac: Secret::new(TEST_MAC), enc: Secret::new(TEST_ENC) };
        Self { dki: Self::TEST_DKI, master }
    }

    /// The index of the test key set of tokens.
    pub const TEST_TOKEN_DKI: u8 = 0x02;

    /// The project's own test key set for tokens, index 02, which the token service
    /// holds and the issuer does not. Its keys are public.
    pub fn test_tokens() -> Self {
        let master = MasterKeys {
            ac: Secret::new(TOKEN_AC),
            mac: Secret::new(TOKEN_MAC),
            enc: Secret::new(TOKEN_ENC),
        };
        Self { dki: Self::TEST_TOKEN_DKI, master }
    }

    /// The project's own test master keys of purses.
    pub fn test_purses() -> PurseKeys {
        PurseKeys::new(PURSE.map(Secret::new))
    }

    /// The derivation key index, as issuer application data carries it.
    pub const fn dki(&self) -> u8 {
        self.dki
    }

    /// The master keys, as an issuer holds them.
    pub const fn master(&self) -> &MasterKeys {
        &self.master
    }

    /// The three keys of one card. `psn` is the byte of 5F34, 00 where the card has none.
    pub fn card_keys(
        &self,
        version: &CryptogramVersion,
        pan: &Pan,
        psn: u8,
    ) -> Result<CardKeys, CryptogramError> {
        CardKeys::diversify(version, &self.master, pan.expose(), psn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_get_keys_of_their_own() {
        let version = CryptogramVersion::by_name("PBOC CVN 01").unwrap();
        let keys = |body: &str, psn| {
            let pan = Pan::with_check_digit(body).unwrap();
            *KeySet::test().card_keys(version, &pan, psn).unwrap().ac.expose()
        };
        assert_ne!(keys("629999000000001", 0), keys("629999000000002", 0));
        assert_ne!(keys("629999000000001", 0), keys("629999000000001", 1));
        let set = KeySet::test();
        assert_ne!(set.master().ac, set.master().mac);
        assert_ne!(set.master().mac, set.master().enc);
    }
}
