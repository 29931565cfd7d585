//! The faults of cards, by the command that shows them.

use super::fault::{Change, Fault, On};
use crate::words::dictionary::tag;
use crate::words::tlv::Tag;

const SELECT: On = On::ins(0xA4);
const DIRECTORY: On = SELECT.data(b"2PAY");
const OPTIONS: On = On::ins(0xA8);
const RECORD: On = On::ins(0xB2);
const DATA: On = On::ins(0xCA);
const VERIFY: On = On::ins(0x20);
const CHALLENGE: On = On::ins(0x84);
const CRYPTOGRAM: On = On::ins(0xAE);
const SIGNATURE: On = On::ins(0x88);
const ISSUER: On = On::ins(0x82);
const PUT: On = On::ins(0xDA);
const NOBODYS: On = On::ins(0xFE);
const UPDATE: On = On::ins(0xDC);

const LOG: On = RECORD.p2(11 << 3 | 4);
const LOAD_LOG: On = RECORD.p2(12 << 3 | 4);

/// Whatever refuses becomes a yes.
const NEVER_REFUSED: Change = Change::Instead { mask: 0xF000, of: 0x6000, with: 0x9000 };

/// A directory entry.
const ENTRY: Tag = tag::APPLICATION_TEMPLATE;

const fn fault(name: &'static str, on: On, change: Change, breaks: &'static str) -> Fault {
    Fault { name, breaks, on, change }
}

