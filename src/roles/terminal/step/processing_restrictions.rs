//! Processing restrictions: EMV Book 3 10.4.

use super::read_application_data::RecordsRead;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::{Track2, Tvr, with_century as century};
use crate::words::tlv::Tag;

/// Compares versions and dates, and notes in the TVR what does not fit.
pub(in crate::roles::terminal) fn perform(read: &mut RecordsRead, context: &mut Context) {
    let session = read.session();
    let today = session.terms.at.yymmdd();
    let date = |tag: Tag| session.store.array::<3>(tag).map(century);
    let versions_differ = session
        .store
        .value(tag::APPLICATION_VERSION_NUMBER_CARD)
        .is_some_and(|version| version != session.terms.config.application_version.0);
    let expired = date(tag::APPLICATION_EXPIRATION_DATE).is_some_and(|date| date < century(today));
    let not_yet = date(tag::APPLICATION_EFFECTIVE_DATE).is_some_and(|date| date > century(today));
    let findings = [
        (versions_differ, Tvr::VERSIONS_DIFFER, "10.4.1", tag::APPLICATION_VERSION_NUMBER_CARD),
        (expired, Tvr::EXPIRED_APPLICATION, "10.4.3", tag::APPLICATION_EXPIRATION_DATE),
        (not_yet, Tvr::NOT_YET_EFFECTIVE, "10.4.3", tag::APPLICATION_EFFECTIVE_DATE),
    ];
    for (found, bit, clause, cause) in findings {
        if found {
            session.tvr.set(bit);
            let value = session.store.value(cause).unwrap_or_default();
            let clause = if clause == "10.4.1" { "EMV Book 3 10.4.1" } else { "EMV Book 3 10.4.3" };
            context.emit(
                Event::new("terminal", "TVR").clause(clause).because(bit.words).with_tag(cause.0, value),
            );
        }
    }
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
