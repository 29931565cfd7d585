//! Card action analysis: which cryptogram the card gives, and why (JR/T 0025.5;
//! EMV Book 3 10.8, 10.11).

use super::memory::ApplicationMemory;
use super::session::{Authentication, Path, Transaction};
use crate::base::bytes::{Bit, bcd_to_u64};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::pboc::{ApplicationDefaultAction as Ada, Cvr, EcashSet};
use crate::words::tlv::Tag;

/// What the card gives and the rule that led there.
pub(super) type Decision = (CryptogramType, &'static str);

/// Response codes by which an issuer approves.
const APPROVALS: [&[u8; 2]; 3] = [b"00", b"10", b"11"];
/// Response codes by which a terminal says that it could not go online.
const UNABLE: [&[u8; 2]; 2] = [b"Y3", b"Z3"];

/// Tag 9F52; a card without it has no default action.
pub(super) fn default_action(application: &ApplicationMemory) -> Ada {
    let bytes = application.data.value(tag::APPLICATION_DEFAULT_ACTION).unwrap_or_default();
    bytes.get(..2).and_then(Ada::from_bytes).unwrap_or_default()
}

/// What earlier transactions left for the card verification results; each bit is told.
pub(super) fn history(application: &ApplicationMemory, context: &mut Context) -> Cvr {
    let state = &application.state;
    let mut cvr = Cvr::default();
    for (holds, bit, reason) in [
        (
            state.last_online_not_completed,
            Cvr::LAST_ONLINE_NOT_COMPLETED,
            "an ARQC was given, and no answer of the issuer came after it",
        ),
        (state.pin_tries_left == 0, Cvr::PIN_TRY_LIMIT_EXCEEDED, "the PIN try counter is 0"),
        (state.last_online_atc == 0, Cvr::NEW_CARD, "the last online ATC is 0"),
        (
            state.last_authentication_failed,
            Cvr::LAST_ISSUER_AUTHENTICATION_FAILED,
            "the last ARPC did not fit its cryptogram",
        ),
        (
            state.authentication_not_performed,
            Cvr::ISSUER_AUTHENTICATION_NOT_PERFORMED,
            "it is mandatory (9F56), and no ARPC came last time",
        ),
        (state.blocked_by_pin, Cvr::BLOCKED_BY_PIN, "the last PIN try blocked it (9F52 bit 2.8)"),
        (
            state.static_authentication_failed,
            Cvr::SDA_FAILED_LAST_TIME,
            "the terminal found SDA failed, and the card declined offline",
        ),
        (state.last_script_failed, Cvr::LAST_SCRIPT_FAILED, "a script command failed last time"),
        (
            state.dynamic_authentication_failed,
            Cvr::DDA_FAILED_LAST_TIME,
            "the terminal found DDA or CDA failed, and the card declined offline",
        ),
    ] {
        if holds {
            cvr.set(bit);
            tell_bit(cvr, bit, reason, context);
        }
    }
    cvr.set_script_commands(state.script_commands);
    cvr
}

/// Tells why a bit of the card verification results is set.
pub(super) fn tell_bit(cvr: Cvr, bit: Bit<Cvr>, reason: &'static str, context: &mut Context) {
    let event = Event::new("card", format!("CVR byte {} bit {}", bit.byte, bit.bit)).clause("JR/T 0025.5");
    let event = event.because(format!("{}: {reason}", bit.words));
    context.emit(event.with_named("CVR", [&[0x03], cvr.0.as_slice()].concat()));
}

/// Tells why the bits are set that a decision added.
pub(super) fn tell_added(before: Cvr, after: Cvr, reason: &'static str, context: &mut Context) {
    for bit in Cvr::ROWS.iter().filter(|bit| after.has(**bit) && !before.has(**bit)) {
        tell_bit(after, *bit, reason, context);
    }
}

/// Adds what the card decides by, where it has it: default action, limits and counters.
pub(super) fn with_limits(event: Event, application: &ApplicationMemory) -> Event {
    const LIMITS: [Tag; 6] = [
        tag::APPLICATION_DEFAULT_ACTION,
        tag::LOWER_CONSECUTIVE_LIMIT,
        tag::UPPER_CONSECUTIVE_LIMIT,
        tag::CONSECUTIVE_LIMIT_INTERNATIONAL,
        tag::CUMULATIVE_LIMIT,
        tag::CUMULATIVE_UPPER_LIMIT,
    ];
    let event = LIMITS.into_iter().fold(event, |event, limit| match application.data.value(limit) {
        Some(value) => event.with_tag(limit.0, value),
        None => event,
    });
    event.with_tag(tag::LAST_ONLINE_ATC_REGISTER.0, application.state.last_online_atc.to_be_bytes())
}

/// The amount of the transaction in minor units.
pub(super) fn amount_minor(transaction: &Transaction) -> Option<u64> {
    bcd_to_u64(transaction.data.value(tag::AMOUNT_AUTHORISED)?).ok()
}

/// The first GENERATE AC. `changed` says that the terminal gave other data than
/// at GET PROCESSING OPTIONS.
pub(super) fn first(
    application: &ApplicationMemory,
    transaction: &mut Transaction,
    asked: CryptogramType,
    changed: bool,
) -> Decision {
    let ada = default_action(application);
    let state = &application.state;
    if asked == Aac {
        return (Aac, "the terminal asked for an AAC");
    }
    if state.blocked {
        return (Aac, "the application is blocked");
    }
    let Some(amount) = amount_minor(transaction) else {
        return (Aac, "the amount (9F02) is no decimal number");
    };
    let exceeded = transaction.cvr.has(Cvr::PIN_TRY_LIMIT_EXCEEDED);
    if blocks(application, transaction) {
        return (Aac, "the PIN try limit is exceeded, which blocks the application (9F52 bit 2.3)");
    }
    if exceeded && ada.has(Ada::DECLINE_IF_PIN_EXCEEDED) {
        return (Aac, "the PIN try limit is exceeded (9F52 bit 2.7)");
    }
    if asked == Arqc {
        return (Arqc, "the terminal asked for an ARQC");
    }
    if transaction.path == Path::Ecash {
        return ecash(application, transaction, amount, changed);
    }
    if state.last_online_not_completed {
        return (Arqc, "the last online transaction was not completed");
    }
    if state.last_authentication_failed && ada.has(Ada::ONLINE_IF_AUTHENTICATION_FAILED) {
        return (Arqc, "issuer authentication failed last time (9F52 bit 1.8)");
    }
    if state.last_script_failed && ada.has(Ada::ONLINE_IF_SCRIPT_FAILED) {
        return (Arqc, "an issuer script failed last time (9F52 bit 2.4)");
    }
    if state.last_online_atc == 0 && ada.has(Ada::ONLINE_IF_NEW) {
        return (Arqc, "the card is new (9F52 bit 1.2)");
    }
    if exceeded && ada.has(Ada::ONLINE_IF_PIN_EXCEEDED) {
        return (Arqc, "the PIN try limit is exceeded (9F52 bit 2.6)");
    }
    if let Some(reason) = velocity(application, transaction, amount, Limits::Lower) {
        transaction.cvr.set(Cvr::VELOCITY_EXCEEDED);
        return (Arqc, reason);
    }
    (Tc, "no rule of the card asks for more than the terminal did")
}

/// Whether a first GENERATE AC that asks for more than an AAC blocks the application.
pub(super) fn blocks(application: &ApplicationMemory, transaction: &Transaction) -> bool {
    transaction.cvr.has(Cvr::PIN_TRY_LIMIT_EXCEEDED)
        && default_action(application).has(Ada::BLOCK_IF_PIN_EXCEEDED_EARLIER)
}

/// The low half of the Cryptogram Information Data (EMV Book 3 table 12): whether the issuer
/// is to be told of a decline, and why it was declined.
pub(super) fn advice(application: &ApplicationMemory, transaction: &Transaction, kind: CryptogramType) -> u8 {
    const ADVICE: u8 = 0x08;
    const PIN_TRIES: u8 = 0x02;
    const AUTHENTICATION: u8 = 0x03;
    let ada = default_action(application);
    let exceeded = transaction.cvr.has(Cvr::PIN_TRY_LIMIT_EXCEEDED);
    let failed = transaction.authentication == Authentication::Failed;
    match kind {
        Aac if exceeded && ada.has(Ada::ADVICE_IF_PIN_TRIES) => ADVICE | PIN_TRIES,
        Aac if failed && ada.has(Ada::ADVICE_IF_AUTHENTICATION) => ADVICE | AUTHENTICATION,
        Aac if ada.has(Ada::ADVICE_IF_DECLINED) => ADVICE,
        _ => 0,
    }
}

/// The second GENERATE AC. `code` is the response code of CDOL2.
pub(super) fn second(
    application: &ApplicationMemory,
    transaction: &mut Transaction,
    asked: CryptogramType,
    code: Option<[u8; 2]>,
) -> Decision {
    let ada = default_action(application);
    if was_online(code) {
        return answered(application, transaction, asked, code);
    }
    transaction.cvr.set(Cvr::UNABLE_TO_GO_ONLINE);
    if asked != Tc {
        return (Aac, "the terminal could not go online and did not ask for a TC");
    }
    if application.state.blocked {
        return (Aac, "the application is blocked");
    }
    if application.state.last_online_atc == 0 && ada.has(Ada::DECLINE_IF_NEW_AND_OFFLINE) {
        return (Aac, "the card is new and the terminal could not go online (9F52 bit 1.1)");
    }
    let exceeded = transaction.cvr.has(Cvr::PIN_TRY_LIMIT_EXCEEDED);
    if exceeded && ada.has(Ada::DECLINE_IF_OFFLINE_AND_PIN_EXCEEDED) {
        return (Aac, "the PIN try limit is exceeded and the terminal could not go online (9F52 bit 2.5)");
    }
    let amount = amount_minor(transaction).unwrap_or(u64::MAX);
    if let Some(reason) = velocity(application, transaction, amount, Limits::Upper) {
        transaction.cvr.set(Cvr::VELOCITY_EXCEEDED);
        return (Aac, reason);
    }
    (Tc, "the terminal could not go online, and the upper limits allow it offline")
}

/// Why an amount cannot be taken from a set; `None` when it can.
pub(super) fn short_of(
    application: &ApplicationMemory,
    set: EcashSet,
    amount_minor: u64,
) -> Option<&'static str> {
    let at_most = |limit| application.amount(limit).is_some_and(|limit| amount_minor <= limit);
    if !at_most(set.balance) {
        Some("the amount is above the balance")
    } else if !at_most(set.single_limit) {
        Some("the amount is above the single-transaction limit")
    } else {
        None
    }
}

