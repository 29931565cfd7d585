//! Certificates and signed data of offline data authentication: EMV Book 2 sections
//! 5 to 7, and with SM2 as PBOC 3.0 has them (JR/T 0025.17). Both directions: what a
//! bureau or a card signs, and what a terminal recovers and checks. No transaction
//! step and no decision may enter: an error says which check failed, not what follows.
//!
//! A terminal goes: [`CaPublicKeys::find`], [`IssuerCertificate::recover`], then
//! [`recover_static_signature`] (SDA), or [`IccCertificate::recover`] and
//! [`IccDynamicData::recover`] (DDA, fDDA) or [`CdaDynamicData::recover`] and
//! [`CdaDynamicData::check_transaction`] (CDA). The suite, RSA or SM2, is that of the
//! key that is given.

mod ca;
mod dissection;
mod dynamic;
mod envelope;
mod error;
mod icc;
mod issuer;
mod key;
mod revocation;
mod static_data;

pub use ca::{CaPublicKey, CaPublicKeys};
pub use dissection::{APPLICATION_PAN, Dissection, Field};
pub use dynamic::{CdaDynamicData, FddaInput, IccDynamicData, longest_dynamic_data};
pub use error::{CertificateError, Fault, Object};
pub use icc::{IccCertificate, IccKeyUse};
pub use issuer::{
    Against, Certificate, CertificateRef, IssuerCertificate, OpenedIssuerCertificate, issuer_identifier,
};
pub use key::{KeyTextError, PrivateKey, PublicKey, Suite};
pub use revocation::{RevocationList, Revoked};
pub use static_data::{StaticData, recover_static_signature, sign_static_data};
