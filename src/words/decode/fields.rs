//! Bits that are only decoded: fields that nothing here acts on, and bits that later
//! editions and contactless kernels added to fields that something acts on (EMV 4.4 Book 3
//! C1, C5; Book 4 A2, A3; Book C-2 A.1; Book C-4 4.3; Visa VCPS annex D, as the public
//! decoder openemv/emv-utils cites them).

use crate::words::dictionary::tag;
use crate::words::tlv::Tag;

/// Byte from 1, bit 8 to 1, what it says when it is set.
pub(super) type BitRow = (u8, u8, &'static str);

/// A field of bits: its tag, its length in bytes, its named bits.
pub(super) struct Field {
    pub(super) tag: Tag,
    pub(super) length_bytes: usize,
    pub(super) rows: &'static [BitRow],
}

/// The fields.
pub(super) const FIELDS: &[Field] = &[
    Field { tag: tag::ADDITIONAL_TERMINAL_CAPABILITIES, length_bytes: 5, rows: ADDITIONAL_CAPABILITIES },
    Field { tag: tag::TERMINAL_RISK_MANAGEMENT_DATA, length_bytes: 8, rows: RISK_MANAGEMENT_DATA },
];

/// What later editions added to a field with a bit table of its own.
pub(super) fn later(wanted: Tag) -> &'static [BitRow] {
    match wanted {
        tag::AIP => AIP,
        tag::TVR | tag::IAC_DEFAULT | tag::IAC_DENIAL | tag::IAC_ONLINE => TVR,
        tag::TTQ => TTQ,
        tag::CTQ => &[(1, 1, "not valid for contactless ATM transactions")],
        tag::TERMINAL_CAPABILITIES => TERMINAL_CAPABILITIES,
        _ => &[],
    }
}

const AIP: &[BitRow] = &[(1, 8, "XDA supported"), (2, 7, "mobile phone"), (2, 6, "contactless transaction")];

const TVR: &[BitRow] = &[
    (1, 1, "XDA selected"),
    (2, 2, "biometric performed and successful"),
    (2, 1, "biometric template format not supported"),
    (3, 2, "biometric required but biometric capture device not working"),
    (3, 1, "biometric required, capture device present, but biometric subtype entry was bypassed"),
    (4, 3, "biometric try limit exceeded"),
    (4, 2, "a selected biometric type is not supported"),
    (4, 1, "XDA signature verification failed"),
];

const TTQ: &[BitRow] =
    &[(2, 6, "offline PIN supported over contacts"), (3, 4, "consumer device CVM required (kernel 6)")];

const TERMINAL_CAPABILITIES: &[BitRow] = &[
    (2, 3, "online biometric"),
    (2, 2, "offline biometric"),
    (2, 1, "enciphered PIN for offline verification (ECC)"),
    (3, 3, "XDA"),
];

const ADDITIONAL_CAPABILITIES: &[BitRow] = &[
    (1, 8, "cash"),
    (1, 7, "goods"),
    (1, 6, "services"),
    (1, 5, "cashback"),
    (1, 4, "inquiry"),
    (1, 3, "transfer"),
    (1, 2, "payment"),
    (1, 1, "administrative"),
    (2, 8, "cash deposit"),
    (3, 8, "numeric keys"),
    (3, 7, "alphabetic and special character keys"),
    (3, 6, "command keys"),
    (3, 5, "function keys"),
    (4, 8, "print or electronic, attendant"),
    (4, 7, "print or electronic, cardholder"),
    (4, 6, "display, attendant"),
    (4, 5, "display, cardholder"),
    (4, 2, "code table 10"),
    (4, 1, "code table 9"),
    (5, 8, "code table 8"),
    (5, 7, "code table 7"),
    (5, 6, "code table 6"),
    (5, 5, "code table 5"),
    (5, 4, "code table 4"),
    (5, 3, "code table 3"),
    (5, 2, "code table 2"),
    (5, 1, "code table 1"),
];

const RISK_MANAGEMENT_DATA: &[BitRow] = &[
    (1, 8, "restart supported"),
    (1, 7, "contactless: enciphered PIN verified online"),
    (1, 6, "contactless: signature"),
    (1, 5, "contactless: enciphered PIN verified by the card"),
    (1, 4, "contactless: no CVM required"),
    (1, 3, "contactless: consumer device CVM"),
    (1, 2, "contactless: plaintext PIN verified by the card"),
    (1, 1, "present and hold supported"),
    (2, 8, "CVM limit exceeded"),
    (2, 7, "contact: enciphered PIN verified online"),
    (2, 6, "contact: signature"),
    (2, 5, "contact: enciphered PIN verified by the card"),
    (2, 4, "contact: no CVM required"),
    (2, 3, "contact: consumer device CVM"),
    (2, 2, "contact: plaintext PIN verified by the card"),
    (3, 8, "mag-stripe mode contactless transactions not supported"),
    (3, 7, "EMV mode contactless transactions not supported"),
    (3, 6, "consumer device CVM without CDA supported"),
    (4, 8, "consumer device CVM bypass requested"),
    (4, 7, "exempt from strong customer authentication"),
];

/// Card Status Update, bytes 5 to 8 of issuer authentication data (91): EMV 4.4 Book 3 C10.
/// The PIN try counter and what becomes of the offline counters are numbers.
pub(super) const CARD_STATUS_UPDATE: &[BitRow] = &[
    (1, 8, "proprietary authentication data included"),
    (2, 8, "issuer approves online transaction"),
    (2, 7, "card block"),
    (2, 6, "application block"),
    (2, 5, "update PIN try counter"),
    (2, 4, "set go online on next transaction"),
    (2, 3, "created by proxy for the issuer"),
];

/// Visa's Form Factor Indicator, 9F6E of four bytes, byte 2.
pub(super) const FORM_FACTOR_FEATURES: &[BitRow] = &[
    (2, 8, "passcode capable"),
    (2, 7, "signature panel"),
    (2, 6, "hologram"),
    (2, 5, "CVV2"),
    (2, 4, "two-way messaging"),
    (2, 3, "cloud based payment credentials"),
    (2, 2, "biometric cardholder verification capable"),
];

/// American Express' Enhanced Contactless Reader Capabilities, 9F6E of four bytes.
pub(super) const ENHANCED_READER_CAPABILITIES: &[BitRow] = &[
    (1, 8, "contact mode supported"),
    (1, 7, "contactless mag-stripe mode supported"),
    (1, 6, "contactless EMV full online mode supported (no longer used)"),
    (1, 5, "contactless EMV partial online mode supported"),
    (1, 4, "contactless mobile supported"),
    (1, 3, "try another interface after a decline"),
    (2, 8, "mobile CVM supported"),
    (2, 7, "online PIN supported"),
    (2, 6, "signature supported"),
    (2, 5, "plaintext offline PIN supported"),
    (3, 8, "reader is offline only"),
    (3, 7, "CVM required"),
    (4, 8, "exempt from no-CVM checks"),
    (4, 7, "delayed authorisation terminal"),
    (4, 6, "transit terminal"),
];
