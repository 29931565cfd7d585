//! The faults of terminals: by what they send to the card, and by their messages to the host.

use super::fault::{Change, Fault, MessageChange, On};
use crate::air::host::Verb;
use crate::words::dictionary::tag;

const SELECT: On = On::ins(0xA4);
const OPTIONS: On = On::ins(0xA8);
const RECORD: On = On::ins(0xB2);
const DATA: On = On::ins(0xCA);
const VERIFY: On = On::ins(0x20);
const CRYPTOGRAM: On = On::ins(0xAE);
const SIGNATURE: On = On::ins(0x88);
const ISSUER: On = On::ins(0x82);
const PUT: On = On::ins(0xDA);
/// Every command that answers a list.
const ASKING: On = On::lists();
/// A fault of messages shows at no command: no card has this instruction.
const NONE: On = On::ins(0xFF);

const fn fault(name: &'static str, on: On, change: Change, breaks: &'static str) -> Fault {
    Fault { name, breaks, on, change }
}

/// A bit of the TVR that the terminal does not set: byte from 1, bit from 8.
const fn forgets(name: &'static str, byte: usize, bit: u32, breaks: &'static str) -> Fault {
    fault(name, CRYPTOGRAM, Change::Cleared(tag::TVR, byte - 1, 1 << (bit - 1)), breaks)
}

/// A bit of the TVR that the terminal always sets.
const fn finds(name: &'static str, byte: usize, bit: u32, breaks: &'static str) -> Fault {
    fault(name, CRYPTOGRAM, Change::Set(tag::TVR, byte - 1, 1 << (bit - 1)), breaks)
}

const fn message(name: &'static str, change: MessageChange, breaks: &'static str) -> Fault {
    fault(name, NONE, Change::Message(change), breaks)
}

