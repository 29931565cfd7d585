//! Processing restrictions: EMV Book 3 10.4.

use super::read_application_data::RecordsRead;
use crate::base::bytes::Bit;
use crate::base::context::Context;
use crate::roles::terminal::config::TerminalConfig;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::phase::step;
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::{Track2, Tvr, UsageControl, with_century as century};

/// Compares versions, usage and dates, and notes in the TVR what does not fit.
pub(in crate::roles::terminal) fn perform(read: &mut RecordsRead, context: &mut Context) {
    step("Processing restrictions", context);
    let session = read.session();
    application_version(session, context);
    application_usage_control(session, context);
    application_dates(session, context);
}

/// EMV Book 3 10.4.1. A card without a version is taken to have the terminal's.
fn application_version(session: &mut Session, context: &mut Context) {
    let (card, terminal) = (tag::APPLICATION_VERSION_NUMBER_CARD, tag::APPLICATION_VERSION_NUMBER_TERMINAL);
    let clause = "EMV Book 3 10.4.1";
    let reason = match session.store.value(card) {
        Some(version) if session.store.value(terminal) != Some(version) => {
            let reason = "9F08 of the card is not 9F09 of the terminal";
            return session.find(Tvr::VERSIONS_DIFFER, clause, reason, &[card, terminal], context);
        }
        Some(_) => "9F08 of the card is 9F09 of the terminal",
        None => "the card has no 9F08: it is taken to be the terminal's",
    };
    session.tell("application version fits", clause, reason, &[card, terminal], context);
}

/// EMV Book 3 10.4.2. Where the issuer's country is absent, only the kind of terminal counts.
fn application_usage_control(session: &mut Session, context: &mut Context) {
    let clause = "EMV Book 3 10.4.2";
    let causes = [tag::APPLICATION_USAGE_CONTROL, tag::ISSUER_COUNTRY_CODE, tag::TERMINAL_COUNTRY_CODE];
    let Some(usage) = session.store.array(tag::APPLICATION_USAGE_CONTROL).map(UsageControl) else {
        return session.tell("usage not restricted", clause, "the card has no 9F07", &[], context);
    };
    let needed = if is_atm(&session.terms.config) { UsageControl::ATM } else { UsageControl::OTHER_THAN_ATM };
    let mut missing = (!usage.has(needed)).then_some(needed.words);
    let issuer = session.store.array::<2>(tag::ISSUER_COUNTRY_CODE);
    if let (None, Some(issuer)) = (missing, issuer) {
        let domestic = session.store.array::<2>(tag::TERMINAL_COUNTRY_CODE) == Some(issuer);
        missing = service(session.terms.flow, domestic)
            .iter()
            // One of these will do; all of the rows must.
            .find(|any| !any.iter().any(|bit| usage.has(*bit)))
            .and_then(|any| Some(any.first()?.words));
    }
    match missing {
        Some(words) => {
            let reason = format!("9F07 does not say \"{words}\"");
            session.find(Tvr::SERVICE_NOT_ALLOWED, clause, reason, &causes, context);
        }
        None => session.tell("usage allowed", clause, "9F07 allows this service here", &causes, context),
    }
}

/// What a card must be good for, by EMV Book 3 table 36: one bit of each row. A purchase is
/// of goods or of services; this terminal does not know which.
const fn service(flow: Flow, domestic: bool) -> &'static [&'static [Bit<UsageControl>]] {
    use UsageControl as U;
    match (flow, domestic) {
        (Flow::Pay, true) => &[&[U::DOMESTIC_GOODS, U::DOMESTIC_SERVICES]],
        (Flow::Pay, false) => &[&[U::INTERNATIONAL_GOODS, U::INTERNATIONAL_SERVICES]],
        (Flow::Cashback, true) => &[&[U::DOMESTIC_GOODS, U::DOMESTIC_SERVICES], &[U::DOMESTIC_CASHBACK]],
        (Flow::Cashback, false) => {
            &[&[U::INTERNATIONAL_GOODS, U::INTERNATIONAL_SERVICES], &[U::INTERNATIONAL_CASHBACK]]
        }
        (Flow::Cash, true) => &[&[U::DOMESTIC_CASH]],
        (Flow::Cash, false) => &[&[U::INTERNATIONAL_CASH]],
        _ => &[],
    }
}

/// EMV Book 3 10.4.3.
fn application_dates(session: &mut Session, context: &mut Context) {
    let today = session.terms.at.yymmdd();
    let clause = "EMV Book 3 10.4.3";
    let early = is_early(&session.store, today);
    if early {
        let causes = [tag::APPLICATION_EFFECTIVE_DATE, tag::TRANSACTION_DATE];
        session.find(Tvr::NOT_YET_EFFECTIVE, clause, "5F25 is after today", &causes, context);
    }
    let expiry = session.store.array::<3>(tag::APPLICATION_EXPIRATION_DATE);
    let late = expiry.is_some_and(|date| century(date) < century(today));
    if late {
        let causes = [tag::APPLICATION_EXPIRATION_DATE, tag::TRANSACTION_DATE];
        session.find(Tvr::EXPIRED_APPLICATION, clause, "5F24 is before today", &causes, context);
    }
    if !early && !late {
        let causes =
            [tag::APPLICATION_EFFECTIVE_DATE, tag::APPLICATION_EXPIRATION_DATE, tag::TRANSACTION_DATE];
        session.tell("dates fit", clause, "today is within 5F25 and 5F24", &causes, context);
    }
}

/// EMV Book 4 A1: terminal types 14, 15 and 16 that give cash.
pub(in crate::roles::terminal) fn is_atm(config: &TerminalConfig) -> bool {
    const CASH: u8 = 0x80;
    matches!(config.terminal_type.0, [0x14..=0x16]) && config.additional_capabilities.0[0] & CASH != 0
}

/// Whether a card tells that it is not effective yet (5F25).
pub(in crate::roles::terminal) fn is_early(store: &crate::words::tlv::TlvStore, today: [u8; 3]) -> bool {
    store.array::<3>(tag::APPLICATION_EFFECTIVE_DATE).is_some_and(|date| century(date) > century(today))
}

/// Whether a card is past its expiry: 5F24, else the month in track 2.
pub(in crate::roles::terminal) fn is_expired(
    store: &crate::words::tlv::TlvStore,
    today: [u8; 3],
) -> Option<bool> {
    if let Some(date) = store.array::<3>(tag::APPLICATION_EXPIRATION_DATE) {
        return Some(century(date) < century(today));
    }
    let track = Track2::parse(store.value(tag::TRACK_2_EQUIVALENT_DATA)?)?;
    let digit = |index: usize| track.expiry[index] - b'0';
    let month = [digit(0) << 4 | digit(1), digit(2) << 4 | digit(3)];
    let century = |year: u8| if year < 0x50 { 0x20 } else { 0x19 };
    Some([century(month[0]), month[0], month[1]] < [century(today[0]), today[0], today[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tlv::TlvStore;

    #[test]
    fn expiry_is_the_end_of_its_day_or_month() {
        let with =
            |date: [u8; 3]| [(tag::APPLICATION_EXPIRATION_DATE, date)].into_iter().collect::<TlvStore>();
        let today = [0x26, 0x11, 0x21];
        assert_eq!(is_expired(&with([0x26, 0x11, 0x21]), today), Some(false));
        assert_eq!(is_expired(&with([0x26, 0x11, 0x20]), today), Some(true));
        assert_eq!(is_expired(&with([0x99, 0x12, 0x31]), today), Some(true));
        assert_eq!(is_expired(&TlvStore::new(), today), None);
    }
}
