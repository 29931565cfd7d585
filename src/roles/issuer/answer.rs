//! Answers: ARPC (tag 91), the load script (tag 72), authorisation codes
//! (EMV Book 2 clauses 8.2 and 9; JR/T 0025.5).

use super::IssuerError;
use super::decision::{Refusal, Verified};
use super::present::Presented;
use super::work::{Work, column};
use crate::air::host::{Answer, Kind, Request, ResponseCode};
use crate::words::dictionary::tag;
use crate::words::emv::IssuerScript;
use crate::words::iso4217::Amount;
use crate::words::iso7816::{ApduCommand, CommandApdu};
use crate::words::pboc::VerifiedCryptogram;
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

    /// A decline of a card that was presented, kept with its reason for who asks later.
    pub(super) fn refuse(
        &mut self,
        request: &Request,
        presented: &Presented,
        refusal: Refusal,
    ) -> Result<Acted, IssuerError> {
        let (id, at) = (self.new_id(), self.now().micros());
        self.tx.execute(
            "INSERT INTO refusal (id, card, what, currency, amount, atc, merchant, code, reason, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                id.into(),
                presented.card.id.as_str().into(),
                what(request.kind).into(),
                i64::from(request.amount.currency.0).into(),
                column(request.amount.minor)?.into(),
                i64::from(presented.verified.proof.atc).into(),
                request.key.merchant.as_str().into(),
                String::from_utf8_lossy(&refusal.code.0).into_owned().into(),
                refusal.reason.as_str().into(),
                at.into(),
            ],
        )?;
        Ok(Acted::nothing(self.declined(refusal, Some(&presented.verified))?))
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

/// What a request is called where people read of it.
const fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::LinkedLoad => "load (linked)",
        Kind::CashLoad => "load (cash)",
        Kind::PendingLoad => "load (pending)",
        Kind::CashLoadVoid => "load (cash void)",
        Kind::UnloadScript => "load (unload)",
        Kind::Purchase => "purchase",
        Kind::PurchaseWithCashback => "purchase with cashback",
        Kind::Cash => "cash",
        Kind::BalanceInquiry => "inquiry",
        Kind::PreAuthorisation => "hold",
        Kind::PreAuthorisationCompletion => "hold completion",
        Kind::PreAuthorisationCancel => "hold cancellation",
        _ => "request",
    }
}

/// The value of template 72 that writes a new total.
pub(super) fn load_script(
    verified: &Verified,
    balance: Tag,
    new_total: Amount,
) -> Result<Vec<u8>, IssuerError> {
    let put = PutData { tag: balance, value: new_total.to_bcd().to_vec(), mac: [0; 4] };
    let commands = vec![with_mac(put.to_apdu(), &verified.proof)?];
    let script = IssuerScript { before_second_ac: false, identifier: LOAD_SCRIPT, commands };
    Ok(script.to_bytes())
}

/// A script command with its MAC, in place of the last four bytes: bound to the card's
/// transaction.
pub(super) fn with_mac(
    mut command: CommandApdu,
    proof: &VerifiedCryptogram,
) -> Result<CommandApdu, IssuerError> {
    let [cla, ins, p1, p2] = command.header();
    let length = command.data.len();
    let Some((data, place)) = command.data.split_last_chunk_mut::<4>() else { return Ok(command) };
    let (key, atc) = (proof.keys.mac.expose(), proof.atc.to_be_bytes());
    let header = [cla, ins, p1, p2, length as u8];
    let mac = proof.version.script_mac(key, atc, proof.cryptogram, header, data, place.len())?;
    place.copy_from_slice(&mac);
    Ok(command)
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
