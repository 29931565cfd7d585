//! Whether an application cryptogram is a card's (JR/T 0025.5; EMV Book 2 clause 8),
//! and the answer to it (clause 8.2). No card file, no store, no time.

use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType;
use crate::words::emv::cryptogram::{
    ArpcMethod, CRYPTOGRAM_VERSIONS, CardKeys, CryptogramError, CryptogramVersion, IadLayout,
};
use crate::words::emv::mchip;
use crate::words::tlv::{Tag, TlvStore};

/// Card status update of ARPC method 2: "issuer approves online transaction".
const CSU_APPROVED: [u8; 4] = [0x00, 0x80, 0x00, 0x00];

/// Which cryptogram is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedCryptogram {
    /// One that asks the issuer.
    Arqc,
    /// One by which the card approved offline.
    Tc,
}

/// What is known of a card whose cryptogram is looked at.
#[derive(Debug, Clone, Copy)]
pub struct CryptogramCheck {
    /// The card's cryptogram version. Another number in 9F10 (CVN 17 on the quick
    /// path) takes the row that makes keys the same way.
    pub version: &'static CryptogramVersion,
    /// Its derivation key index.
    pub dki: u8,
    /// Whether it was read by the quick path, which has no TVR.
    pub is_quick: bool,
    /// The cryptogram that would do.
    pub wanted: WantedCryptogram,
}

/// A cryptogram that is the card's.
#[derive(Debug, Clone)]
pub struct VerifiedCryptogram {
    /// The version that it was made by.
    pub version: &'static CryptogramVersion,
    /// The card's keys under that version.
    pub keys: CardKeys,
    /// Its transaction counter (9F36).
    pub atc: u16,
    /// The cryptogram (9F26).
    pub cryptogram: [u8; 8],
}

/// Why a cryptogram is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptogramRefusal {
    /// An element without which nothing can be checked.
    #[error("chip data without {0}")]
    Absent(Tag),
    /// An element of the cryptogram's input is absent or of another length.
    #[error(transparent)]
    Input(CryptogramError),
    /// 9F10 names a version of another family than the card's.
    #[error("the cryptogram version in 9F10 is not this card's")]
    Version,
    /// 9F10 names other master keys than the card's.
    #[error("the derivation key index in 9F10 is not this card's")]
    Dki,
    /// There are no keys for the card.
    #[error("no master keys for this BIN and DKI")]
    NoKeys,
    /// PAN and sequence number make no key.
    #[error("PAN or sequence number make no card key")]
    NoCardKey,
    /// The cryptogram is not that of these data under the card's key.
    #[error("the application cryptogram (9F26) is wrong")]
    Wrong,
    /// It is the card's, and of another kind.
    #[error("the card gave no {}", match .0 { WantedCryptogram::Arqc => "ARQC", WantedCryptogram::Tc => "TC" })]
    Kind(WantedCryptogram),
}

impl CryptogramRefusal {
    /// Whether the request lacks something, so that there was nothing to decide on.
    pub fn is_format(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::Input(_))
    }
}