/// The faults of terminals.
pub const TERMINAL_FAULTS: &[Fault] = &[
    // Terminal verification results.
    forgets("forgets-no-authentication", 1, 8, "does not tell that no data was authenticated"),
    forgets("forgets-missing-data", 1, 6, "does not tell that data of the card is missing"),
    forgets("forgets-failed-dda", 1, 4, "does not tell that DDA failed"),
    finds("finds-failed-dda", 1, 4, "tells that DDA failed, whatever came"),
    forgets("forgets-version", 2, 8, "does not tell that the versions differ"),
    finds("finds-version", 2, 8, "tells that the versions differ, whatever came"),
    forgets("forgets-expired", 2, 7, "does not tell that the application has expired"),
    finds("finds-expired", 2, 7, "tells that the application has expired, whatever came"),
    forgets("forgets-not-yet-effective", 2, 6, "does not tell that the application is not yet effective"),
    forgets("forgets-service", 2, 5, "does not tell that the service is not allowed"),
    forgets("forgets-new-card", 2, 4, "does not tell that the card is new"),
    forgets("forgets-failed-verification", 3, 8, "does not tell that cardholder verification failed"),
    forgets("forgets-unknown-method", 3, 7, "does not tell that it does not know a method"),
    forgets("forgets-tries-exceeded", 3, 6, "does not tell that no PIN try is left"),
    forgets("forgets-no-pin-pad", 3, 5, "does not tell that its PIN pad does not work"),
    forgets("forgets-no-pin-entered", 3, 4, "does not tell that no PIN was entered"),
    forgets("forgets-online-pin", 3, 3, "does not tell that an online PIN was entered"),
    forgets("forgets-floor-limit", 4, 8, "does not tell that the floor limit is exceeded"),
    finds("finds-floor-limit", 4, 8, "tells that the floor limit is exceeded, whatever the amount"),
    forgets("forgets-lower-limit", 4, 7, "does not tell that the lower offline limit is exceeded"),
    forgets("forgets-upper-limit", 4, 6, "does not tell that the upper offline limit is exceeded"),
    forgets("forgets-random", 4, 5, "does not tell that it selected at random"),
    forgets("forgets-merchant", 4, 4, "does not tell that the merchant wants the issuer asked"),
    forgets("forgets-failed-issuer", 5, 7, "does not tell that issuer authentication failed"),
    // What lists ask for.
    fault(
        "wrong-amount",
        ASKING,
        Change::Sent(tag::AMOUNT_AUTHORISED, &[0, 0, 0, 0, 0, 1]),
        "tells the card another amount",
    ),
    fault(
        "wrong-cashback",
        CRYPTOGRAM,
        Change::Sent(tag::AMOUNT_OTHER, &[0, 0, 0, 0, 5, 0]),
        "tells the card of cashback that nobody gets",
    ),
    fault(
        "wrong-country",
        CRYPTOGRAM,
        Change::Sent(tag::TERMINAL_COUNTRY_CODE, &[0x08, 0x40]),
        "tells the card another country",
    ),
    fault(
        "wrong-currency",
        ASKING,
        Change::Sent(tag::TRANSACTION_CURRENCY_CODE, &[0x08, 0x40]),
        "tells the card another currency",
    ),
    fault(
        "wrong-date",
        CRYPTOGRAM,
        Change::Sent(tag::TRANSACTION_DATE, &[0x20, 1, 1]),
        "tells the card another date",
    ),
    fault(
        "wrong-type",
        CRYPTOGRAM,
        Change::Sent(tag::TRANSACTION_TYPE, &[0x20]),
        "tells the card another type of transaction",
    ),
    fault(
        "wrong-type-of-load",
        CRYPTOGRAM,
        Change::Sent(tag::TRANSACTION_TYPE, &[0x00]),
        "tells the card that a load is a purchase",
    ),
    fault(
        "wrong-response-code",
        CRYPTOGRAM,
        Change::Sent(tag::AUTHORISATION_RESPONSE_CODE, b"05"),
        "tells the card another code than the issuer's",
    ),
    fault(
        "same-number",
        ASKING,
        Change::Sent(tag::UNPREDICTABLE_NUMBER, &[1, 2, 3, 4]),
        "has an unpredictable number that can be predicted",
    ),
    fault(
        "denies-cash",
        OPTIONS,
        Change::Sent(tag::EC_TERMINAL_SUPPORT_INDICATOR, &[0]),
        "tells the card that it takes no electronic cash",
    ),
    fault(
        "no-qualifiers",
        OPTIONS,
        Change::Sent(tag::TTQ, &[0; 4]),
        "tells the card that it can nothing by tap",
    ),
    // What is asked of the card.
    fault(
        "asks-the-issuer",
        CRYPTOGRAM,
        Change::Parameter(0x3F, 0x80),
        "asks for an ARQC whatever was decided",
    ),
    fault("approves-itself", CRYPTOGRAM, Change::Parameter(0x3F, 0x40), "asks for a TC whatever was decided"),
    fault(
        "approves-itself-at-last",
        CRYPTOGRAM.nth(2),
        Change::Parameter(0x3F, 0x40),
        "asks for a TC in the end whatever the issuer said",
    ),
    fault(
        "asks-no-signature",
        CRYPTOGRAM,
        Change::Parameter(0xEF, 0),
        "does not ask for a combined signature",
    ),
    fault("asks-no-second-time", CRYPTOGRAM.nth(2), Change::Kept(0x6985), "asks for no second cryptogram"),
    fault(
        "skips-directory",
        SELECT.data(b"1PAY"),
        Change::Kept(0x6A82),
        "does not ask for the card's directory",
    ),
    fault(
        "skips-ppse",
        SELECT.data(b"2PAY"),
        Change::Kept(0x6A82),
        "does not ask for the directory for contactless readers",
    ),
    fault(
        "selects-another",
        SELECT.data(&[0xA0]),
        Change::SentData(&[0xA0, 0, 0, 0, 4, 0x10, 0x10]),
        "selects another application than was agreed",
    ),
    fault("begins-anyway", SELECT, Change::Twice, "asks a card again that has refused"),
    fault("asks-again", OPTIONS, Change::Twice, "asks for processing options again that were refused"),
    fault("skips-a-record", RECORD.p1(2), Change::Kept(0x6A83), "does not read every record that is named"),
    fault(
        "goes-on-without-data",
        RECORD.p1(2),
        Change::Mended,
        "makes up data that the card has not given, or has given twice",
    ),
    fault(
        "skips-last-record",
        RECORD.p1(1).p2(0x14),
        Change::Ignored,
        "does not read the record that completes a tap",
    ),
    fault("skips-verify", VERIFY, Change::Ignored, "takes any PIN without asking the card"),
    fault("verifies-twice", VERIFY, Change::Twice, "has the card compare a PIN twice"),
    fault(
        "skips-try-counter",
        DATA.p1(0x9F).p2(0x17),
        Change::Kept(0x6A88),
        "does not ask how many PIN tries are left",
    ),
    fault("skips-signature", SIGNATURE, Change::Ignored, "does not ask the card to sign"),
    fault(
        "skips-issuer-authentication",
        ISSUER,
        Change::Ignored,
        "does not give the issuer's proof to the card",
    ),
    fault("skips-script", PUT, Change::Ignored, "does not give the issuer's script to the card"),
    // What is told to the host.
    message("host-wrong-amount", MessageChange::Amount, "asks the host for another amount"),
    message(
        "host-without-cryptogram",
        MessageChange::Without(tag::APPLICATION_CRYPTOGRAM),
        "sends no cryptogram to the host",
    ),
    message(
        "host-without-results",
        MessageChange::Without(tag::TVR),
        "sends no verification results to the host",
    ),
    message(
        "host-without-number",
        MessageChange::Without(tag::UNPREDICTABLE_NUMBER),
        "sends no unpredictable number to the host",
    ),
    message(
        "host-without-issuer-data",
        MessageChange::Without(tag::ISSUER_APPLICATION_DATA),
        "sends no issuer application data to the host",
    ),
    message("host-without-pin", MessageChange::WithoutPin, "sends no PIN to the host"),
    message("host-with-pin", MessageChange::WithPin, "sends a PIN to the host that is none of its business"),
    message("host-without-reversal", MessageChange::Unsent(Verb::Reverse), "reverses nothing"),
    message(
        "host-without-notice",
        MessageChange::Unsent(Verb::Advise),
        "does not tell the host what became of its script",
    ),
];
