//! The rows. One line an element: its constant, tag, name, source, format,
//! shortest and longest value in bytes, sensitivity.
//!
//! Sources: EMV Book 3 Annex A; JR/T 0025 (electronic cash, second currency,
//! logs), as cited in the public implementations that the README names; EMV
//! Tokenisation Framework (9F19, 9F24, 9F25); EMV Book C-2 Annex A; card risk management
//! of M/Chip as public tag lists name it (C3 to D7).

use super::{Format, Row, Sensitivity, Source};
use crate::words::tlv::Tag;

macro_rules! tagged {
    ($( $constant:ident $tag:literal $name:literal $source:ident $format:ident $min:literal $max:literal $sensitivity:ident; )*) => {
        /// The tags by name.
        pub mod tag {
            use crate::words::tlv::Tag;
            $( #[doc = $name] pub const $constant: Tag = Tag($tag); )*
        }

        /// Every element with a tag.
        pub const TAGGED: &[Row] = &[$( Row {
            tag: Some(Tag($tag)),
            name: $name,
            source: Source::$source,
            format: Format::$format,
            min: $min,
            max: $max,
            sensitivity: Sensitivity::$sensitivity,
        } ),*];
    };
}

macro_rules! named {
    ($( $name:literal $source:ident $format:ident $min:literal $max:literal $sensitivity:ident; )*) => {
        /// Every element without a tag.
        pub const NAMED: &[Row] = &[$( Row {
            tag: None,
            name: $name,
            source: Source::$source,
            format: Format::$format,
            min: $min,
            max: $max,
            sensitivity: Sensitivity::$sensitivity,
        } ),*];
    };
}

tagged! {
    ISSUER_IDENTIFICATION_NUMBER 0x42 "Issuer Identification Number (IIN)" Card Numeric 3 3 Plain;
    AID 0x4F "Application Identifier (AID) - card" Card Binary 5 16 Plain;
    APPLICATION_LABEL 0x50 "Application Label" Card Text 1 16 Plain;
    TRACK_1_DATA 0x56 "Track 1 Data" Card Text 0 79 Secret;
    TRACK_2_EQUIVALENT_DATA 0x57 "Track 2 Equivalent Data" Card Binary 0 19 Track;
    PAN 0x5A "Application Primary Account Number (PAN)" Card CompressedNumeric 0 10 Pan;
    CARDHOLDER_NAME 0x5F20 "Cardholder Name" Card Text 2 26 Person;
    APPLICATION_EXPIRATION_DATE 0x5F24 "Application Expiration Date" Card Date 3 3 Plain;
    APPLICATION_EFFECTIVE_DATE 0x5F25 "Application Effective Date" Card Date 3 3 Plain;
    ISSUER_COUNTRY_CODE 0x5F28 "Issuer Country Code" Card Numeric 2 2 Plain;
    TRANSACTION_CURRENCY_CODE 0x5F2A "Transaction Currency Code" Terminal Numeric 2 2 Plain;
    LANGUAGE_PREFERENCE 0x5F2D "Language Preference" Card Text 2 8 Plain;
    SERVICE_CODE 0x5F30 "Service Code" Card Numeric 2 2 Plain;
    PAN_SEQUENCE_NUMBER 0x5F34 "Application PAN Sequence Number" Card Numeric 1 1 Plain;
    TRANSACTION_CURRENCY_EXPONENT 0x5F36 "Transaction Currency Exponent" Terminal Numeric 1 1 Plain;
    ISSUER_URL 0x5F50 "Issuer URL" Card Text 0 255 Plain;
    IBAN 0x5F53 "International Bank Account Number (IBAN)" Card Text 0 34 Person;
    BANK_IDENTIFIER_CODE 0x5F54 "Bank Identifier Code (BIC)" Card Text 8 11 Plain;
    ISSUER_COUNTRY_CODE_ALPHA_2 0x5F55 "Issuer Country Code (alpha2 format)" Card Text 2 2 Plain;
    ISSUER_COUNTRY_CODE_ALPHA_3 0x5F56 "Issuer Country Code (alpha3 format)" Card Text 3 3 Plain;
    APPLICATION_TEMPLATE 0x61 "Application Template" Card Template 0 252 Parts;
    FCI_TEMPLATE 0x6F "File Control Information (FCI) Template" Card Template 0 252 Parts;
    RECORD_TEMPLATE 0x70 "READ RECORD Response Message Template" Card Template 0 252 Parts;
    ISSUER_SCRIPT_TEMPLATE_1 0x71 "Issuer Script Template 1" Issuer Template 0 127 Parts;
    ISSUER_SCRIPT_TEMPLATE_2 0x72 "Issuer Script Template 2" Issuer Template 0 127 Parts;
    DIRECTORY_DISCRETIONARY_TEMPLATE 0x73 "Directory Discretionary Template" Card Template 0 252 Parts;
    RESPONSE_TEMPLATE_FORMAT_2 0x77 "Response Message Template Format 2" Card Template 0 255 Parts;
    RESPONSE_TEMPLATE_FORMAT_1 0x80 "Response Message Template Format 1" Card Binary 0 255 Plain;
    AMOUNT_AUTHORISED_BINARY 0x81 "Amount, Authorised (Binary)" Terminal Binary 4 4 Plain;
    AIP 0x82 "Application Interchange Profile" Card Binary 2 2 Plain;
    COMMAND_TEMPLATE 0x83 "Command Template" Terminal Binary 0 255 Parts;
    DF_NAME 0x84 "Dedicated File (DF) Name" Card Binary 1 16 Plain;
    ISSUER_SCRIPT_COMMAND 0x86 "Issuer Script Command" Issuer Binary 0 255 Plain;
    APPLICATION_PRIORITY_INDICATOR 0x87 "Application Priority Indicator" Card Binary 1 1 Plain;
    SFI 0x88 "Short File Identifier (SFI)" Card Binary 1 1 Plain;
    AUTHORISATION_CODE 0x89 "Authorisation Code" Issuer Text 6 6 Plain;
    AUTHORISATION_RESPONSE_CODE 0x8A "Authorisation Response Code" Issuer Text 2 2 Plain;
    CDOL1 0x8C "Card Risk Management Data Object List 1 (CDOL1)" Card Dol 0 252 Plain;
    CDOL2 0x8D "Card Risk Management Data Object List 2 (CDOL2)" Card Dol 0 252 Plain;
    CVM_LIST 0x8E "Cardholder Verification Method (CVM) List" Card Binary 10 252 Plain;
    CA_PUBLIC_KEY_INDEX_CARD 0x8F "Certification Authority Public Key Index - card" Card Binary 1 1 Plain;
    ISSUER_PUBLIC_KEY_CERTIFICATE 0x90 "Issuer Public Key Certificate" Card Binary 0 248 Plain;
    ISSUER_AUTHENTICATION_DATA 0x91 "Issuer Authentication Data" Issuer Binary 8 16 Plain;
    ISSUER_PUBLIC_KEY_REMAINDER 0x92 "Issuer Public Key Remainder" Card Binary 0 248 Plain;
    SIGNED_STATIC_APPLICATION_DATA 0x93 "Signed Static Application Data" Card Binary 0 248 Plain;
    AFL 0x94 "Application File Locator (AFL)" Card Binary 0 252 Plain;
    TVR 0x95 "Terminal Verification Results" Terminal Binary 5 5 Plain;
    TDOL 0x97 "Transaction Certificate Data Object List (TDOL)" Card Dol 0 252 Plain;
    TC_HASH_VALUE 0x98 "Transaction Certificate (TC) Hash Value" Terminal Binary 20 20 Plain;
    TRANSACTION_PIN_DATA 0x99 "Transaction PIN Data" Terminal Binary 0 255 Secret;
    TRANSACTION_DATE 0x9A "Transaction Date" Terminal Date 3 3 Plain;
    TSI 0x9B "Transaction Status Information" Terminal Binary 2 2 Plain;
    TRANSACTION_TYPE 0x9C "Transaction Type" Terminal Numeric 1 1 Plain;
    DDF_NAME 0x9D "Directory Definition File (DDF) Name" Card Binary 5 16 Plain;
    FCI_PROPRIETARY_TEMPLATE 0xA5 "File Control Information (FCI) Proprietary Template" Card Template 0 252 Parts;
    ACCOUNT_TYPE 0x5F57 "Account Type" Terminal Numeric 1 1 Plain;
    CIAC_DECLINE 0xC3 "Card Issuer Action Code - Decline (contact)" Card Binary 3 3 Plain;
    CIAC_DEFAULT 0xC4 "Card Issuer Action Code - Default (contact)" Card Binary 3 3 Plain;
    CIAC_ONLINE 0xC5 "Card Issuer Action Code - Online (contact)" Card Binary 3 3 Plain;
    CRM_COUNTRY_CODE 0xC8 "CRM Country Code" Card Numeric 2 2 Plain;
    CRM_CURRENCY_CODE 0xC9 "CRM Currency Code" Card Numeric 2 2 Plain;
    LOWER_CUMULATIVE_LIMIT 0xCA "Lower Cumulative Offline Transaction Amount" Card Amount 6 6 Plain;
    UPPER_CUMULATIVE_LIMIT 0xCB "Upper Cumulative Offline Transaction Amount" Card Amount 6 6 Plain;
    CIAC_DEFAULT_CONTACTLESS 0xCD "Card Issuer Action Code - Default (contactless)" Card Binary 3 3 Plain;
    CIAC_ONLINE_CONTACTLESS 0xCE "Card Issuer Action Code - Online (contactless)" Card Binary 3 3 Plain;
    CIAC_DECLINE_CONTACTLESS 0xCF "Card Issuer Action Code - Decline (contactless)" Card Binary 3 3 Plain;
    APPLICATION_CONTROL 0xD5 "Application Control (contact)" Card Binary 3 6 Plain;
    APPLICATION_CONTROL_CONTACTLESS 0xD7 "Application Control (contactless)" Card Binary 3 6 Plain;
    ACQUIRER_IDENTIFIER 0x9F01 "Acquirer Identifier" Terminal Numeric 6 6 Plain;
    AMOUNT_AUTHORISED 0x9F02 "Amount, Authorised (Numeric)" Terminal Amount 6 6 Plain;
    AMOUNT_OTHER 0x9F03 "Amount, Other (Numeric)" Terminal Amount 6 6 Plain;
    AMOUNT_OTHER_BINARY 0x9F04 "Amount, Other (Binary)" Terminal Binary 4 4 Plain;
    APPLICATION_DISCRETIONARY_DATA 0x9F05 "Application Discretionary Data" Card Binary 1 32 Secret;
    AID_TERMINAL 0x9F06 "Application Identifier (AID) - terminal" Terminal Binary 5 16 Plain;
    APPLICATION_USAGE_CONTROL 0x9F07 "Application Usage Control" Card Binary 2 2 Plain;
    APPLICATION_VERSION_NUMBER_CARD 0x9F08 "Application Version Number - card" Card Binary 2 2 Plain;
    APPLICATION_VERSION_NUMBER_TERMINAL 0x9F09 "Application Version Number - terminal" Terminal Binary 2 2 Plain;
    SELECTION_PROPRIETARY_DATA 0x9F0A "Application Selection Registered Proprietary Data" Card Binary 3 255 Plain;
    CARDHOLDER_NAME_EXTENDED 0x9F0B "Cardholder Name Extended" Card Text 27 45 Person;
    ISSUER_IDENTIFICATION_NUMBER_EXTENDED 0x9F0C "Issuer Identification Number Extended (IINE)" Card Numeric 3 64 Secret;
    IAC_DEFAULT 0x9F0D "Issuer Action Code - Default" Card Binary 5 5 Plain;
    IAC_DENIAL 0x9F0E "Issuer Action Code - Denial" Card Binary 5 5 Plain;
    IAC_ONLINE 0x9F0F "Issuer Action Code - Online" Card Binary 5 5 Plain;
    ISSUER_APPLICATION_DATA 0x9F10 "Issuer Application Data" Card Binary 0 32 Plain;
    ISSUER_CODE_TABLE_INDEX 0x9F11 "Issuer Code Table Index" Card Numeric 1 1 Plain;
    APPLICATION_PREFERRED_NAME 0x9F12 "Application Preferred Name" Card Text 1 16 Plain;
    LAST_ONLINE_ATC_REGISTER 0x9F13 "Last Online Application Transaction Counter (ATC) Register" Card Binary 2 2 Plain;
    LOWER_CONSECUTIVE_OFFLINE_LIMIT 0x9F14 "Lower Consecutive Offline Limit" Card Binary 1 1 Plain;
    MERCHANT_CATEGORY_CODE 0x9F15 "Merchant Category Code" Terminal Numeric 2 2 Plain;
    MERCHANT_IDENTIFIER 0x9F16 "Merchant Identifier" Terminal Text 15 15 Plain;
    PIN_TRY_COUNTER 0x9F17 "Personal Identification Number (PIN) Try Counter" Card Binary 1 1 Plain;
    ISSUER_SCRIPT_IDENTIFIER 0x9F18 "Issuer Script Identifier" Issuer Binary 4 4 Plain;
    TOKEN_REQUESTOR_ID 0x9F19 "Token Requestor ID" Card Numeric 6 6 Plain;
    TERMINAL_COUNTRY_CODE 0x9F1A "Terminal Country Code" Terminal Numeric 2 2 Plain;
    TERMINAL_FLOOR_LIMIT 0x9F1B "Terminal Floor Limit" Terminal Binary 4 4 Plain;
    TERMINAL_IDENTIFICATION 0x9F1C "Terminal Identification" Terminal Text 8 8 Plain;
    TERMINAL_RISK_MANAGEMENT_DATA 0x9F1D "Terminal Risk Management Data" Terminal Binary 1 8 Plain;
    INTERFACE_DEVICE_SERIAL_NUMBER 0x9F1E "Interface Device (IFD) Serial Number" Terminal Text 8 8 Plain;
    TRACK_1_DISCRETIONARY_DATA 0x9F1F "Track 1 Discretionary Data" Card Text 0 255 Secret;
    TRACK_2_DISCRETIONARY_DATA 0x9F20 "Track 2 Discretionary Data" Card CompressedNumeric 0 255 Secret;
    TRANSACTION_TIME 0x9F21 "Transaction Time" Terminal Numeric 3 3 Plain;
    CA_PUBLIC_KEY_INDEX_TERMINAL 0x9F22 "Certification Authority Public Key Index - terminal" Terminal Binary 1 1 Plain;
    UPPER_CONSECUTIVE_OFFLINE_LIMIT 0x9F23 "Upper Consecutive Offline Limit" Card Binary 1 1 Plain;
    PAYMENT_ACCOUNT_REFERENCE 0x9F24 "Payment Account Reference (PAR)" Card Text 29 29 Person;
    LAST_4_DIGITS_OF_PAN 0x9F25 "Last 4 Digits of PAN" Card Numeric 2 2 Plain;
    APPLICATION_CRYPTOGRAM 0x9F26 "Application Cryptogram" Card Binary 8 8 Plain;
    CRYPTOGRAM_INFORMATION_DATA 0x9F27 "Cryptogram Information Data" Card Binary 1 1 Plain;
    EXTENDED_SELECTION 0x9F29 "Extended Selection" Card Binary 1 16 Plain;
    KERNEL_IDENTIFIER 0x9F2A "Kernel Identifier" Card Binary 1 8 Plain;
    ICC_PIN_ENCIPHERMENT_CERTIFICATE 0x9F2D "ICC PIN Encipherment Public Key Certificate" Card Binary 0 248 Secret;
    ICC_PIN_ENCIPHERMENT_EXPONENT 0x9F2E "ICC PIN Encipherment Public Key Exponent" Card Binary 1 3 Plain;
    ICC_PIN_ENCIPHERMENT_REMAINDER 0x9F2F "ICC PIN Encipherment Public Key Remainder" Card Binary 0 248 Plain;
    ISSUER_PUBLIC_KEY_EXPONENT 0x9F32 "Issuer Public Key Exponent" Card Binary 1 3 Plain;
    TERMINAL_CAPABILITIES 0x9F33 "Terminal Capabilities" Terminal Binary 3 3 Plain;
    CVM_RESULTS 0x9F34 "Cardholder Verification Method (CVM) Results" Terminal Binary 3 3 Plain;
    TERMINAL_TYPE 0x9F35 "Terminal Type" Terminal Numeric 1 1 Plain;
    ATC 0x9F36 "Application Transaction Counter (ATC)" Card Binary 2 2 Plain;
    UNPREDICTABLE_NUMBER 0x9F37 "Unpredictable Number" Terminal Binary 4 4 Plain;
    PDOL 0x9F38 "Processing Options Data Object List (PDOL)" Card Dol 0 252 Plain;
    POS_ENTRY_MODE 0x9F39 "Point-of-Service (POS) Entry Mode" Terminal Numeric 1 1 Plain;
    AMOUNT_REFERENCE_CURRENCY 0x9F3A "Amount, Reference Currency" Terminal Binary 4 4 Plain;
    APPLICATION_REFERENCE_CURRENCY 0x9F3B "Application Reference Currency" Card Numeric 2 8 Plain;
    TRANSACTION_REFERENCE_CURRENCY 0x9F3C "Transaction Reference Currency Code" Terminal Numeric 2 2 Plain;
    TRANSACTION_REFERENCE_CURRENCY_EXPONENT 0x9F3D "Transaction Reference Currency Exponent" Terminal Numeric 1 1 Plain;
    ADDITIONAL_TERMINAL_CAPABILITIES 0x9F40 "Additional Terminal Capabilities" Terminal Binary 5 5 Plain;
    TRANSACTION_SEQUENCE_COUNTER 0x9F41 "Transaction Sequence Counter" Terminal Numeric 2 4 Plain;
    APPLICATION_CURRENCY_CODE 0x9F42 "Application Currency Code" Card Numeric 2 2 Plain;
    APPLICATION_REFERENCE_CURRENCY_EXPONENT 0x9F43 "Application Reference Currency Exponent" Card Numeric 1 4 Plain;
    APPLICATION_CURRENCY_EXPONENT 0x9F44 "Application Currency Exponent" Card Numeric 1 1 Plain;
    DATA_AUTHENTICATION_CODE 0x9F45 "Data Authentication Code" Card Binary 2 2 Plain;
    ICC_PUBLIC_KEY_CERTIFICATE 0x9F46 "ICC Public Key Certificate" Card Binary 0 248 Secret;
    ICC_PUBLIC_KEY_EXPONENT 0x9F47 "ICC Public Key Exponent" Card Binary 1 3 Plain;
    ICC_PUBLIC_KEY_REMAINDER 0x9F48 "ICC Public Key Remainder" Card Binary 0 248 Plain;
    DDOL 0x9F49 "Dynamic Data Authentication Data Object List (DDOL)" Card Dol 0 252 Plain;
    STATIC_DATA_AUTHENTICATION_TAG_LIST 0x9F4A "Static Data Authentication Tag List" Card Binary 0 252 Plain;
    SIGNED_DYNAMIC_APPLICATION_DATA 0x9F4B "Signed Dynamic Application Data" Card Binary 0 248 Plain;
    ICC_DYNAMIC_NUMBER 0x9F4C "ICC Dynamic Number" Card Binary 2 8 Plain;
    LOG_ENTRY 0x9F4D "Log Entry" Card Binary 2 2 Plain;
    MERCHANT_NAME_AND_LOCATION 0x9F4E "Merchant Name and Location" Terminal Text 0 255 Plain;
    LOG_FORMAT 0x9F4F "Log Format" Card Dol 0 252 Plain;
    OFFLINE_ACCUMULATOR_BALANCE 0x9F50 "Offline Accumulator Balance" Card Amount 6 6 Plain;
    APPLICATION_CURRENCY_CODE_EC 0x9F51 "Application Currency Code (electronic cash)" Card Numeric 2 2 Plain;
    APPLICATION_DEFAULT_ACTION 0x9F52 "Application Default Action" Card Binary 2 4 Plain;
    CONSECUTIVE_LIMIT_INTERNATIONAL 0x9F53 "Consecutive Transaction Limit (International)" Card Binary 1 1 Plain;
    CUMULATIVE_LIMIT 0x9F54 "Cumulative Total Transaction Amount Limit" Card Amount 6 6 Plain;
    ISSUER_AUTHENTICATION_INDICATOR 0x9F56 "Issuer Authentication Indicator" Card Binary 1 1 Plain;
    ISSUER_COUNTRY_CODE_EC 0x9F57 "Issuer Country Code" Card Numeric 2 2 Plain;
    LOWER_CONSECUTIVE_LIMIT 0x9F58 "Lower Consecutive Offline Limit" Card Binary 1 1 Plain;
    UPPER_CONSECUTIVE_LIMIT 0x9F59 "Upper Consecutive Offline Limit" Card Binary 1 1 Plain;
    CUMULATIVE_UPPER_LIMIT 0x9F5C "Cumulative Total Transaction Amount Upper Limit" Card Amount 6 6 Plain;
    AVAILABLE_OFFLINE_SPENDING_AMOUNT 0x9F5D "Available Offline Spending Amount" Card Amount 6 6 Plain;
    CARDHOLDER_ID_NUMBER 0x9F61 "Cardholder Identification Number" Card Text 0 40 Person;
    CARDHOLDER_ID_TYPE 0x9F62 "Cardholder Identification Type" Card Binary 1 1 Plain;
    PRODUCT_IDENTIFICATION 0x9F63 "Product Identification" Card Binary 16 16 Plain;
    TTQ 0x9F66 "Terminal Transaction Qualifiers" Terminal Binary 4 4 Plain;
    CARD_ADDITIONAL_PROCESSING 0x9F68 "Card Additional Processing" Card Binary 4 4 Plain;
    CARD_AUTHENTICATION_RELATED_DATA 0x9F69 "Card Authentication Related Data" Card Binary 5 16 Plain;
    CARD_CVM_LIMIT 0x9F6B "Card CVM Limit" Card Amount 6 6 Plain;
    CTQ 0x9F6C "Card Transaction Qualifiers" Card Binary 2 2 Plain;
    EC_RESET_THRESHOLD 0x9F6D "Electronic Cash Reset Threshold" Card Amount 6 6 Plain;
    FORM_FACTOR_INDICATOR 0x9F6E "Form Factor Indicator" Card Binary 4 32 Plain;
    CONSECUTIVE_LIMIT_COUNTRY 0x9F72 "Consecutive Transaction Limit (International - Country)" Card Binary 1 1 Plain;
    CURRENCY_CONVERSION_FACTOR 0x9F73 "Currency Conversion Factor" Card Numeric 4 4 Plain;
    EC_ISSUER_AUTHORISATION_CODE 0x9F74 "Electronic Cash Issuer Authorisation Code" Card Text 6 6 Plain;
    CUMULATIVE_LIMIT_DUAL_CURRENCY 0x9F75 "Cumulative Total Transaction Amount Limit (Dual Currency)" Card Amount 6 6 Plain;
    SECONDARY_APPLICATION_CURRENCY 0x9F76 "Secondary Application Currency Code" Card Numeric 2 2 Plain;
    EC_BALANCE_LIMIT 0x9F77 "Electronic Cash Balance Limit" Card Amount 6 6 Plain;
    EC_SINGLE_TRANSACTION_LIMIT 0x9F78 "Electronic Cash Single Transaction Limit" Card Amount 6 6 Plain;
    EC_BALANCE 0x9F79 "Electronic Cash Balance" Card Amount 6 6 Plain;
    EC_TERMINAL_SUPPORT_INDICATOR 0x9F7A "Electronic Cash Terminal Support Indicator" Terminal Numeric 1 1 Plain;
    EC_TERMINAL_TRANSACTION_LIMIT 0x9F7B "Electronic Cash Terminal Transaction Limit" Terminal Amount 6 6 Plain;
    MOBILE_SUPPORT_INDICATOR 0x9F7E "Mobile Support Indicator" Terminal Binary 1 1 Plain;
    FCI_ISSUER_DISCRETIONARY_DATA 0xBF0C "File Control Information (FCI) Issuer Discretionary Data" Card Template 0 222 Parts;
    ISSUER_SCRIPT_RESULTS 0xDF31 "Issuer Script Results" Terminal Binary 5 21 Plain;
    CHIP_SERIAL_NUMBER 0xDF32 "Chip Serial Number" Card Binary 0 32 Plain;
    SESSION_KEY_DATA 0xDF33 "Session Key Data" Card Binary 0 32 Secret;
    LOAD_LOG_ENTRY 0xDF4D "Load Log Entry" Card Binary 2 2 Plain;
    LOAD_LOG_FORMAT 0xDF4F "Load Log Format" Card Dol 0 252 Plain;
    CAPP_INDICATOR 0xDF60 "CAPP Transaction Indicator" Terminal Binary 1 1 Plain;
    EXTENDED_APPLICATION_CAPABILITY 0xDF61 "Extended Application Capability" Card Binary 1 1 Plain;
    SEGMENT_OFFSET_LIMIT 0xDF62 "Segment Billing Offset Limit" Card Amount 6 6 Plain;
    SEGMENT_OFFSET_USED 0xDF63 "Segment Billing Offset Used" Card Amount 6 6 Plain;
    SM_SUPPORT_INDICATOR 0xDF69 "SM Algorithm Support Indicator" Terminal Binary 1 1 Plain;
    SECOND_CURRENCY_CODE 0xDF71 "Second Currency: Application Currency Code" Card Numeric 2 2 Plain;
    SECOND_CVM_LIMIT 0xDF72 "Second Currency: Card CVM Limit" Card Amount 6 6 Plain;
    SECOND_RESET_THRESHOLD 0xDF76 "Second Currency: Reset Threshold" Card Amount 6 6 Plain;
    SECOND_BALANCE_LIMIT 0xDF77 "Second Currency: Balance Limit" Card Amount 6 6 Plain;
    SECOND_SINGLE_TRANSACTION_LIMIT 0xDF78 "Second Currency: Single Transaction Limit" Card Amount 6 6 Plain;
    SECOND_BALANCE 0xDF79 "Second Currency: Balance" Card Amount 6 6 Plain;
    BALANCE_READ_BEFORE_GEN_AC 0xDF8104 "Balance Read Before Gen AC" Card Amount 0 6 Plain;
    BALANCE_READ_AFTER_GEN_AC 0xDF8105 "Balance Read After Gen AC" Card Amount 0 6 Plain;
    CVM_CAPABILITY_REQUIRED 0xDF8118 "CVM Capability - CVM Required" Terminal Binary 1 1 Plain;
    CVM_CAPABILITY_NOT_REQUIRED 0xDF8119 "CVM Capability - No CVM Required" Terminal Binary 1 1 Plain;
    KERNEL_CONFIGURATION 0xDF811B "Kernel Configuration" Terminal Binary 1 1 Plain;
    TORN_LIFETIME 0xDF811C "Max Lifetime of Torn Transaction Log Record" Terminal Binary 2 2 Plain;
    TORN_RECORDS 0xDF811D "Max Number of Torn Transaction Log Records" Terminal Binary 1 1 Plain;
    SECURITY_CAPABILITY 0xDF811F "Security Capability" Terminal Binary 1 1 Plain;
    CONTACTLESS_FLOOR_LIMIT 0xDF8123 "Reader Contactless Floor Limit" Terminal Amount 6 6 Plain;
    CONTACTLESS_TRANSACTION_LIMIT 0xDF8124 "Reader Contactless Transaction Limit (No On-device CVM)" Terminal Amount 6 6 Plain;
    CONTACTLESS_ON_DEVICE_LIMIT 0xDF8125 "Reader Contactless Transaction Limit (On-device CVM)" Terminal Amount 6 6 Plain;
    CONTACTLESS_CVM_LIMIT 0xDF8126 "Reader CVM Required Limit" Terminal Amount 6 6 Plain;
    RELAY_MINIMUM_GRACE 0xDF8132 "Minimum Relay Resistance Grace Period" Terminal Binary 2 2 Plain;
    RELAY_MAXIMUM_GRACE 0xDF8133 "Maximum Relay Resistance Grace Period" Terminal Binary 2 2 Plain;
    RELAY_COMMAND_TRANSMISSION 0xDF8134 "Terminal Expected Transmission Time For Relay Resistance C-APDU" Terminal Binary 2 2 Plain;
    RELAY_ANSWER_TRANSMISSION 0xDF8135 "Terminal Expected Transmission Time For Relay Resistance R-APDU" Terminal Binary 2 2 Plain;
    RELAY_ACCURACY 0xDF8136 "Relay Resistance Accuracy Threshold" Terminal Binary 2 2 Plain;
    RELAY_MISMATCH 0xDF8137 "Relay Resistance Transmission Time Mismatch Threshold" Terminal Binary 1 1 Plain;
    TERMINAL_RELAY_ENTROPY 0xDF8301 "Terminal Relay Resistance Entropy" Terminal Binary 4 4 Plain;
    DEVICE_RELAY_ENTROPY 0xDF8302 "Device Relay Resistance Entropy" Card Binary 4 4 Plain;
    MINIMUM_RELAY_TIME 0xDF8303 "Min Time For Processing Relay Resistance APDU" Card Binary 2 2 Plain;
    MAXIMUM_RELAY_TIME 0xDF8304 "Max Time For Processing Relay Resistance APDU" Card Binary 2 2 Plain;
    DEVICE_TRANSMISSION_TIME 0xDF8305 "Device Estimated Transmission Time For Relay Resistance R-APDU" Card Binary 2 2 Plain;
    MEASURED_RELAY_TIME 0xDF8306 "Measured Relay Resistance Processing Time" Terminal Binary 2 2 Plain;
    PURSE_DETAIL 0xDF8A01 "Purse Transaction Detail (ours: what a purse's message covers)" Terminal Binary 33 33 Plain;
    PURSE_MAC 0xDF8A02 "Purse MAC (ours: MAC1, MAC2 or MAC3)" Card Binary 4 4 Plain;
    PURSE_TAC 0xDF8A03 "Purse TAC (ours)" Card Binary 4 4 Plain;
    TRANSFER_OFFER 0xDF8A04 "Transfer Offer (ours: signed by the payee's phone)" Terminal Binary 112 112 Plain;
    TRANSFER_AGREEMENT 0xDF8A05 "Transfer Agreement (ours: signed by the payer's phone)" Terminal Binary 72 72 Plain;
    TRANSFER_WITHDRAWAL 0xDF8A06 "Transfer Withdrawal (ours: signed by the payee's phone)" Terminal Binary 68 68 Plain;
    TRANSFER_RECEIPT 0xDF8A07 "Transfer Receipt (ours: signed by the host)" Issuer Binary 71 71 Plain;
    RELAY_COUNTER 0xDF8307 "RRP Counter" Terminal Binary 1 1 Plain;
}

named! {
    "C-APDU" Link Binary 4 65544 Parts;
    "R-APDU" Link Binary 2 65538 Parts;
    "ATR" Link Binary 2 33 Plain;
    "FCI" Card Template 0 255 Parts;
    "record" Card Template 0 255 Parts;
    "SFI" Terminal Binary 1 1 Plain;
    "record number" Terminal Binary 1 1 Plain;
    "PIN block" Terminal Binary 8 8 Secret;
    "enciphered PIN" Terminal Binary 64 248 Secret;
    "enciphered PIN block" Issuer Binary 8 32 Secret;
    "DDOL data" Terminal Binary 0 255 Secret;
    "response bytes" Card Binary 0 65536 Parts;
    "balance before" Card Amount 6 6 Plain;
    "balance after" Card Amount 6 6 Plain;
    "amount" Terminal Amount 6 6 Plain;
    "script MAC" Issuer Binary 4 8 Plain;
    "state" Terminal Text 0 32 Plain;
    "state before" Terminal Text 0 32 Plain;
    "trace" Terminal Binary 4 4 Plain;
    "response code" Issuer Text 2 2 Plain;
    "CVR" Card Binary 4 6 Plain;
    "CV rule" Card Binary 2 2 Plain;
    "terminal action code" Terminal Binary 5 5 Plain;
    "CDOL data" Terminal Binary 0 255 Parts;
    "DRDOL data" Terminal Binary 0 255 Secret;
    "challenge" Link Binary 6 8 Plain;
    "sequence counter" Card Binary 2 2 Plain;
    "data groupings" Issuer Binary 1 255 Secret;
    "file identifier" Terminal Binary 2 2 Plain;
    "file bytes" Card Binary 0 256 Secret;
    "purse record" Card Binary 1 255 Plain;
    "purse PIN" Terminal Binary 2 6 Secret;
    "purse balance" Card Binary 4 4 Plain;
    "purse amount" Terminal Binary 4 4 Plain;
    "purse transaction type" Terminal Binary 1 1 Plain;
    "purse date" Terminal Binary 4 4 Plain;
    "purse time" Terminal Binary 3 3 Plain;
    "ride type" Terminal Binary 1 1 Plain;
    "ride terminal" Terminal Binary 8 8 Plain;
    "ride industry" Terminal Binary 1 1 Plain;
    "ride station" Terminal Binary 7 7 Plain;
    "ride city" Terminal Binary 2 2 Plain;
    "ride institution" Terminal Binary 8 8 Plain;
    "ride reserve" Terminal Binary 6 6 Plain;
    "online sequence" Card Binary 2 2 Plain;
    "offline sequence" Card Binary 2 2 Plain;
    "card sequence" Card Binary 2 2 Plain;
    "terminal sequence" Terminal Binary 4 4 Plain;
    "terminal number" Terminal Binary 6 6 Plain;
    "overdraft limit" Card Binary 3 3 Plain;
    "key index" Terminal Binary 1 1 Plain;
    "certification code" Card Binary 9 9 Plain;
    "key version" Card Binary 1 1 Plain;
    "algorithm" Card Binary 1 1 Plain;
    "card random" Card Binary 4 4 Plain;
    "application serial number" Card Binary 8 8 Secret;
    "issuer identifier" Card Binary 8 8 Plain;
    "MAC1" Terminal Binary 4 4 Plain;
    "MAC2" Issuer Binary 4 4 Plain;
    "MAC3" Card Binary 4 4 Plain;
    "TAC" Card Binary 4 4 Plain;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_one_row() {
        for (index, row) in TAGGED.iter().enumerate() {
            assert!(TAGGED[..index].iter().all(|other| other.tag != row.tag), "{:?} twice", row.tag);
            assert!(row.min <= row.max, "{}", row.name);
        }
        for (index, row) in NAMED.iter().enumerate() {
            assert!(NAMED[..index].iter().all(|other| other.name != row.name), "{} twice", row.name);
        }
    }

    #[test]
    fn templates_are_constructed_tags_and_only_they() {
        for row in TAGGED {
            let constructed = row.tag.is_some_and(Tag::is_constructed);
            assert_eq!(row.format == Format::Template, constructed, "{}", row.name);
        }
    }
}
