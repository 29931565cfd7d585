//! A cryptogram version and what it computes: card keys, session keys,
//! cryptograms, ARPC (EMV Book 2 clause 8; VIS; PBOC).

use super::{CRYPTOGRAM_VERSIONS, CryptogramError, IadLayout, InputPart};
use crate::base::bytes::Secret;
use crate::base::crypto::{self, Padding, TripleDes};

/// One way of making cryptograms: a row of [`CRYPTOGRAM_VERSIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CryptogramVersion {
    /// Its name in profiles and reports.
    pub name: &'static str,
    /// Cryptogram version number as issuer application data carries it.
    pub cvn: u8,
    /// Where that is in them, and what else.
    pub iad: IadLayout,
    /// The block cipher.
    pub algorithm: Algorithm,
    /// Who computes triple DES; every row says the crate.
    pub des: TripleDes,
    /// How a card's keys come from the issuer's.
    pub card_key: CardKeyDerivation,
    /// Whether card keys get odd parity. DES does not see it; a session key or
    /// PIN block made by XOR does.
    pub card_key_parity: bool,
    /// Session key of application cryptograms.
    pub ac_session_key: SessionKey,
    /// Session keys of script MACs and enciphered script data.
    pub script_session_key: SessionKey,
    /// Padding of the application cryptogram's input.
    pub padding: Padding,
    /// The application cryptogram's input.
    pub input: &'static [InputPart],
    /// How the issuer answers.
    pub arpc_method: ArpcMethod,
    /// Which key ARPC method 1 uses.
    pub arpc_key: ArpcKey,
    /// Bytes of a script MAC where nothing else is said, 4 to 8.
    pub script_mac_bytes: usize,
    /// Which card key takes part in the PIN block of PIN CHANGE.
    pub pin_block_key: PinBlockKey,
}

/// The block cipher of a version; issuer application data of PBOC 3.0 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Two-key triple DES, identifier 01.
    TripleDes,
    /// SM4, identifier 04.
    Sm4,
}

impl Algorithm {
    /// The identifier in byte 8 of PBOC issuer application data.
    pub const fn id(self) -> u8 {
        match self {
            Self::TripleDes => 0x01,
            Self::Sm4 => 0x04,
        }
    }
}

/// How a card's key comes from the issuer's master key (EMV Book 2 annex A1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardKeyDerivation {
    /// The rightmost 16 digits of PAN and sequence number; PBOC's way too.
    OptionA,
    /// Option A up to 16 digits of PAN, their SHA-1 beyond.
    OptionB,
}

/// How a session key comes from a card's key. SM4 has PBOC's way alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKey {
    /// None: the card's key itself.
    CardKey,
    /// Zeros and ATC, zeros and its complement (PBOC).
    Pboc,
    /// EMV common session key, diversified by the ATC.
    EmvCommonAtc,
    /// EMV common session key, diversified by the ARQC.
    EmvCommonArqc,
    /// The ATC XORed into the card's key (VIS).
    VisXor,
    /// By ATC and the terminal's unpredictable number (M/Chip 4).
    Mastercard,
}

/// How the issuer's answer is authenticated (EMV Book 2 clause 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArpcMethod {
    /// Eight bytes over ARQC and authorisation response code.
    Method1,
    /// Four bytes over ARQC, card status update and proprietary data.
    Method2,
}

/// Which key an ARPC uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArpcKey {
    /// The session key of application cryptograms.
    Session,
    /// The card's key itself.
    Card,
}

/// Which card key's bytes enter the PIN block of PIN CHANGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinBlockKey {
    /// The key of application cryptograms (VIS).
    Ac,
    /// The key of enciphered script data (seen in PBOC card code).
    Enc,
}

