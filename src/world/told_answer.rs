//! What a host that is told how to answer answers: a code, with the proof that a card wants to see.
//! No books are asked.

use crate::air::host::{Answer, Request, ResponseCode};
use crate::roles::bureau::KeySet;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::pboc::VerifiedCryptogram;

/// The answer of an issuer that gives this code, whatever its books say; with its proof (91)
/// where the request holds a cryptogram that one can be made for.
pub fn answer_with_code(request: &Request, code: ResponseCode) -> Answer {
    let mut answer = Answer::new(code, "as it was told");
    if code.is_approved() {
        answer.authorisation_code = Some("000000".into());
    }
    if let Some(proof) = proof(request, code) {
        answer.chip.put(tag::ISSUER_AUTHENTICATION_DATA, proof);
    }
    answer
}

fn proof(request: &Request, code: ResponseCode) -> Option<Vec<u8>> {
    let chip = &request.chip;
    let version = CryptogramVersion::by_iad(chip.value(tag::ISSUER_APPLICATION_DATA)?)?;
    let pan = Pan::new(request.pan.expose()).ok()?;
    let verified = VerifiedCryptogram {
        version,
        keys: KeySet::test().card_keys(version, &pan, request.psn).ok()?,
        atc: u16::from_be_bytes(chip.array(tag::ATC)?),
        cryptogram: chip.array(tag::APPLICATION_CRYPTOGRAM)?,
    };
    verified.issuer_authentication_data(code.0, code.is_approved()).ok()
}
