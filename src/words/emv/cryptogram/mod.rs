//! Cryptogram versions (EMV Book 2 clauses 8, 9 and annex A1; PBOC / JR/T 0025.5
//! and .17; VIS): one row each says how a card's keys, session keys, cryptograms
//! and script MACs are made. The arithmetic is in `base::crypto`.

mod error;
mod identify;
mod input;
mod keys;
mod layout;
mod script;
mod version;

pub use error::CryptogramError;
pub use identify::{Found, Search, Sought, identify};
pub use input::InputPart;
pub use keys::{CardKeys, MasterKeys};
pub use layout::{GivenCryptograms, IadLayout};
pub use version::{
    Algorithm, ArpcKey, ArpcMethod, CardKeyDerivation, CryptogramVersion, PinBlockKey, SessionKey,
};

use crate::base::crypto::{Padding, TripleDes};
use crate::words::tlv::Tag;
use InputPart::{Cvr, CvrFirstByte, Element, MchipCounters, MchipCvr, WholeIad};

/// Every cryptogram version we know. Where two rows answer to the same version
/// number, the usual one stands first; a profile names the other by its name.
pub const CRYPTOGRAM_VERSIONS: &[CryptogramVersion] = &[
    CryptogramVersion { name: "PBOC CVN 01", cvn: 0x01, input: PBOC_01, ..PBOC },
    CryptogramVersion { name: "PBOC CVN 17", cvn: 0x17, input: PBOC_17, ..PBOC },
    CryptogramVersion { name: "PBOC CVN 01 SM4", cvn: 0x01, input: PBOC_01, ..PBOC_SM4 },
    CryptogramVersion { name: "PBOC CVN 17 SM4", cvn: 0x17, input: PBOC_17, ..PBOC_SM4 },
    // UICS cards may be issued with the EMV way to session keys instead.
    CryptogramVersion { name: "UICS CVN 01 EMV", cvn: 0x01, input: PBOC_01, ..UICS_EMV },
    CryptogramVersion { name: "UICS CVN 17 EMV", cvn: 0x17, input: PBOC_17, ..UICS_EMV },
    CryptogramVersion { name: "VIS CVN 10", cvn: 0x0A, ..VIS_10 },
    CryptogramVersion { name: "VIS CVN 18", cvn: 0x12, ..VIS_18 },
    CryptogramVersion { name: "VIS CVN 22", cvn: 0x16, ..EMV_CSK },
    CryptogramVersion { name: "EMV CSK", cvn: 0xA5, iad: IadLayout::CommonCore, ..EMV_CSK },
    CryptogramVersion { name: "M/Chip CVN 16", cvn: 0x10, input: MCHIP, ..MCHIP_SKD },
    CryptogramVersion { name: "M/Chip CVN 17", cvn: 0x11, input: MCHIP_COUNTERS, ..MCHIP_SKD },
    CryptogramVersion { name: "M/Chip CVN 20", cvn: 0x14, input: MCHIP, ..MCHIP_CSK },
    CryptogramVersion { name: "M/Chip CVN 21", cvn: 0x15, input: MCHIP_COUNTERS, ..MCHIP_CSK },
];

const PBOC: CryptogramVersion = CryptogramVersion {
    name: "PBOC",
    cvn: 0,
    iad: IadLayout::LengthFirst,
    algorithm: Algorithm::TripleDes,
    des: TripleDes::Crate,
    card_key: CardKeyDerivation::OptionA,
    card_key_parity: false,
    ac_session_key: SessionKey::Pboc,
    script_session_key: SessionKey::Pboc,
    padding: Padding::Method2,
    input: PBOC_01,
    arpc_method: ArpcMethod::Method1,
    arpc_key: ArpcKey::Session,
    script_mac_bytes: 4,
    pin_block_key: PinBlockKey::Enc,
};

const PBOC_SM4: CryptogramVersion = CryptogramVersion { algorithm: Algorithm::Sm4, ..PBOC };

const UICS_EMV: CryptogramVersion = CryptogramVersion {
    ac_session_key: SessionKey::EmvCommonAtc,
    script_session_key: SessionKey::EmvCommonAtc,
    ..PBOC
};