impl CryptogramVersion {
    /// The first row with this number and algorithm identifier (01 triple DES, 04 SM4)
    /// whose number stands first or behind a length.
    pub fn by_cvn(cvn: u8, algorithm_id: u8) -> Option<&'static Self> {
        let mut rows = CRYPTOGRAM_VERSIONS.iter().filter(|row| row.iad != IadLayout::Mchip);
        rows.find(|row| row.cvn == cvn && row.algorithm.id() == algorithm_id)
    }

    /// The row of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        CRYPTOGRAM_VERSIONS.iter().find(|row| row.name == name)
    }

    /// The first row that fits issuer application data (9F10), by their layout and the
    /// number in it; where a length first is 07, the eighth byte is the algorithm
    /// identifier, else it is triple DES.
    pub fn by_iad(iad: &[u8]) -> Option<&'static Self> {
        let layout = IadLayout::of(iad)?;
        let cvn = layout.version(iad)?;
        let algorithm = match (layout, iad) {
            (IadLayout::LengthFirst, [0x07, _, _, _, _, _, _, algorithm, ..]) => *algorithm,
            _ => Algorithm::TripleDes.id(),
        };
        let mut rows = CRYPTOGRAM_VERSIONS.iter().filter(|row| row.iad == layout);
        rows.find(|row| row.cvn == cvn && row.algorithm.id() == algorithm)
    }

    /// The same with another who computes triple DES.
    pub const fn by(&self, des: TripleDes) -> Self {
        Self { des, ..*self }
    }

    /// A card's key (UDK) from the issuer's. `pan` is its digits without filling;
    /// `psn` the byte of 5F34, 00 when the card has none.
    pub fn udk(&self, master: &[u8; 16], pan: &str, psn: u8) -> Result<Secret<[u8; 16]>, CryptogramError> {
        let x = match self.card_key {
            CardKeyDerivation::OptionA => crypto::option_a_input(pan, psn)?,
            CardKeyDerivation::OptionB => crypto::option_b_input(pan, psn)?,
        };
        let mut key = match self.algorithm {
            Algorithm::TripleDes => self.des.derive_pair(master, x, x.map(|byte| !byte)),
            Algorithm::Sm4 => crypto::sm4_card_key(master, x),
        };
        if self.card_key_parity {
            crypto::odd_parity(&mut key);
        }
        Ok(Secret::new(key))
    }

    /// The session key of application cryptograms; `unpredictable_number` is 9F37, which
    /// M/Chip alone looks at.
    pub fn session_key(
        &self,
        udk_ac: &[u8; 16],
        atc: [u8; 2],
        unpredictable_number: [u8; 4],
    ) -> Secret<[u8; 16]> {
        let given = Given { atc, unpredictable_number, arqc: None };
        self.derive_session_key(self.ac_session_key, udk_ac, given)
    }

    /// The session key of script MACs or of enciphered script data, by which of
    /// the card's keys is given. `arqc` is the first cryptogram of the transaction.
    pub fn script_session_key(&self, udk: &[u8; 16], atc: [u8; 2], arqc: [u8; 8]) -> Secret<[u8; 16]> {
        self.derive_session_key(self.script_session_key, udk, Given { arqc: Some(arqc), ..Given::of(atc) })
    }

    /// The session key of the MAC in issuer application data: as for scripts, but
    /// by the ATC alone, since that MAC is made before there is an ARQC.
    pub fn iad_session_key(&self, udk_mac: &[u8; 16], atc: [u8; 2]) -> Secret<[u8; 16]> {
        self.derive_session_key(self.script_session_key, udk_mac, Given::of(atc))
    }

    /// AAC, ARQC or TC over `data`, which [`Self::assemble`] makes.
    pub fn application_cryptogram(&self, udk_ac: &[u8; 16], atc: [u8; 2], data: &[u8]) -> [u8; 8] {
        let number = self.unpredictable_number_in(data).unwrap_or_default();
        self.mac(self.session_key(udk_ac, atc, number).expose(), data, self.padding)
    }

    /// ARPC by method 1 over the ARQC and the authorisation response code (tag 8A).
    /// Tag 91 is these 8 bytes and the code.
    pub fn arpc_method_1(&self, udk_ac: &[u8; 16], atc: [u8; 2], arqc: [u8; 8], arc: [u8; 2]) -> [u8; 8] {
        let key = match self.arpc_key {
            ArpcKey::Session => self.arpc_session_key(udk_ac, atc),
            ArpcKey::Card => Secret::new(*udk_ac),
        };
        let mut block = arqc;
        block[0] ^= arc[0];
        block[1] ^= arc[1];
        match self.algorithm {
            Algorithm::TripleDes => self.des.encrypt_block(key.expose(), block),
            Algorithm::Sm4 => {
                let wide = std::array::from_fn(|i| if i < 8 { block[i] } else { 0 });
                leftmost_8(crypto::sm4_encrypt_block(key.expose(), wide))
            }
        }
    }

    /// ARPC by method 2 over the ARQC, the card status update and up to 8 bytes of
    /// proprietary data. Tag 91 is these 4 bytes, the update and the data. SM4 has none.
    pub fn arpc_method_2(
        &self,
        udk_ac: &[u8; 16],
        atc: [u8; 2],
        arqc: [u8; 8],
        csu: [u8; 4],
        proprietary: &[u8],
    ) -> Result<[u8; 4], CryptogramError> {
        if self.algorithm == Algorithm::Sm4 {
            return Err(CryptogramError::NotDefined { version: self.name, what: "ARPC method 2" });
        }
        if proprietary.len() > 8 {
            return Err(CryptogramError::ProprietaryAuthenticationData { found_bytes: proprietary.len() });
        }
        let data = [&arqc[..], &csu, proprietary].concat();
        let [a, b, c, d, ..] = self.mac(self.arpc_session_key(udk_ac, atc).expose(), &data, Padding::Method2);
        Ok([a, b, c, d])
    }

    /// Check value of a key under this version's cipher: 3 bytes.
    pub fn key_check_value(&self, key: &[u8; 16]) -> [u8; 3] {
        match self.algorithm {
            Algorithm::TripleDes => crypto::kcv(key),
            Algorithm::Sm4 => crypto::sm4_kcv(key),
        }
    }

    /// The session key of an ARPC. No row whose session keys need the unpredictable number
    /// makes its ARPC under one.
    pub fn arpc_session_key(&self, udk_ac: &[u8; 16], atc: [u8; 2]) -> Secret<[u8; 16]> {
        self.derive_session_key(self.ac_session_key, udk_ac, Given::of(atc))
    }

    /// The MAC of this version's cipher over data under a session key: its leftmost 8 bytes.
    pub fn mac(&self, key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 8] {
        match self.algorithm {
            Algorithm::TripleDes => self.des.mac_algorithm_3(key, data, padding),
            Algorithm::Sm4 => leftmost_8(crypto::sm4_cbc_mac(key, data, padding)),
        }
    }

    fn derive_session_key(&self, derivation: SessionKey, udk: &[u8; 16], given: Given) -> Secret<[u8; 16]> {
        let Given { atc, unpredictable_number, arqc } = given;
        Secret::new(match (self.algorithm, derivation, arqc) {
            (_, SessionKey::CardKey, _) => *udk,
            (Algorithm::Sm4, ..) => crypto::sm4_session_key(udk, atc),
            (_, SessionKey::Pboc, _) => self.des.pboc_session_key(udk, atc),
            (_, SessionKey::VisXor, _) => crypto::vis_session_key_xor(udk, atc),
            (_, SessionKey::Mastercard, _) => self.des.mastercard_session_key(udk, atc, unpredictable_number),
            (_, SessionKey::EmvCommonArqc, Some(arqc)) => self.des.emv_common_session_key(udk, arqc),
            (_, SessionKey::EmvCommonAtc | SessionKey::EmvCommonArqc, _) => {
                self.des.emv_common_session_key_atc(udk, atc)
            }
        })
    }
}

