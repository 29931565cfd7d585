//! Pure checks: whether a cryptogram and the balance in issuer application data
//! are the card's (PBOC / JR/T 0025.5; EMV Book 2 clause 8). No store, no time.

use super::cards::CardOnFile;
use super::{KeyTable, Rules};
use crate::air::host::{Entry, Kind, Request, ResponseCode};
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CardKeys;
use crate::words::iso4217::Amount;
use crate::words::pboc::{
    CryptogramCheck, CryptogramRefusal, Iad, VerifiedCryptogram, WantedCryptogram, equal, idd_mac,
};

/// Why a request is declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ResponseCode,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(code: ResponseCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// What the issuer application data say of the card's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToldBalance {
    /// Nothing.
    Absent,
    /// A balance whose MAC is wrong.
    Unproven,
    /// This many minor units, of the transaction's currency.
    Proven(u64),
}

impl ToldBalance {
    /// The balance before the card paid `paid_minor` under the same counter: the quick
    /// path tells what results.
    pub(super) fn before(self, entry: Entry, paid_minor: u64) -> Option<u64> {
        match (self, entry) {
            (Self::Proven(balance), Entry::ContactlessQuick) => Some(balance.saturating_add(paid_minor)),
            (Self::Proven(balance), _) => Some(balance),
            (Self::Absent | Self::Unproven, _) => None,
        }
    }
}

/// A cryptogram that is the card's, and the balance that came with it.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) proof: VerifiedCryptogram,
    pub(super) balance: ToldBalance,
}

/// Looks at amount and currency before anything else.
pub(super) fn check_amount(request: &Request) -> Result<(), Refusal> {
    let Amount { minor, currency } = request.amount;
    if minor == 0 && request.kind != Kind::BalanceInquiry {
        return Err(Refusal::new(ResponseCode::INVALID_AMOUNT, "the amount is 0"));
    }
    if minor > Amount::MAX_MINOR {
        return Err(Refusal::new(ResponseCode::INVALID_AMOUNT, "the amount has more than 12 digits"));
    }
    // The cryptogram signs 9F02 and 5F2A, so what is booked must be those.
    if request.chip.value(tag::AMOUNT_AUTHORISED) != Some(&request.amount.to_bcd()) {
        let reason = "amount (F4) differs from the amount that the card signed (9F02)";
        return Err(Refusal::new(ResponseCode::FORMAT_ERROR, reason));
    }
    if request.chip.value(tag::TRANSACTION_CURRENCY_CODE) != Some(&currency.to_bcd()) {
        let reason = "currency (F49) differs from the currency that the card was given (5F2A)";
        return Err(Refusal::new(ResponseCode::FORMAT_ERROR, reason));
    }
    Ok(())
}

/// Checks the cryptogram, its kind, and the balance it came with.
pub(super) fn verify(
    request: &Request,
    card: &CardOnFile,
    table: &KeyTable,
    rules: &Rules,
    wanted: WantedCryptogram,
) -> Result<Verified, Refusal> {
    let check = CryptogramCheck {
        version: card.version,
        dki: card.dki,
        is_quick: request.entry == Entry::ContactlessQuick,
        wanted,
    };
    let pan = request.pan.expose();
    let proof = check.verify(&request.chip, |version| {
        let master = table.find(pan, card.dki).ok_or(CryptogramRefusal::NoKeys)?;
        CardKeys::diversify(version, master, pan, request.psn).map_err(|_| CryptogramRefusal::NoCardKey)
    });
    let proof = proof.map_err(|refusal| {
        let code = match refusal.is_format() {
            true => ResponseCode::FORMAT_ERROR,
            false => ResponseCode::DO_NOT_HONOUR,
        };
        Refusal::new(code, refusal.to_string())
    })?;
    let iad = request.chip.value(tag::ISSUER_APPLICATION_DATA).unwrap_or_default();
    let balance = told_balance(iad, &proof, rules);
    Ok(Verified { proof, balance })
}

fn told_balance(iad: &[u8], proof: &VerifiedCryptogram, rules: &Rules) -> ToldBalance {
    let Ok(Iad { idd: Some((value, mac)), .. }) = Iad::parse(iad) else { return ToldBalance::Absent };
    let Some(balance) = value.balance_minor() else { return ToldBalance::Absent };
    let (key, atc) = (proof.keys.mac.expose(), proof.atc.to_be_bytes());
    let expected = idd_mac::idd_mac(proof.version, key, atc, &value.to_bytes(), rules.idd_mac_padding);
    if equal(&expected, &mac) { ToldBalance::Proven(balance) } else { ToldBalance::Unproven }
}
