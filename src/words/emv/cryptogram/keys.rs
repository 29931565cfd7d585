//! The three keys of an issuer and of a card: cryptograms, script integrity,
//! script confidentiality (EMV Book 2 annex A1.4; PBOC DGI 8000).

use super::{CryptogramError, CryptogramVersion};
use crate::base::bytes::Secret;

/// An issuer's master keys.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    /// For application cryptograms.
    pub ac: Secret<[u8; 16]>,
    /// For script MACs and the MAC in issuer application data.
    pub mac: Secret<[u8; 16]>,
    /// For enciphered script data.
    pub enc: Secret<[u8; 16]>,
}

/// One card's keys, made from the issuer's.
#[derive(Debug, Clone)]
pub struct CardKeys {
    /// For application cryptograms.
    pub ac: Secret<[u8; 16]>,
    /// For script MACs and the MAC in issuer application data.
    pub mac: Secret<[u8; 16]>,
    /// For enciphered script data.
    pub enc: Secret<[u8; 16]>,
}

impl CardKeys {
    /// Makes a card's three keys. `pan` is its digits; `psn` the byte of 5F34.
    pub fn diversify(
        version: &CryptogramVersion,
        master: &MasterKeys,
        pan: &str,
        psn: u8,
    ) -> Result<Self, CryptogramError> {
        Ok(Self {
            ac: version.udk(master.ac.expose(), pan, psn)?,
            mac: version.udk(master.mac.expose(), pan, psn)?,
            enc: version.udk(master.enc.expose(), pan, psn)?,
        })
    }
}
