//! Bit fields of EMV Book 3 Annex C and of contactless qualifiers (JR/T 0025.12;
//! EMV Book C-7): one row a bit.

use crate::base::bytes::bit_field;
use std::fmt;

bit_field! {
    /// Application Interchange Profile, tag 82: EMV Book 3 C1; byte 1 bit 2 and byte 2 of
    /// contactless cards: EMV Book C-2 A.1.16.
    pub struct Aip[2] {
        SDA_SUPPORTED = 1 / 7, "SDA supported";
        DDA_SUPPORTED = 1 / 6, "DDA supported";
        CARDHOLDER_VERIFICATION = 1 / 5, "cardholder verification is supported";
        TERMINAL_RISK_MANAGEMENT = 1 / 4, "terminal risk management is to be performed";
        ISSUER_AUTHENTICATION = 1 / 3, "issuer authentication is supported";
        ON_DEVICE_VERIFICATION = 1 / 2, "on device cardholder verification is supported";
        CDA_SUPPORTED = 1 / 1, "CDA supported";
        EMV_MODE = 2 / 8, "EMV mode is supported";
        RELAY_RESISTANCE = 2 / 1, "relay resistance protocol is supported";
    }
}

bit_field! {
    /// Terminal Verification Results, tag 95: EMV Book 3 C5; byte 5 bits 4 to 1: EMV
    /// Book C-2 A.1.166.
    pub struct Tvr[5] {
        ODA_NOT_PERFORMED = 1 / 8, "offline data authentication was not performed";
        SDA_FAILED = 1 / 7, "SDA failed";
        ICC_DATA_MISSING = 1 / 6, "ICC data missing";
        ON_EXCEPTION_FILE = 1 / 5, "card appears on terminal exception file";
        DDA_FAILED = 1 / 4, "DDA failed";
        CDA_FAILED = 1 / 3, "CDA failed";
        SDA_SELECTED = 1 / 2, "SDA selected";
        VERSIONS_DIFFER = 2 / 8, "ICC and terminal have different application versions";
        EXPIRED_APPLICATION = 2 / 7, "expired application";
        NOT_YET_EFFECTIVE = 2 / 6, "application not yet effective";
        SERVICE_NOT_ALLOWED = 2 / 5, "requested service not allowed for card product";
        NEW_CARD = 2 / 4, "new card";
        CVM_FAILED = 3 / 8, "cardholder verification was not successful";
        UNRECOGNISED_CVM = 3 / 7, "unrecognised CVM";
        PIN_TRY_LIMIT_EXCEEDED = 3 / 6, "PIN try limit exceeded";
        PIN_PAD_ABSENT = 3 / 5, "PIN entry required and PIN pad not present or not working";
        PIN_NOT_ENTERED = 3 / 4, "PIN entry required, PIN pad present, but PIN was not entered";
        ONLINE_PIN_ENTERED = 3 / 3, "online PIN entered";
        FLOOR_LIMIT_EXCEEDED = 4 / 8, "transaction exceeds floor limit";
        LOWER_LIMIT_EXCEEDED = 4 / 7, "lower consecutive offline limit exceeded";
        UPPER_LIMIT_EXCEEDED = 4 / 6, "upper consecutive offline limit exceeded";
        RANDOMLY_SELECTED = 4 / 5, "transaction selected randomly for online processing";
        MERCHANT_FORCED_ONLINE = 4 / 4, "merchant forced transaction online";
        DEFAULT_TDOL_USED = 5 / 8, "default TDOL used";
        ISSUER_AUTHENTICATION_FAILED = 5 / 7, "issuer authentication failed";
        SCRIPT_FAILED_BEFORE_AC = 5 / 6, "script processing failed before final GENERATE AC";
        SCRIPT_FAILED_AFTER_AC = 5 / 5, "script processing failed after final GENERATE AC";
        RELAY_THRESHOLD_EXCEEDED = 5 / 4, "relay resistance threshold exceeded";
        RELAY_TIME_EXCEEDED = 5 / 3, "relay resistance time limits exceeded";
        RELAY_CHECKED = 5 / 2, "relay resistance protocol performed";
        RELAY_NOT_CHECKED = 5 / 1, "relay resistance protocol not performed";
    }
}

