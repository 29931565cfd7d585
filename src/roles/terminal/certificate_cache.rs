//! Issuer certificates that were recovered before: the signature of the same bytes under the
//! same key need not be opened again. Expiry, revocation and the card's number are compared
//! each time.

use crate::words::emv::certificate::{
    CaPublicKey, CertificateError, CertificateRef, IssuerCertificate, OpenedIssuerCertificate,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Certificates that are kept; a terminal meets few issuers more than once in a short time.
const MOST: usize = 256;

/// Recovered issuer certificates; clones share them.
#[derive(Debug, Clone, Default)]
pub struct CertificateCache(Arc<Mutex<BTreeMap<Vec<u8>, Arc<OpenedIssuerCertificate>>>>);

impl CertificateCache {
    /// Forgets every certificate.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Opens a certificate, or finds it among those opened before. One that does not open is
    /// not kept.
    pub(super) fn open(
        &self,
        certificate: CertificateRef<'_>,
        ca: &CaPublicKey,
    ) -> Result<Arc<OpenedIssuerCertificate>, CertificateError> {
        let CertificateRef { certificate: bytes, remainder, exponent } = certificate;
        // Lengths keep the parts apart.
        let lengths = [bytes.len(), remainder.len(), ca.key.bytes().len()].map(|length| length as u16);
        let lengths = lengths.map(u16::to_be_bytes).concat();
        let key = [&lengths, ca.key.bytes(), ca.key.exponent(), bytes, remainder, exponent].concat();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = kept.get(&key) {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(IssuerCertificate::open(certificate, ca)?);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&opened));
        Ok(opened)
    }
}