/// Whether the issuer answered, by the terminal's response code.
pub(super) fn was_online(code: Option<[u8; 2]>) -> bool {
    !code.is_some_and(|code| UNABLE.contains(&&code))
}

/// Whether a response code is an approval.
pub(super) fn approves(code: [u8; 2]) -> bool {
    APPROVALS.contains(&&code)
}

/// Whether issuer authentication is mandatory: tag 9F56.
pub(super) fn authentication_is_mandatory(application: &ApplicationMemory) -> bool {
    application.limit(tag::ISSUER_AUTHENTICATION_INDICATOR).is_some_and(|byte| byte & 0x80 != 0)
}

fn answered(
    application: &ApplicationMemory,
    transaction: &Transaction,
    asked: CryptogramType,
    code: Option<[u8; 2]>,
) -> Decision {
    let ada = default_action(application);
    if asked != Tc {
        return (Aac, "the terminal did not ask for a TC");
    }
    if application.state.blocked {
        return (Aac, "the application is blocked");
    }
    // What is authenticated counts; the terminal's word only where nothing is.
    match transaction.issuer_approves {
        Some(false) => return (Aac, "the authenticated issuer does not approve"),
        None if !code.is_some_and(approves) => return (Aac, "the response code (8A) is no approval"),
        _ => {}
    }
    match transaction.authentication {
        Authentication::Failed if ada.has(Ada::DECLINE_IF_AUTHENTICATION_FAILED) => {
            (Aac, "issuer authentication failed (9F52 bit 1.7)")
        }
        Authentication::NotPerformed
            if authentication_is_mandatory(application) && ada.has(Ada::DECLINE_IF_NO_ARPC) =>
        {
            (Aac, "issuer authentication is mandatory and no ARPC came (9F52 bit 1.6)")
        }
        Authentication::Succeeded => (Tc, "the issuer approved and is authenticated"),
        _ => (Tc, "the issuer approved, and the card does not insist on its authentication"),
    }
}

