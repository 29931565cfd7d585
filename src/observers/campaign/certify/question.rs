//! The questions that a product answers of itself, and what may be at the bench: by these
//! a set knows which cases apply.

use super::catalogue::Product;

/// A question: a row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// What cases call it.
    pub key: &'static str,
    /// Which product it is asked of; none: of both.
    pub of: Option<Product>,
    /// What is asked.
    pub asks: &'static str,
    /// The answer that stands in a new questionnaire.
    pub answer: bool,
}

const fn question(key: &'static str, of: Option<Product>, answer: bool, asks: &'static str) -> Question {
    Question { key, of, asks, answer }
}

const BOTH: Option<Product> = None;
const CARD: Option<Product> = Some(Product::Card);
const TERMINAL: Option<Product> = Some(Product::Terminal);

/// What the product supports.
pub const QUESTIONS: &[Question] = &[
    question("contact", BOTH, true, "Does it speak by contact (ISO/IEC 7816)?"),
    question("contactless", BOTH, true, "Does it speak by radio (ISO/IEC 14443)?"),
    question("ecash", BOTH, true, "Has it electronic cash (A000000333010106)?"),
    question("debit", BOTH, true, "Has it the debit application (A000000333010101)?"),
    question("load", BOTH, true, "Can electronic cash be loaded (circle load)?"),
    question("dda", BOTH, true, "Does it support dynamic data authentication (DDA)?"),
    question("cda", BOTH, true, "Does it support combined data authentication (CDA)?"),
    question("offline_pin", BOTH, true, "Does it support a PIN that the card compares?"),
    question(
        "test_keys",
        CARD,
        true,
        "Are its keys those of the test key set, so that cryptograms can be worked out?",
    ),
    question("log", CARD, true, "Does it keep a log of transactions?"),
    question("load_log", CARD, true, "Does it keep a log of loads?"),
    question("online", TERMINAL, true, "Can it ask a host?"),
    question("online_pin", TERMINAL, true, "Does it send PINs to a host?"),
    question("cashback", TERMINAL, false, "Does it offer cashback?"),
    question("preauth", TERMINAL, false, "Does it hold and complete pre-authorisations?"),
];

/// What may be at the bench.
pub const BENCH: &[Question] = &[
    question("person", BOTH, false, "Is there a person who reads the display and answers?"),
    question(
        "contact_probe",
        TERMINAL,
        true,
        "Is there a probe that plays a card in its contact reader? Our own terminal has one.",
    ),
    question(
        "contactless_probe",
        TERMINAL,
        true,
        "Is there an antenna that plays a card before its radio reader? Our own terminal has one.",
    ),
    question(
        "ca_key",
        TERMINAL,
        true,
        "Are the public keys of the test authority loaded (`cardwright ca export`)?",
    ),
    question("host", TERMINAL, true, "Does it ask the test host?"),
];
