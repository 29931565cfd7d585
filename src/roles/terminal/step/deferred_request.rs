//! Deferred authorisation of a ride: the card is authenticated now, and what its issuer will
//! be asked is kept for later (offline data authentication for transit). Who opens a gate,
//! and by which further rules, may not enter.

use super::processing_restrictions::{is_early, is_expired};
use crate::air::host::{Kind, MessageClass};
use crate::base::context::Context;
use crate::roles::terminal::journal::CardMark;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Next, step};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::Tvr;
use crate::words::tlv::TlvStore;

const CLAUSE: &str = "offline data authentication for transit";
/// What the TVR may not say of a card that is let through before its issuer is asked.
const BARRED: &[crate::base::bytes::Bit<Tvr>] = &[
    Tvr::ODA_NOT_PERFORMED,
    Tvr::SDA_FAILED,
    Tvr::ICC_DATA_MISSING,
    Tvr::DDA_FAILED,
    Tvr::CDA_FAILED,
    Tvr::EXPIRED_APPLICATION,
    Tvr::NOT_YET_EFFECTIVE,
    Tvr::SERVICE_NOT_ALLOWED,
    Tvr::RELAY_TIME_EXCEEDED,
];

/// The card has given an ARQC: it is kept where the card is authentic, has been used for a
/// transaction (ATC above 0), and its dates are good.
pub(in crate::roles::terminal) fn begin(
    session: Session,
    card: &CardMark,
    chip: TlvStore,
    context: &mut Context,
) -> Next {
    step("Deferred request", context);
    let (verdict, reason, deferred) = match hindrance(&session) {
        Some(reason) => (Verdict::Declined, reason, None),
        None => {
            let reason = "the card is authentic and asks its issuer, who is asked later".to_owned();
            let request = session.request(MessageClass::Request, Kind::Purchase, card, chip, None);
            (Verdict::Deferred, reason, Some(Box::new(request)))
        }
    };
    let causes = [tag::ATC, tag::APPLICATION_EXPIRATION_DATE, tag::TTQ];
    session.tell("deferred authorisation", CLAUSE, reason.clone(), &causes, context);
    let mut outcome = session.outcome(verdict, reason, session.balance_before_minor, context);
    outcome.deferred = deferred;
    Next::done(outcome)
}

fn hindrance(session: &Session) -> Option<String> {
    if let Some(bit) = BARRED.iter().find(|bit| session.tvr.has(**bit)) {
        return Some(format!("not let through before its issuer is asked: {}", bit.words));
    }
    if !session.signed_dynamically {
        return Some("the card has not signed this transaction with its own key".into());
    }
    match session.store.array(tag::ATC).map(u16::from_be_bytes) {
        None => return Some("the card has no transaction counter (9F36)".into()),
        Some(0) => return Some("the transaction counter (9F36) is 0".into()),
        Some(_) => {}
    }
    let today = session.terms.at.yymmdd();
    match is_expired(&session.store, today) {
        None => return Some("the card does not tell its expiry (5F24)".into()),
        Some(true) => return Some("the application is expired".into()),
        Some(false) => {}
    }
    is_early(&session.store, today).then(|| "the application is not yet effective".into())
}
