//! What each kind of request is on a line: type, processing code (F3), condition
//! (F25), type code (F60.1), network management code (F60.3). Codes are those that
//! terminals in China use; those of the unload are not published and are ours.

use super::{Kind, MessageClass, Request, WireError};
use crate::words::iso8583::Mti;

/// What a host does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// [`super::Host::authorise`].
    Authorise,
    /// [`super::Host::advise`].
    Advise,
    /// [`super::Host::reverse`].
    Reverse,
}

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRow {
    /// The kind.
    pub kind: Kind,
    /// The type of its message.
    pub mti: Mti,
    /// F3; none in a script result, which may speak of any kind.
    pub processing: Option<&'static str>,
    /// F25.
    pub condition: &'static str,
    /// F60.1, two digits.
    pub code: &'static str,
    /// F60.3, three digits.
    pub network: &'static str,
    /// The class of its key.
    pub class: MessageClass,
    /// Whether it can be reversed.
    pub is_reversible: bool,
}

const fn request(
    kind: Kind,
    mti: Mti,
    processing: &'static str,
    condition: &'static str,
    code: &'static str,
) -> KindRow {
    let (class, network) = (MessageClass::Request, "000");
    KindRow { kind, mti, processing: Some(processing), condition, code, network, class, is_reversible: true }
}

/// Every kind; one that may be asked for and told of has a row for each.
pub const KINDS: &[KindRow] = &[
    request(Kind::LinkedLoad, Mti::FINANCIAL, "600000", "91", "45"),
    request(Kind::CashLoad, Mti::FINANCIAL, "630000", "91", "46"),
    request(Kind::NonLinkedLoad, Mti::FINANCIAL, "620000", "91", "47"),
    request(Kind::CashLoadVoid, Mti::FINANCIAL, "170000", "91", "51"),
    // Networks tell it by F102, which terminals do not send; its F60.1 is ours.
    request(Kind::PendingLoad, Mti::FINANCIAL, "600000", "91", "49"),
    request(Kind::UnloadScript, Mti::AUTHORISATION, "610000", "91", "48"),
    KindRow { is_reversible: false, ..request(Kind::Unload, Mti::FINANCIAL, "610000", "91", "48") },
    request(Kind::Purchase, Mti::FINANCIAL, "000000", "00", "22"),
    request(Kind::PurchaseWithCashback, Mti::FINANCIAL, "090000", "00", "22"),
    request(Kind::Cash, Mti::FINANCIAL, "010000", "00", "22"),
    KindRow {
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::OfflineSale, Mti::FINANCIAL, "000000", "00", "36")
    },
    // No network has it: F3, of private use, and F60.1 are ours.
    KindRow { is_reversible: false, ..request(Kind::SaleClaim, Mti::FINANCIAL, "900000", "00", "37") },
    KindRow {
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::EcashRefund, Mti::FINANCIAL_ADVICE, "200000", "00", "27")
    },
    KindRow { is_reversible: false, ..request(Kind::BalanceInquiry, Mti::FINANCIAL, "310000", "00", "01") },
    request(Kind::PreAuthorisation, Mti::AUTHORISATION, "030000", "06", "10"),
    request(Kind::PreAuthorisationCompletion, Mti::FINANCIAL, "000000", "06", "20"),
    // Told without the card: its hold was proven by the card's cryptogram.
    KindRow {
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::PreAuthorisationCompletion, Mti::FINANCIAL_ADVICE, "000000", "06", "24")
    },
    request(Kind::PreAuthorisationCancel, Mti::AUTHORISATION, "200000", "06", "11"),
    KindRow {
        processing: None,
        network: "951",
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::ScriptResult, Mti::NOTICE, "", "00", "00")
    },
    // Networks have no advice of a decline by chip; its F60.3 is ours.
    KindRow {
        processing: None,
        network: "952",
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::DeclineAdvice, Mti::NOTICE, "", "00", "00")
    },
    // No network publishes what it has for purses: F3 and F60.1 of these five are ours.
    request(Kind::PurseLoad, Mti::FINANCIAL, "920000", "91", "61"),
    request(Kind::PurseUnload, Mti::FINANCIAL, "930000", "91", "62"),
    request(Kind::PurseOverdraft, Mti::FINANCIAL, "950000", "91", "63"),
    KindRow {
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::PurseSale, Mti::FINANCIAL, "940000", "00", "64")
    },
    KindRow {
        processing: None,
        network: "953",
        class: MessageClass::Notice,
        is_reversible: false,
        ..request(Kind::PurseResult, Mti::NOTICE, "", "00", "00")
    },
    // Account transfer; the second, which no network has, and both F60.1 are ours. Either may be
    // asked again at any time, so neither is reversed.
    KindRow { is_reversible: false, ..request(Kind::PhoneTransfer, Mti::FINANCIAL, "400000", "00", "38") },
    KindRow {
        is_reversible: false,
        ..request(Kind::PhoneTransferWithdrawal, Mti::FINANCIAL, "410000", "00", "39")
    },
    KindRow {
        processing: None,
        network: "205",
        class: MessageClass::Batch,
        is_reversible: false,
        ..request(Kind::BatchUpload, Mti::BATCH_UPLOAD, "", "00", "00")
    },
];

impl KindRow {
    /// The row of a request; refuses a class that its kind cannot have on a line.
    pub fn of(request: &Request) -> Result<&'static Self, WireError> {
        let (kind, class) = (request.kind, request.key.class);
        let fits = |row: &&Self| {
            row.kind == kind && (row.class == class || row.is_reversible && class == MessageClass::Reversal)
        };
        KINDS.iter().find(fits).ok_or(WireError::Class { kind, class })
    }
}

/// What a host does with a request.
pub fn verb(request: &Request) -> Verb {
    match request.key.class {
        MessageClass::Request => Verb::Authorise,
        MessageClass::Reversal => Verb::Reverse,
        MessageClass::Notice | MessageClass::Batch => Verb::Advise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_are_the_same_message() {
        for (index, row) in KINDS.iter().enumerate() {
            for other in &KINDS[..index] {
                let fields = |row: &KindRow| (row.processing, row.condition, row.code, row.network);
                let same = fields(row) == fields(other);
                assert!(!same || row.mti != other.mti, "{:?} and {:?}", row.kind, other.kind);
                let reversals = row.is_reversible && other.is_reversible;
                assert!(!same || !reversals, "reversals of {:?} and {:?}", row.kind, other.kind);
            }
        }
    }
}