const VIS_10: CryptogramVersion = CryptogramVersion {
    name: "VIS",
    cvn: 0,
    iad: IadLayout::LengthFirst,
    algorithm: Algorithm::TripleDes,
    des: TripleDes::Crate,
    card_key: CardKeyDerivation::OptionA,
    card_key_parity: true,
    ac_session_key: SessionKey::CardKey,
    script_session_key: SessionKey::VisXor,
    padding: Padding::Method1,
    input: PBOC_01,
    arpc_method: ArpcMethod::Method1,
    arpc_key: ArpcKey::Card,
    script_mac_bytes: 8,
    pin_block_key: PinBlockKey::Ac,
};

const VIS_18: CryptogramVersion = CryptogramVersion {
    card_key: CardKeyDerivation::OptionB,
    ac_session_key: SessionKey::EmvCommonAtc,
    padding: Padding::Method2,
    input: EMV_WITH_IAD,
    arpc_method: ArpcMethod::Method2,
    arpc_key: ArpcKey::Session,
    ..VIS_10
};

const EMV_CSK: CryptogramVersion =
    CryptogramVersion { script_session_key: SessionKey::EmvCommonArqc, ..VIS_18 };

/// M/Chip 4 with the proprietary session key of the scheme: by ATC and unpredictable
/// number. Public implementations: jPOS `JCESecurityModule` (session keys, ARPC under the
/// card's key, script keys by the ARQC), openemv/emv-utils `emv_fields.h` (numbers).
const MCHIP_SKD: CryptogramVersion = CryptogramVersion {
    name: "M/Chip",
    iad: IadLayout::Mchip,
    ac_session_key: SessionKey::Mastercard,
    script_session_key: SessionKey::EmvCommonArqc,
    padding: Padding::Method2,
    input: MCHIP,
    ..VIS_10
};

/// M/Chip 4 with EMV common session keys.
const MCHIP_CSK: CryptogramVersion =
    CryptogramVersion { ac_session_key: SessionKey::EmvCommonAtc, arpc_key: ArpcKey::Session, ..MCHIP_SKD };

/// The ten elements of EMV Book 2 clause 8.1.1, and what follows them.
macro_rules! ten_elements_then {
    ($($tail:expr),+) => {
        &[
            AMOUNT_AUTHORISED,
            AMOUNT_OTHER,
            TERMINAL_COUNTRY_CODE,
            TVR,
            CURRENCY_CODE,
            TRANSACTION_DATE,
            TRANSACTION_TYPE,
            UNPREDICTABLE_NUMBER,
            AIP,
            ATC,
            $($tail),+
        ]
    };
}

/// With the CVR: 37 bytes.
const PBOC_01: &[InputPart] = ten_elements_then!(Cvr);

/// The short list of contactless PBOC: 13 bytes.
const PBOC_17: &[InputPart] = &[AMOUNT_AUTHORISED, UNPREDICTABLE_NUMBER, ATC, CvrFirstByte];

/// With all issuer application data.
const EMV_WITH_IAD: &[InputPart] = ten_elements_then!(WholeIad);

/// With the six bytes of the CVR.
const MCHIP: &[InputPart] = ten_elements_then!(MchipCvr);

/// With the same and the counters.
const MCHIP_COUNTERS: &[InputPart] = ten_elements_then!(MchipCvr, MchipCounters);

const AMOUNT_AUTHORISED: InputPart = Element { tag: Tag(0x9F02), length_bytes: 6 };
const AMOUNT_OTHER: InputPart = Element { tag: Tag(0x9F03), length_bytes: 6 };
const TERMINAL_COUNTRY_CODE: InputPart = Element { tag: Tag(0x9F1A), length_bytes: 2 };
const TVR: InputPart = Element { tag: Tag(0x95), length_bytes: 5 };
const CURRENCY_CODE: InputPart = Element { tag: Tag(0x5F2A), length_bytes: 2 };
const TRANSACTION_DATE: InputPart = Element { tag: Tag(0x9A), length_bytes: 3 };
const TRANSACTION_TYPE: InputPart = Element { tag: Tag(0x9C), length_bytes: 1 };
const UNPREDICTABLE_NUMBER: InputPart = Element { tag: Tag(0x9F37), length_bytes: 4 };
const AIP: InputPart = Element { tag: Tag(0x82), length_bytes: 2 };
const ATC: InputPart = Element { tag: Tag(0x9F36), length_bytes: 2 };
