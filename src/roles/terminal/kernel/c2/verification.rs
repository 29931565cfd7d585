//! CVM selection (EMV Book C-2 7.5): the method is chosen before the cryptogram, and what
//! people have to do for it is done once the card has left the field.

use super::initiation::verifies_on_device;
use super::reader::Reader;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::OutcomeCvm;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::cardholder_verification::{supports, tell, unmet};
use crate::roles::terminal::step::read_application_data::RecordsRead;
use crate::words::dictionary::tag;
use crate::words::emv::{Aip, CvmCode, CvmEnd, CvmList, CvmResults, CvmRule, Tsi, Tvr};

const CLAUSE: &str = "EMV Book C-2 7.5";
/// The device verified its holder: "plaintext PIN verification by the card", always,
/// successful.
const ON_DEVICE: CvmResults = CvmResults([0x01, 0x00, 0x02]);
/// No CVM was needed of the device.
const NONE_NEEDED: CvmResults = CvmResults([0x3F, 0x00, 0x02]);

/// Chooses the method and notes it as the CVM results (9F34).
pub(super) fn select(read: &mut RecordsRead, context: &mut Context) -> Result<(), TerminalError> {
    let (on_device, aip) = (verifies_on_device(&read.initiated), read.initiated.aip);
    let session = read.session();
    let (results, reason) = if on_device {
        match session.terms.amount.minor > Reader::of(session).cvm_limit_minor {
            true => (ON_DEVICE, "the device verified its holder (82 byte 1 bit 2)"),
            false => (NONE_NEEDED, "the amount is not above the CVM limit"),
        }
    } else if !aip.has(Aip::CARDHOLDER_VERIFICATION) {
        (CvmResults::NOT_PERFORMED, "the AIP does not support it")
    } else {
        match session.store.value(tag::CVM_LIST).map(CvmList::parse).transpose()? {
            Some(list) => (by_list(session, &list, context), "by the card's list (8E)"),
            None => {
                let reason = "the AIP supports cardholder verification and there is no CVM List (8E)";
                session.find(Tvr::ICC_DATA_MISSING, "EMV Book C-2 CVM.8", reason, &[tag::AIP], context);
                (CvmResults::NOT_PERFORMED, "the card has no list")
            }
        }
    };
    session.store.put(tag::CVM_RESULTS, results.0);
    note_outcome(session);
    session.tsi.set(Tsi::CARDHOLDER_VERIFICATION_PERFORMED);
    context.emit(
        Event::new("terminal", "CVM").clause(CLAUSE).because(reason).with_tag(tag::CVM_RESULTS.0, results.0),
    );
    Ok(())
}

/// Notes what the CVM results (9F34) mean for people, who act once the card has left.
pub(super) fn note_outcome(session: &mut Session) {
    let Some([method, _, end]) = session.store.array(tag::CVM_RESULTS) else { return };
    session.cvm = match (CvmCode(method).method(), end) {
        (CvmCode::PLAINTEXT_PIN, _) => OutcomeCvm::DeviceVerified,
        (_, 1) => OutcomeCvm::NoCvm,
        (CvmCode::ONLINE_PIN, _) => OutcomeCvm::OnlinePin,
        (CvmCode::SIGNATURE, _) => OutcomeCvm::Signature,
        _ => OutcomeCvm::NoCvm,
    };
    session.signature = session.cvm == OutcomeCvm::Signature;
}

fn by_list(session: &mut Session, list: &CvmList, context: &mut Context) -> CvmResults {
    let mut failed = None;
    for rule in &list.rules {
        if let Some(unmet) = unmet(list, *rule, session) {
            tell(session, *rule, "CVM rule passed over", unmet, context);
            continue;
        }
        match attempt(session, *rule, context) {
            Some(end) => return CvmResults::of(*rule, end),
            None if rule.code.goes_on() => {
                tell(
                    session,
                    *rule,
                    "CVM unsuccessful",
                    "bit 7 of the rule lets the next one apply",
                    context,
                );
                failed = Some(*rule);
            }
            None => {
                failed = Some(*rule);
                break;
            }
        }
    }
    let reason = failed.map_or("no rule applied".to_owned(), |rule| format!("{} was the last", rule.code));
    session.find(Tvr::CVM_FAILED, CLAUSE, reason, &[tag::CVM_LIST], context);
    failed.map_or(CvmResults::NO_RULE, |rule| CvmResults::of(rule, CvmEnd::Failed))
}

/// How a rule ends; `None` where its method cannot be done. Offline PINs never can, by
/// radio, and neither can what is not known.
fn attempt(session: &mut Session, rule: CvmRule, context: &mut Context) -> Option<CvmEnd> {
    let method = rule.code.method();
    if method.words().is_none() {
        let reason = format!("CVM Code {:02X}", rule.code.0);
        session.find(Tvr::UNRECOGNISED_CVM, CLAUSE, reason, &[tag::CVM_LIST], context);
        return None;
    }
    if !supports(session, rule.code) {
        return None;
    }
    tell(session, rule, "CVM rule applies", "its condition holds, and the reader can do it", context);
    match method {
        CvmCode::NO_CVM => Some(CvmEnd::Successful),
        CvmCode::SIGNATURE => Some(CvmEnd::Unknown),
        CvmCode::ONLINE_PIN => {
            let reason = "it is entered once the card has answered";
            session.find(Tvr::ONLINE_PIN_ENTERED, CLAUSE, reason, &[tag::CVM_LIST], context);
            Some(CvmEnd::Unknown)
        }
        _ => None,
    }
}
