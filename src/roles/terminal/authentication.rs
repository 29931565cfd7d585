//! What the card's certificates are worth to this terminal: keys recovered with the CA
//! public keys that it trusts (EMV Book 2 5 to 7). Which method is chosen, and what
//! follows from a failure, is the business of the steps.

use super::session::Session;
use crate::words::dictionary::{Row, tag};
use crate::words::emv::certificate::{
    Against, CaPublicKey, CertificateError, CertificateRef, Fault, FddaInput, IccCertificate, IccDynamicData,
    IccKeyUse, Object, PublicKey, StaticData, Suite, recover_static_signature,
};
use crate::words::emv::{Pan, with_century};
use crate::words::tlv::Tag;
use std::fmt;

/// Why something is not authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Weakness {
    /// The card does not have a mandatory data object: EMV Book 3 7.5.
    Missing(Tag),
    /// A check failed.
    Certificate(CertificateError),
    /// Something was done otherwise than the Books demand; the text names the clause.
    Conduct(&'static str),
}

impl Weakness {
    /// Whether the TVR is to say that data are missing.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Self::Missing(_) => true,
            Self::Certificate(error) => matches!(error.fault, Fault::RemainderAbsent { .. }),
            Self::Conduct(_) => false,
        }
    }
}

impl From<CertificateError> for Weakness {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(tag) => {
                let name = Row::of_tag(*tag).map_or("no name", |row| row.name);
                write!(f, "the card has no {tag} ({name})")
            }
            Self::Certificate(error) => error.fmt(f),
            Self::Conduct(why) => f.write_str(why),
        }
    }
}

/// Checks signed static data (93); gives the data authentication code, tag 9F45.
pub(super) fn static_signature(
    session: &Session,
    pan: &Pan,
    records: &StaticData,
) -> Result<[u8; 2], Weakness> {
    let issuer = issuer_key(session, pan)?;
    let signed = mandatory(session, tag::SIGNED_STATIC_APPLICATION_DATA)?;
    Ok(recover_static_signature(signed, &static_data(session, records)?, &issuer)?)
}

/// The card's own key, whose certificate vouches for the static data too.
pub(super) fn card_key(session: &Session, pan: &Pan, records: &StaticData) -> Result<PublicKey, Weakness> {
    let tags = [tag::ICC_PUBLIC_KEY_CERTIFICATE, tag::ICC_PUBLIC_KEY_REMAINDER, tag::ICC_PUBLIC_KEY_EXPONENT];
    let issuer = issuer_key(session, pan)?;
    let certificate = certificate(session, tags, issuer.suite())?;
    let data = static_data(session, records)?;
    let key_use = IccKeyUse::Authentication(&data);
    Ok(IccCertificate::recover(certificate, key_use, &issuer, against(session, pan))?.key)
}

/// The key that PINs are enciphered with: the card's key for that, else its own
/// (EMV Book 2 7.1).
pub(super) fn pin_key(session: &Session, pan: &Pan, records: &StaticData) -> Result<PublicKey, Weakness> {
    if !session.store.has(tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE) {
        return card_key(session, pan, records);
    }
    let tags = [
        tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE,
        tag::ICC_PIN_ENCIPHERMENT_REMAINDER,
        tag::ICC_PIN_ENCIPHERMENT_EXPONENT,
    ];
    let issuer = issuer_key(session, pan)?;
    let certificate = certificate(session, tags, issuer.suite())?;
    let key_use = IccKeyUse::PinEncipherment;
    Ok(IccCertificate::recover(certificate, key_use, &issuer, against(session, pan))?.key)
}

/// Checks the signature of a quick payment (fDDA): JR/T 0025.12.
pub(super) fn quick_signature(
    session: &Session,
    pan: &Pan,
    records: &StaticData,
) -> Result<IccDynamicData, Weakness> {
    let key = card_key(session, pan, records)?;
    let signed = mandatory(session, tag::SIGNED_DYNAMIC_APPLICATION_DATA)?;
    let value = |tag| session.store.value(tag).unwrap_or_default();
    let input = FddaInput {
        unpredictable_number: value(tag::UNPREDICTABLE_NUMBER),
        amount: value(tag::AMOUNT_AUTHORISED),
        currency: value(tag::TRANSACTION_CURRENCY_CODE),
        card_authentication: session.store.value(tag::CARD_AUTHENTICATION_RELATED_DATA),
    };
    Ok(IccDynamicData::recover(signed, &input.parts()?, &key)?)
}

fn issuer_key(session: &Session, pan: &Pan) -> Result<PublicKey, Weakness> {
    let ca = ca_key(session)?;
    let today = session.terms.at.yymmdd();
    if let Some(expiry) = ca.expiry.filter(|expiry| with_century(*expiry) < with_century(today)) {
        return Err(Object::CaPublicKey.fault(Fault::CaKeyExpired { expiry, today }).into());
    }
    let tags = [
        tag::ISSUER_PUBLIC_KEY_CERTIFICATE,
        tag::ISSUER_PUBLIC_KEY_REMAINDER,
        tag::ISSUER_PUBLIC_KEY_EXPONENT,
    ];
    let certificate = certificate(session, tags, ca.key.suite())?;
    let opened = session.terms.config.certificates.open(certificate, ca)?;
    Ok(opened.check(ca, against(session, pan))?.key)
}

/// The key that 8F names, of whichever suite; keys of the two have indices of their own.
fn ca_key(session: &Session) -> Result<&CaPublicKey, Weakness> {
    let absent = Weakness::Missing(tag::CA_PUBLIC_KEY_INDEX_CARD);
    let [index] = session.store.array(tag::CA_PUBLIC_KEY_INDEX_CARD).ok_or(absent)?;
    let name = session.store.value(tag::DF_NAME).unwrap_or_default();
    let rid = name.first_chunk::<5>().copied().unwrap_or_default();
    let keys = &session.terms.config.trust.keys;
    Ok(keys.find(rid, index, Suite::Rsa).or_else(|error| {
        let other = keys.find(rid, index, Suite::Sm2);
        other.map_err(|_| error)
    })?)
}

/// A certificate's data objects; with SM2 it is one, and what is left over by RSA may be none.
fn certificate(
    session: &Session,
    [certificate, remainder, exponent]: [Tag; 3],
    suite: Suite,
) -> Result<CertificateRef<'_>, Weakness> {
    Ok(CertificateRef {
        certificate: mandatory(session, certificate)?,
        remainder: session.store.value(remainder).unwrap_or_default(),
        exponent: match suite {
            Suite::Rsa => mandatory(session, exponent)?,
            Suite::Sm2 => &[],
        },
    })
}

fn mandatory(session: &Session, tag: Tag) -> Result<&[u8], Weakness> {
    session.store.value(tag).ok_or(Weakness::Missing(tag))
}

/// The signed records, and the AIP where 9F4A lists it.
fn static_data(session: &Session, records: &StaticData) -> Result<StaticData, CertificateError> {
    let mut data = records.clone();
    let aip = session.store.array(tag::AIP).unwrap_or_default();
    data.add_listed(session.store.value(tag::STATIC_DATA_AUTHENTICATION_TAG_LIST), aip)?;
    Ok(data)
}

fn against<'a>(session: &'a Session, pan: &'a Pan) -> Against<'a> {
    Against { pan, today: session.terms.at.yymmdd(), revocations: &session.terms.config.trust.revocations }
}