bit_field! {
    /// Transaction Status Information, tag 9B: EMV Book 3 C6.
    pub struct Tsi[2] {
        ODA_PERFORMED = 1 / 8, "offline data authentication was performed";
        CARDHOLDER_VERIFICATION_PERFORMED = 1 / 7, "cardholder verification was performed";
        CARD_RISK_MANAGEMENT_PERFORMED = 1 / 6, "card risk management was performed";
        ISSUER_AUTHENTICATION_PERFORMED = 1 / 5, "issuer authentication was performed";
        TERMINAL_RISK_MANAGEMENT_PERFORMED = 1 / 4, "terminal risk management was performed";
        SCRIPT_PROCESSING_PERFORMED = 1 / 3, "script processing was performed";
    }
}

bit_field! {
    /// Terminal Transaction Qualifiers, tag 9F66: JR/T 0025.12, EMV Book C-7.
    pub struct Ttq[4] {
        MSD = 1 / 8, "MSD supported";
        FULL_PATH = 1 / 7, "contactless PBOC (full debit/credit) supported";
        QUICK_PATH = 1 / 6, "qPBOC (quick path) supported";
        CONTACT = 1 / 5, "contact PBOC supported";
        OFFLINE_ONLY = 1 / 4, "offline-only reader";
        ONLINE_PIN = 1 / 3, "online PIN supported";
        SIGNATURE = 1 / 2, "signature supported";
        ODA_FOR_ONLINE = 1 / 1, "offline data authentication for online authorisations supported";
        ONLINE_REQUIRED = 2 / 8, "online cryptogram required";
        CVM_REQUIRED = 2 / 7, "CVM required";
        ISSUER_UPDATE = 3 / 8, "issuer update processing supported";
        CDCVM = 3 / 7, "consumer device CVM supported";
        FDDA_01 = 4 / 8, "fDDA version 01 supported";
    }
}

bit_field! {
    /// Card Transaction Qualifiers, tag 9F6C: JR/T 0025.12, EMV Books C-3 and C-7.
    pub struct Ctq[2] {
        ONLINE_PIN_REQUIRED = 1 / 8, "online PIN required";
        SIGNATURE_REQUIRED = 1 / 7, "signature required";
        ONLINE_IF_ODA_FAILS = 1 / 6, "go online if offline data authentication fails and reader is online capable";
        SWITCH_IF_ODA_FAILS = 1 / 5, "switch interface if offline data authentication fails";
        ONLINE_IF_EXPIRED = 1 / 4, "go online if application expired";
        SWITCH_FOR_CASH = 1 / 3, "switch interface for cash transactions";
        SWITCH_FOR_CASHBACK = 1 / 2, "switch interface for cashback transactions";
        NOT_VALID_AT_ATM = 1 / 1, "not valid for contactless ATM transactions";
        CDCVM_PERFORMED = 2 / 8, "consumer device CVM performed";
        ISSUER_UPDATE = 2 / 7, "issuer update processing supported";
    }
}

bit_field! {
    /// Extended Application Capability, tag DF61: JR/T 0025.12. Its other bits are not public.
    pub struct ExtendedCapability[1] {
        ODA_FOR_ONLINE = 1 / 7, "offline data authentication for online requests on the quick path";
    }
}

bit_field! {
    /// Kernel Configuration, tag DF811B: EMV Book C-2 A.1.81.
    pub struct KernelConfiguration[1] {
        NO_MAGSTRIPE_MODE = 1 / 8, "mag-stripe mode contactless transactions not supported";
        NO_EMV_MODE = 1 / 7, "EMV mode contactless transactions not supported";
        ON_DEVICE_VERIFICATION = 1 / 6, "on device cardholder verification supported";
        RELAY_RESISTANCE = 1 / 5, "relay resistance protocol supported";
        READ_ALL_RECORDS = 1 / 3, "read all records even when no CDA";
    }
}

