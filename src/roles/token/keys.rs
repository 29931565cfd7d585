//! The keys of token cards: the service holds the master keys, the issuer does not.

use crate::words::emv::Pan;
use crate::words::emv::cryptogram::{CardKeys, CryptogramVersion, MasterKeys};
use crate::words::pboc::CryptogramRefusal;

/// Master keys of the token range, under one derivation key index.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    /// The master keys.
    pub master: MasterKeys,
    /// The derivation key index that token cards name in 9F10.
    pub dki: u8,
    /// The cryptogram version of token cards.
    pub version: &'static CryptogramVersion,
}

impl TokenKeys {
    /// The keys of one token's card under a version of the family of its own.
    pub(super) fn card_keys(
        &self,
        version: &CryptogramVersion,
        token: &Pan,
    ) -> Result<CardKeys, CryptogramRefusal> {
        CardKeys::diversify(version, &self.master, token.expose(), super::record::PSN)
            .map_err(|_| CryptogramRefusal::NoCardKey)
    }
}