/// What diversifies a session key.
#[derive(Clone, Copy)]
struct Given {
    atc: [u8; 2],
    unpredictable_number: [u8; 4],
    /// The first cryptogram; an application cryptogram cannot be diversified by itself.
    arqc: Option<[u8; 8]>,
}

impl Given {
    fn of(atc: [u8; 2]) -> Self {
        Self { atc, unpredictable_number: [0; 4], arqc: None }
    }
}

fn leftmost_8(block: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|i| block[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sound() {
        for (index, row) in CRYPTOGRAM_VERSIONS.iter().enumerate() {
            let twin = CRYPTOGRAM_VERSIONS.iter().position(|other| other.name == row.name);
            assert_eq!(twin, Some(index), "{} is there twice", row.name);
            assert!((4..=8).contains(&row.script_mac_bytes), "{}", row.name);
            assert_ne!(row.ac_session_key, SessionKey::EmvCommonArqc, "{}", row.name);
            // The ARPC's key is made without the unpredictable number.
            let by_number = row.ac_session_key == SessionKey::Mastercard;
            assert!(!by_number || row.arpc_key == ArpcKey::Card, "{}", row.name);
            if row.algorithm == Algorithm::Sm4 {
                assert_eq!(
                    (row.ac_session_key, row.script_session_key),
                    (SessionKey::Pboc, SessionKey::Pboc)
                );
            }
        }
    }

    #[test]
    fn issuer_application_data_names_its_version() {
        let name = |iad: &[u8]| CryptogramVersion::by_iad(iad).map(|row| row.name);
        assert_eq!(name(&[7, 1, 1, 3, 0xA0, 0, 0, 1, 0x0A]), Some("PBOC CVN 01"));
        assert_eq!(name(&[7, 1, 0x17, 3, 0xA0, 0, 0, 4]), Some("PBOC CVN 17 SM4"));
        assert_eq!(name(&[6, 1, 0x0A, 3, 0xA0, 0, 0]), Some("VIS CVN 10"));
        assert_eq!(name(&[0x0F, 0xA5, 1, 0]), Some("EMV CSK"));
        let mchip = [1, 0x11, 0xA0, 0, 3, 0x22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF];
        assert_eq!(name(&mchip), Some("M/Chip CVN 17"));
        assert_eq!(name(&[7, 1]), None);
        assert_eq!(name(&[7, 1, 1, 3, 0xA0, 0, 0, 9]), None);
    }

    #[test]
    fn method_2_says_what_it_cannot_do() {
        let sm4 = CryptogramVersion::by_cvn(0x01, 0x04).unwrap();
        assert!(sm4.arpc_method_2(&[0; 16], [0, 1], [0; 8], [0; 4], &[]).is_err());
        let vis = CryptogramVersion::by_cvn(0x12, 0x01).unwrap();
        assert!(vis.arpc_method_2(&[0; 16], [0, 1], [0; 8], [0; 4], &[0; 9]).is_err());
    }
}