bit_field! {
    /// Application Capabilities Information, tag 9F5D of RID A000000004: EMV Book C-2
    /// A.1.9. The numbers of byte 1 have no bits here.
    pub struct ApplicationCapabilities[3] {
        FIELD_OFF_DETECTION = 2 / 3, "support for field off detection";
        BALANCE_READING = 2 / 2, "support for balance reading";
        CDA_OVER_AAC = 2 / 1, "CDA supported over TC, ARQC and AAC";
    }
}

bit_field! {
    /// Terminal Capabilities, tag 9F33: EMV Book 4 A2.
    pub struct TerminalCapabilities[3] {
        MANUAL_KEY_ENTRY = 1 / 8, "manual key entry";
        MAGNETIC_STRIPE = 1 / 7, "magnetic stripe";
        IC_WITH_CONTACTS = 1 / 6, "IC with contacts";
        PLAINTEXT_PIN = 2 / 8, "plaintext PIN for ICC verification";
        ONLINE_PIN = 2 / 7, "enciphered PIN for online verification";
        SIGNATURE = 2 / 6, "signature (paper)";
        ENCIPHERED_PIN = 2 / 5, "enciphered PIN for offline verification";
        NO_CVM = 2 / 4, "no CVM required";
        SDA = 3 / 8, "SDA";
        DDA = 3 / 7, "DDA";
        CARD_CAPTURE = 3 / 6, "card capture";
        CDA = 3 / 4, "CDA";
    }
}

bit_field! {
    /// Application Usage Control, tag 9F07: EMV Book 3 C2.
    pub struct UsageControl[2] {
        DOMESTIC_CASH = 1 / 8, "valid for domestic cash transactions";
        INTERNATIONAL_CASH = 1 / 7, "valid for international cash transactions";
        DOMESTIC_GOODS = 1 / 6, "valid for domestic goods";
        INTERNATIONAL_GOODS = 1 / 5, "valid for international goods";
        DOMESTIC_SERVICES = 1 / 4, "valid for domestic services";
        INTERNATIONAL_SERVICES = 1 / 3, "valid for international services";
        ATM = 1 / 2, "valid at ATMs";
        OTHER_THAN_ATM = 1 / 1, "valid at terminals other than ATMs";
        DOMESTIC_CASHBACK = 2 / 8, "domestic cashback allowed";
        INTERNATIONAL_CASHBACK = 2 / 7, "international cashback allowed";
    }
}

/// Which cryptogram: the two high bits of the Cryptogram Information Data and of
/// P1 of GENERATE AC (EMV Book 3 table 12 and 6.5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CryptogramType {
    /// Application authentication cryptogram: declined.
    Aac,
    /// Transaction certificate: approved.
    Tc,
    /// Authorisation request cryptogram: asks the issuer.
    Arqc,
}

impl CryptogramType {
    /// From the two high bits; `11` is RFU.
    pub const fn from_bits(byte: u8) -> Option<Self> {
        match byte & 0xC0 {
            0x00 => Some(Self::Aac),
            0x40 => Some(Self::Tc),
            0x80 => Some(Self::Arqc),
            _ => None,
        }
    }

    /// The two high bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Aac => 0x00,
            Self::Tc => 0x40,
            Self::Arqc => 0x80,
        }
    }
}

impl fmt::Display for CryptogramType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aac => "AAC",
            Self::Tc => "TC",
            Self::Arqc => "ARQC",
        })
    }
}

/// Cryptogram Information Data, tag 9F27.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cid(pub u8);

impl Cid {
    /// The cryptogram that came; `None` for the RFU combination.
    pub const fn cryptogram_type(self) -> Option<CryptogramType> {
        CryptogramType::from_bits(self.0)
    }

    /// Whether an advice is required (bit 4).
    pub const fn advice_required(self) -> bool {
        self.0 & 0x08 != 0
    }
}