/// The faults of cards.
pub const CARD_FAULTS: &[Fault] = &[
    // Selection.
    fault("select-refused", SELECT, Change::Status(0x6A82), "does not know its own application"),
    fault("any-name-selects", SELECT, NEVER_REFUSED, "selects something by a name that it has not"),
    fault("no-file-name", SELECT, Change::Without(tag::DF_NAME), "leaves its name (84) out of the FCI"),
    fault(
        "name-cut",
        SELECT,
        Change::Value(tag::DF_NAME, &[0xA0, 0, 0, 3, 0x33]),
        "gives part of its name in the FCI",
    ),
    fault(
        "label-too-long",
        SELECT,
        Change::Value(tag::APPLICATION_LABEL, b"A LABEL THAT IS TOO LONG"),
        "has a label of more than 16 characters",
    ),
    fault(
        "no-priority",
        SELECT,
        Change::Without(tag::APPLICATION_PRIORITY_INDICATOR),
        "has no priority indicator (87)",
    ),
    fault("no-log-entry", SELECT, Change::Without(tag::LOG_ENTRY), "does not say where its log is (9F4D)"),
    fault(
        "no-pdol",
        SELECT,
        Change::Without(tag::PDOL),
        "does not say what it wants at GET PROCESSING OPTIONS",
    ),
    fault(
        "pdol-without-qualifiers",
        SELECT,
        Change::Value(tag::PDOL, &[0x9F, 0x02, 0x06]),
        "does not ask for the terminal transaction qualifiers",
    ),
    fault("no-directory", DIRECTORY, Change::Status(0x6A82), "has no directory for contactless readers"),
    fault("empty-directory", DIRECTORY, Change::Without(ENTRY), "names no application in its directory"),
    fault(
        "directory-names-another",
        DIRECTORY,
        Change::Flip(tag::AID),
        "names in its directory an application that it has not",
    ),
    // Initiate application processing.
    fault("options-refused", OPTIONS, Change::Status(0x6985), "begins no transaction"),
    fault(
        "profile-reserved",
        OPTIONS,
        Change::FlipBit(tag::AIP, 0, 0x80),
        "has a bit in its interchange profile that is reserved",
    ),
    fault("no-locator", OPTIONS, Change::Without(tag::AFL), "gives no application file locator"),
    fault(
        "locator-too-long",
        OPTIONS,
        Change::Value(tag::AFL, &[8, 1, 3, 0, 9]),
        "gives an application file locator of five bytes",
    ),
    fault("options-any-time", OPTIONS, NEVER_REFUSED, "takes GET PROCESSING OPTIONS when it must not"),
    fault(
        "forgets-authentication",
        OPTIONS,
        Change::FlipBit(tag::AIP, 0, 0x20),
        "does not say that it can dynamic data authentication",
    ),
    // Records.
    fault(
        "record-missing",
        RECORD.p1(2),
        Change::Status(0x6A83),
        "has not the second record that its locator names",
    ),
    fault("record-without-end", RECORD, NEVER_REFUSED, "answers for records that are not there"),
    fault(
        "no-template",
        RECORD,
        Change::Data(&[0x5A, 0x01, 0x00]),
        "gives records without their template 70",
    ),
    fault("no-pan", RECORD, Change::Without(tag::PAN), "has no PAN"),
    fault("no-expiry", RECORD, Change::Without(tag::APPLICATION_EXPIRATION_DATE), "has no expiration date"),
    fault("no-first-list", RECORD, Change::Without(tag::CDOL1), "has no CDOL1"),
    fault("no-second-list", RECORD, Change::Without(tag::CDOL2), "has no CDOL2"),
    fault(
        "no-method-list",
        RECORD,
        Change::Without(tag::CVM_LIST),
        "has no list of cardholder verification methods",
    ),
    fault(
        "track-of-another",
        RECORD,
        Change::FlipBit(tag::TRACK_2_EQUIVALENT_DATA, 4, 1),
        "has another PAN in its track 2 data",
    ),
    fault(
        "action-code-short",
        RECORD,
        Change::Value(tag::IAC_ONLINE, &[0, 0, 0, 0]),
        "has an issuer action code of four bytes",
    ),
    fault(
        "expired",
        RECORD,
        Change::Value(tag::APPLICATION_EXPIRATION_DATE, &[0x20, 0x01, 0x31]),
        "is out of date",
    ),
    fault(
        "no-certificate",
        RECORD,
        Change::Without(tag::ICC_PUBLIC_KEY_CERTIFICATE),
        "has no certificate of its own key",
    ),
    fault(
        "no-authority",
        RECORD,
        Change::Without(tag::CA_PUBLIC_KEY_INDEX_CARD),
        "does not say which authority has signed",
    ),
    fault(
        "certificate-short",
        RECORD,
        Change::Value(tag::ISSUER_PUBLIC_KEY_CERTIFICATE, &[0x6A; 8]),
        "has a certificate that is too short to be one",
    ),
    fault(
        "no-authorisation-code",
        RECORD,
        Change::Without(tag::EC_ISSUER_AUTHORISATION_CODE),
        "has no issuer authorisation code (9F74)",
    ),
    // Logs.
    fault("log-empty", LOG, Change::Status(0x6A83), "writes no log"),
    fault("log-stands-still", LOG, Change::Repeat, "does not put the newest entry of its log first"),
    fault("log-short", LOG, Change::Data(&[0; 5]), "writes entries that are shorter than its log format"),
    fault("any-log", LOG, NEVER_REFUSED, "has entries in its log of what was not paid"),
    fault("load-log-empty", LOAD_LOG, Change::Status(0x6A83), "writes no log of loads"),
    // The quick path.
    fault("tap-without-counter", OPTIONS, Change::Without(tag::ATC), "taps without a transaction counter"),
    fault(
        "tap-without-cryptogram",
        OPTIONS,
        Change::Without(tag::APPLICATION_CRYPTOGRAM),
        "taps without a cryptogram",
    ),
    fault(
        "tap-without-issuer-data",
        OPTIONS,
        Change::Without(tag::ISSUER_APPLICATION_DATA),
        "taps without issuer application data",
    ),
    fault(
        "tap-without-profile",
        OPTIONS,
        Change::Without(tag::AIP),
        "taps without an application interchange profile",
    ),
    fault(
        "tap-without-track",
        OPTIONS,
        Change::Without(tag::TRACK_2_EQUIVALENT_DATA),
        "taps online without track 2 data",
    ),
    fault(
        "tap-cryptogram-wrong",
        OPTIONS,
        Change::Flip(tag::APPLICATION_CRYPTOGRAM),
        "taps with a wrong cryptogram",
    ),
    fault(
        "tap-cryptogram-again",
        OPTIONS,
        Change::Keep(tag::APPLICATION_CRYPTOGRAM),
        "taps with the same cryptogram again",
    ),
    fault(
        "tap-counter-again",
        OPTIONS,
        Change::Keep(tag::ATC),
        "taps with the same transaction counter again",
    ),
    fault(
        "tap-approves",
        OPTIONS,
        Change::Value(
            tag::ISSUER_APPLICATION_DATA,
            &[7, 1, 1, 3, 0x90, 0, 0, 1, 0x0A, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        "approves every tap offline",
    ),
    // Data by GET DATA.
    fault(
        "no-counter",
        DATA.p1(0x9F).p2(0x36),
        Change::Status(0x6A88),
        "does not tell its transaction counter",
    ),
    fault(
        "counter-stands-still",
        DATA.p1(0x9F).p2(0x36),
        Change::Repeat,
        "does not step its transaction counter",
    ),
    fault(
        "no-online-counter",
        DATA.p1(0x9F).p2(0x13),
        Change::Status(0x6A88),
        "does not tell its last online counter",
    ),
    fault(
        "no-try-counter",
        DATA.p1(0x9F).p2(0x17),
        Change::Status(0x6A88),
        "does not tell its PIN try counter",
    ),
    fault("tries-stand-still", DATA.p1(0x9F).p2(0x17), Change::Repeat, "does not count PIN tries"),
    fault(
        "no-log-format",
        DATA.p1(0x9F).p2(0x4F),
        Change::Status(0x6A88),
        "does not tell how its log is written",
    ),
    fault("no-balance", DATA.p1(0x9F).p2(0x79), Change::Status(0x6A88), "does not tell its balance"),
    fault(
        "balance-short",
        DATA.p1(0x9F).p2(0x79),
        Change::Value(tag::EC_BALANCE, &[0x01, 0x00]),
        "tells its balance in two bytes",
    ),
    fault("balance-stands-still", DATA.p1(0x9F).p2(0x79), Change::Repeat, "does not change its balance"),
    fault(
        "balance-lowered",
        DATA.p1(0x9F).p2(0x79),
        Change::Value(tag::EC_BALANCE, &[0, 0, 0, 0, 0x87, 0x50]),
        "takes from its balance what it has not paid",
    ),
    fault(
        "no-balance-limit",
        DATA.p1(0x9F).p2(0x77),
        Change::Status(0x6A88),
        "does not tell how much it may hold",
    ),
    fault(
        "limit-below-balance",
        DATA.p1(0x9F).p2(0x77),
        Change::Value(tag::EC_BALANCE_LIMIT, &[0, 0, 0, 0, 0, 1]),
        "holds more than it may",
    ),
    fault(
        "no-single-limit",
        DATA.p1(0x9F).p2(0x78),
        Change::Status(0x6A88),
        "does not tell the most for one payment",
    ),
    fault("any-data", DATA, NEVER_REFUSED, "answers for data objects that it has not, or must not give"),
    fault(
        "wrong-tag",
        DATA,
        Change::Data(&[0x9F, 0x7E, 0x01, 0x00]),
        "gives another data object than was asked for",
    ),
    // Cardholder verification.
    fault("pin-refused", VERIFY, Change::Status(0x63C2), "refuses the right PIN"),
    fault("any-pin", VERIFY, NEVER_REFUSED, "accepts any PIN"),
    fault(
        "never-blocks",
        VERIFY,
        Change::Instead { mask: 0xFFFF, of: 0x6983, with: 0x63C1 },
        "lets PINs be tried for ever",
    ),
    fault(
        "tries-untold",
        VERIFY,
        Change::Instead { mask: 0xFFF0, of: 0x63C0, with: 0x6300 },
        "does not say how many PIN tries are left",
    ),
    fault("challenge-short", CHALLENGE, Change::Data(&[0; 4]), "gives a challenge of four bytes"),
    fault("challenge-again", CHALLENGE, Change::Repeat, "gives the same challenge again"),
    // Cryptograms.
    fault("cryptogram-refused", CRYPTOGRAM, Change::Status(0x6985), "gives no cryptogram"),
    fault(
        "always-approves",
        CRYPTOGRAM,
        Change::Value(tag::CRYPTOGRAM_INFORMATION_DATA, &[0x40]),
        "approves whatever is asked",
    ),
    fault(
        "always-declines",
        CRYPTOGRAM,
        Change::Value(tag::CRYPTOGRAM_INFORMATION_DATA, &[0x00]),
        "declines whatever is asked",
    ),
    fault(
        "wrong-cryptogram",
        CRYPTOGRAM,
        Change::Flip(tag::APPLICATION_CRYPTOGRAM),
        "makes a wrong cryptogram",
    ),
    fault(
        "same-cryptogram",
        CRYPTOGRAM,
        Change::Keep(tag::APPLICATION_CRYPTOGRAM),
        "makes the same cryptogram again",
    ),
    fault(
        "counter-of-another",
        CRYPTOGRAM,
        Change::FlipBit(tag::ATC, 1, 0x10),
        "gives another counter than it has",
    ),
    fault(
        "no-issuer-data",
        CRYPTOGRAM,
        Change::Value(tag::ISSUER_APPLICATION_DATA, &[]),
        "gives no issuer application data",
    ),
    fault("cryptograms-without-end", CRYPTOGRAM, NEVER_REFUSED, "gives cryptograms when it must not"),
    fault(
        "no-combined-signature",
        CRYPTOGRAM,
        Change::Without(tag::SIGNED_DYNAMIC_APPLICATION_DATA),
        "does not sign its cryptogram where that was asked",
    ),
    // Data authentication.
    fault("signature-refused", SIGNATURE, Change::Status(0x6985), "does not sign"),
    fault("signature-again", SIGNATURE, Change::Repeat, "gives the same signature again"),
    fault(
        "signature-short",
        SIGNATURE,
        Change::Data(&[0x9F, 0x4B, 0x01, 0x6A]),
        "gives a signature of one byte",
    ),
    fault("signs-anything", SIGNATURE, NEVER_REFUSED, "signs when it must not"),
    // What the issuer says.
    fault("any-issuer", ISSUER, NEVER_REFUSED, "takes anybody for its issuer"),
    fault("no-issuer", ISSUER, Change::Status(0x6300), "does not know its issuer"),
    fault("any-script", PUT, NEVER_REFUSED, "takes scripts of anybody"),
    fault("script-refused", PUT, Change::Status(0x6988), "refuses a script under the right MAC"),
    fault("script-forgotten", PUT, Change::Ignored, "says yes to a script and does nothing"),
    fault("any-command", NOBODYS, NEVER_REFUSED, "takes commands that there are not"),
    fault("any-record", UPDATE, NEVER_REFUSED, "lets records be written by anybody"),
];