impl CryptogramCheck {
    /// Checks the cryptogram among a request's chip data. `keys` gives the card's keys
    /// under a version.
    pub fn verify(
        &self,
        chip: &TlvStore,
        keys: impl FnOnce(&'static CryptogramVersion) -> Result<CardKeys, CryptogramRefusal>,
    ) -> Result<VerifiedCryptogram, CryptogramRefusal> {
        let absent = CryptogramRefusal::Absent;
        let iad = chip.value(tag::ISSUER_APPLICATION_DATA).ok_or(absent(tag::ISSUER_APPLICATION_DATA))?;
        let atc: [u8; 2] = chip.array(tag::ATC).ok_or(absent(tag::ATC))?;
        let cryptogram: [u8; 8] =
            chip.array(tag::APPLICATION_CRYPTOGRAM).ok_or(absent(tag::APPLICATION_CRYPTOGRAM))?;
        let version = CryptogramVersion::by_iad(iad)
            .and_then(|told| same_family(self.version, told))
            .ok_or(CryptogramRefusal::Version)?;
        if version.iad.key_index(iad) != Some(self.dki) {
            return Err(CryptogramRefusal::Dki);
        }
        let keys = keys(version)?;
        let zeros = |length: usize| Some(vec![0; length]);
        let data = version
            .assemble(&|tag| match chip.value(tag) {
                // Whatever the terminal reports.
                _ if tag == tag::TVR && self.is_quick => zeros(5),
                Some(value) => Some(value.to_vec()),
                None if tag == tag::TVR => zeros(5),
                None if tag == tag::AMOUNT_OTHER => zeros(6),
                None => None,
            })
            .map_err(CryptogramRefusal::Input)?;
        let expected = version.application_cryptogram(keys.ac.expose(), atc, &data);
        if !equal(&expected, &cryptogram) {
            return Err(CryptogramRefusal::Wrong);
        }
        // The kind comes from the CVR, which the cryptogram signs; 9F27 is not signed.
        if !is_kind(version.iad, iad, self.wanted) {
            return Err(CryptogramRefusal::Kind(self.wanted));
        }
        Ok(VerifiedCryptogram { version, keys, atc: u16::from_be_bytes(atc), cryptogram })
    }
}

impl VerifiedCryptogram {
    /// The value of tag 91 that answers the cryptogram with an authorisation response
    /// code (8A).
    pub fn issuer_authentication_data(
        &self,
        code: [u8; 2],
        approved: bool,
    ) -> Result<Vec<u8>, CryptogramError> {
        let (key, atc) = (self.keys.ac.expose(), self.atc.to_be_bytes());
        // What an M/Chip card takes for a response code is a field of bits.
        let code = match (self.version.iad, approved) {
            (IadLayout::Mchip, true) => mchip::ResponseCode::APPROVED.0,
            (IadLayout::Mchip, false) => mchip::ResponseCode::DECLINED.0,
            _ => code,
        };
        Ok(match self.version.arpc_method {
            ArpcMethod::Method1 => {
                let arpc = self.version.arpc_method_1(key, atc, self.cryptogram, code);
                [&arpc[..], &code].concat()
            }
            ArpcMethod::Method2 => {
                let csu = if approved { CSU_APPROVED } else { [0; 4] };
                let arpc = self.version.arpc_method_2(key, atc, self.cryptogram, csu, &[])?;
                [arpc, csu].concat()
            }
        })
    }
}

/// Compares without telling by time where two values part.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

/// The row for the told number and algorithm that makes keys as the card's own does.
fn same_family(
    own: &'static CryptogramVersion,
    told: &'static CryptogramVersion,
) -> Option<&'static CryptogramVersion> {
    if (own.cvn, own.algorithm) == (told.cvn, told.algorithm) {
        return Some(own);
    }
    CRYPTOGRAM_VERSIONS.iter().find(|row| {
        (row.cvn, row.algorithm) == (told.cvn, told.algorithm)
            && (row.card_key, row.ac_session_key, row.script_session_key)
                == (own.card_key, own.ac_session_key, own.script_session_key)
    })
}

fn is_kind(layout: IadLayout, iad: &[u8], wanted: WantedCryptogram) -> bool {
    let Some(given) = layout.given(iad) else { return false };
    matches!(
        (wanted, given.first, given.second),
        (WantedCryptogram::Arqc, Some(CryptogramType::Arqc), None)
            | (WantedCryptogram::Tc, Some(CryptogramType::Tc), None)
            | (WantedCryptogram::Tc, Some(CryptogramType::Arqc), Some(CryptogramType::Tc))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_path_keeps_the_family_of_keys() {
        let row = |name| CryptogramVersion::by_name(name).unwrap();
        let family = |own, told| same_family(row(own), row(told)).map(|row| row.name);
        assert_eq!(family("PBOC CVN 01", "PBOC CVN 17"), Some("PBOC CVN 17"));
        assert_eq!(family("UICS CVN 01 EMV", "PBOC CVN 17"), Some("UICS CVN 17 EMV"));
        assert_eq!(family("UICS CVN 01 EMV", "PBOC CVN 01"), Some("UICS CVN 01 EMV"));
        assert_eq!(family("PBOC CVN 01", "VIS CVN 10"), None);
    }

    #[test]
    fn the_kind_is_read_from_what_is_signed() {
        let iad = |cvr: u8| [7, 1, 1, 3, cvr, 0, 0, 1];
        let is_kind = |iad: &[u8], wanted| is_kind(IadLayout::LengthFirst, iad, wanted);
        assert!(is_kind(&iad(0xA0), WantedCryptogram::Arqc) && !is_kind(&iad(0xA0), WantedCryptogram::Tc));
        assert!(is_kind(&iad(0x90), WantedCryptogram::Tc) && !is_kind(&iad(0x90), WantedCryptogram::Arqc));
        assert!(is_kind(&iad(0x60), WantedCryptogram::Tc) && !is_kind(&iad(0x60), WantedCryptogram::Arqc));
        assert!(!is_kind(&iad(0x80), WantedCryptogram::Arqc) && !is_kind(&iad(0x20), WantedCryptogram::Tc));
        assert!(!is_kind(&[7, 1], WantedCryptogram::Arqc));
    }
}