fn ecash(application: &ApplicationMemory, transaction: &Transaction, amount: u64, changed: bool) -> Decision {
    if changed {
        return (Aac, "CDOL1 brought other data than the PDOL");
    }
    let Some(set) = transaction.set else {
        return (Aac, "the currency (5F2A) is not one of the card's");
    };
    match short_of(application, set, amount) {
        Some(reason) => (Aac, reason),
        None => (Tc, "the balance and the single-transaction limit allow it"),
    }
}

/// Which of two limits rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limits {
    Lower,
    Upper,
}

/// Which velocity check is exceeded, if any.
fn velocity(
    application: &ApplicationMemory,
    transaction: &Transaction,
    amount: u64,
    limits: Limits,
) -> Option<&'static str> {
    let state = &application.state;
    let (consecutive, cumulative) = match limits {
        Limits::Lower => (tag::LOWER_CONSECUTIVE_LIMIT, tag::CUMULATIVE_LIMIT),
        Limits::Upper => (tag::UPPER_CONSECUTIVE_LIMIT, tag::CUMULATIVE_UPPER_LIMIT),
    };
    let in_a_row = transaction.atc.saturating_sub(state.last_online_atc);
    if application.limit(consecutive).is_some_and(|limit| in_a_row > u16::from(limit)) {
        return Some("too many transactions in a row without the issuer (9F58, 9F59)");
    }
    if transaction.set.is_none() {
        let limit = application.limit(tag::CONSECUTIVE_LIMIT_INTERNATIONAL);
        return limit
            .is_some_and(|limit| state.international >= limit)
            .then_some("too many transactions in a row in another currency (9F53)");
    }
    let total = state.cumulative_minor.saturating_add(amount);
    application
        .amount(cumulative)
        .is_some_and(|limit| total > limit)
        .then_some("too much in total without the issuer (9F54, 9F5C)")
}
