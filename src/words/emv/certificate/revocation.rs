//! The certification revocation list of a terminal: EMV Book 2 5.1.2.

use super::CaPublicKey;

/// One revoked issuer certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revoked {
    /// Registered application provider identifier.
    pub rid: [u8; 5],
    /// Index of the CA public key.
    pub ca_index: u8,
    /// Certificate serial number.
    pub serial: [u8; 3],
}

/// The revoked certificates that a terminal knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationList(pub Vec<Revoked>);

impl RevocationList {
    /// Whether the certificate that this CA key signed is on the list: step 10 of 5.3 and 6.3.
    pub fn contains(&self, ca: &CaPublicKey, serial: [u8; 3]) -> bool {
        self.0.contains(&Revoked { rid: ca.rid, ca_index: ca.index, serial })
    }
}
