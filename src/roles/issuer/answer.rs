//! Answers: ARPC (tag 91), the load script (tag 72), authorisation codes
//! (EMV Book 2 clauses 8.2 and 9; JR/T 0025.5).

use super::IssuerError;
use super::decision::{Refusal, Verified};
use super::work::Work;
use crate::air::host::{Answer, ResponseCode};
use crate::words::dictionary::tag;
use crate::words::emv::IssuerScript;
use crate::words::iso4217::Amount;
use crate::words::iso7816::ApduCommand;
use crate::words::pboc::command::PutData;
use crate::words::tlv::Tag;

/// Identifier (9F18) of load scripts.
pub(super) const LOAD_SCRIPT: [u8; 4] = [0, 0, 0, 1];

/// Why the way to an approval ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// By a rule.
    Refuse(Refusal),
    /// By a failure.
    Fail(IssuerError),
}

/// An answer and the row that it acted on.
#[derive(Debug)]
pub(super) struct Acted {
    pub(super) answer: Answer,
    pub(super) on: Option<String>,
}

impl Acted {
    /// An answer that moved nothing.
    pub(super) fn nothing(answer: Answer) -> Self {
        Self { answer, on: None }
    }
}

impl Work<'_> {
    /// An approval with its ARPC and authorisation code.
    pub(super) fn approved(&mut self, verified: &Verified, reason: &str) -> Result<Answer, IssuerError> {
        let mut answer = Answer::new(ResponseCode::APPROVED, reason);
        let number = u32::from_be_bytes(self.context.random()) % 1_000_000;
        answer.authorisation_code = Some(format!("{number:06}"));
        answer.chip.put(tag::ISSUER_AUTHENTICATION_DATA, tag_91(verified, ResponseCode::APPROVED)?);
        Ok(answer)
    }

    /// A decline; where the cryptogram was right, with an ARPC that tells the card.
    pub(super) fn declined(
        &mut self,
        refusal: Refusal,
        verified: Option<&Verified>,
    ) -> Result<Answer, IssuerError> {
        let event = crate::base::event::Event::new("issuer", "Decline").because(refusal.reason.clone());
        self.events.push(event.with_named("response code", refusal.code.0));
        let mut answer = Answer::new(refusal.code, refusal.reason);
        if let Some(verified) = verified {
            answer.chip.put(tag::ISSUER_AUTHENTICATION_DATA, tag_91(verified, refusal.code)?);
        }
        Ok(answer)
    }
}

/// The value of template 72 that writes a new total.
pub(super) fn load_script(
    verified: &Verified,
    balance: Tag,
    new_total: Amount,
) -> Result<Vec<u8>, IssuerError> {
    let mut put = PutData { tag: balance, value: new_total.to_bcd().to_vec(), mac: [0; 4] };
    let mac = verified.proof.version.script_mac(
        verified.proof.keys.mac.expose(),
        verified.proof.atc.to_be_bytes(),
        verified.proof.cryptogram,
        put.header(),
        &put.value,
        put.mac.len(),
    )?;
    if let Ok(mac) = mac.try_into() {
        put.mac = mac;
    }
    let script =
        IssuerScript { before_second_ac: false, identifier: LOAD_SCRIPT, commands: vec![put.to_apdu()] };
    Ok(script.to_bytes())
}

fn tag_91(verified: &Verified, code: ResponseCode) -> Result<Vec<u8>, IssuerError> {
    Ok(verified.proof.issuer_authentication_data(code.0, code.is_approved())?)
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<IssuerError> for Stop {
    fn from(error: IssuerError) -> Self {
        Self::Fail(error)
    }
}
