//! Pure checks: whether a cryptogram and the balance in issuer application data
//! are the card's (PBOC / JR/T 0025.5; EMV Book 2 clause 8). No store, no time.

use super::cards::CardOnFile;
use super::{KeyTable, Rules};
use crate::air::host::{Entry, Kind, Request, ResponseCode};
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType;
use crate::words::emv::cryptogram::{CRYPTOGRAM_VERSIONS, CardKeys, CryptogramVersion};
use crate::words::iso4217::Amount;
use crate::words::pboc::{Cvr, Iad, idd_mac};

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

/// A cryptogram that is the card's.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) version: &'static CryptogramVersion,
    pub(super) keys: CardKeys,
    pub(super) atc: u16,
    pub(super) cryptogram: [u8; 8],
    pub(super) balance: ToldBalance,
}

/// Which cryptogram is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One that asks the issuer.
    Arqc,
    /// One by which the card approved offline.
    Tc,
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
    wanted: Wanted,
) -> Result<Verified, Refusal> {
    let absent = |what: &str| Refusal::new(ResponseCode::FORMAT_ERROR, format!("chip data without {what}"));
    let chip = &request.chip;
    let iad = chip.value(tag::ISSUER_APPLICATION_DATA).ok_or_else(|| absent("9F10"))?;
    let atc_bytes: [u8; 2] = chip.array(tag::ATC).ok_or_else(|| absent("9F36"))?;
    let cryptogram: [u8; 8] = chip.array(tag::APPLICATION_CRYPTOGRAM).ok_or_else(|| absent("9F26"))?;
    let no = |reason: &str| Refusal::new(ResponseCode::DO_NOT_HONOUR, reason);
    let version = CryptogramVersion::by_iad(iad)
        .and_then(|told| same_family(card.version, told))
        .ok_or_else(|| no("the cryptogram version in 9F10 is not this card's"))?;
    if iad.get(1) != Some(&card.dki) {
        return Err(no("the derivation key index in 9F10 is not this card's"));
    }
    let pan = request.pan.expose();
    let master = table.find(pan, card.dki).ok_or_else(|| no("no master keys for this BIN and DKI"))?;
    let keys = CardKeys::diversify(version, master, pan, request.psn)
        .map_err(|_| no("PAN or sequence number make no card key"))?;
    let zeros = |length: usize| Some(vec![0; length]);
    let data = version
        .assemble(&|tag| match chip.value(tag) {
            // The quick path has no TVR, whatever the terminal reports.
            _ if tag == tag::TVR && request.entry == Entry::ContactlessQuick => zeros(5),
            Some(value) => Some(value.to_vec()),
            None if tag == tag::TVR => zeros(5),
            None if tag == tag::AMOUNT_OTHER => zeros(6),
            None => None,
        })
        .map_err(|error| Refusal::new(ResponseCode::FORMAT_ERROR, error.to_string()))?;
    let expected = version.application_cryptogram(keys.ac.expose(), atc_bytes, &data);
    if !equal(&expected, &cryptogram) {
        return Err(no("the application cryptogram (9F26) is wrong"));
    }
    // The kind comes from the CVR, which the cryptogram signs; 9F27 is not signed.
    if !is_kind(iad, wanted) {
        return Err(no(match wanted {
            Wanted::Arqc => "the card gave no ARQC",
            Wanted::Tc => "the card gave no TC",
        }));
    }
    let balance = told_balance(iad, version, &keys, atc_bytes, rules);
    Ok(Verified { version, keys, atc: u16::from_be_bytes(atc_bytes), cryptogram, balance })
}

/// Compares without telling by time where two values part.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
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

fn is_kind(iad: &[u8], wanted: Wanted) -> bool {
    let Some(&[a, b, c]) = iad.get(4..7).and_then(|bytes| bytes.first_chunk::<3>()) else { return false };
    let cvr = Cvr([a, b, c]);
    matches!(
        (wanted, cvr.first_cryptogram(), cvr.second_cryptogram()),
        (Wanted::Arqc, Some(CryptogramType::Arqc), None)
            | (Wanted::Tc, Some(CryptogramType::Tc), None)
            | (Wanted::Tc, Some(CryptogramType::Arqc), Some(CryptogramType::Tc))
    )
}

fn told_balance(
    iad: &[u8],
    version: &CryptogramVersion,
    keys: &CardKeys,
    atc: [u8; 2],
    rules: &Rules,
) -> ToldBalance {
    let Ok(Iad { idd: Some((value, mac)), .. }) = Iad::parse(iad) else { return ToldBalance::Absent };
    let Some(balance) = value.balance_minor() else { return ToldBalance::Absent };
    let expected =
        idd_mac::idd_mac(version, keys.mac.expose(), atc, &value.to_bytes(), rules.idd_mac_padding);
    if equal(&expected, &mac) { ToldBalance::Proven(balance) } else { ToldBalance::Unproven }
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
        assert!(is_kind(&iad(0xA0), Wanted::Arqc) && !is_kind(&iad(0xA0), Wanted::Tc));
        assert!(is_kind(&iad(0x90), Wanted::Tc) && !is_kind(&iad(0x90), Wanted::Arqc));
        assert!(is_kind(&iad(0x60), Wanted::Tc) && !is_kind(&iad(0x60), Wanted::Arqc));
        assert!(!is_kind(&iad(0x80), Wanted::Arqc) && !is_kind(&iad(0x20), Wanted::Tc));
        assert!(!is_kind(&[7, 1], Wanted::Arqc));
    }
}
