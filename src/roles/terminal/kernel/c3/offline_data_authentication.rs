//! Offline data authentication: EMV Contactless Book C-3 5.6. A card that approves proves by
//! fDDA version 01 that it is the issuer's; what goes online is judged there.

use super::{CardRead, Step};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::authentication::{Weakness, quick_signature};
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::outcome::ODA_NOT_PERFORMED;
use crate::roles::terminal::phase::step;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::IccDynamicData;
use crate::words::emv::{Aip, CryptogramType, Ctq, Ttq, Tvr};

const CLAUSE: &str = "EMV Contactless Book C-3 5.6";
/// The version of fDDA, in the first byte of 9F69.
const VERSION_01: u8 = 0x01;

/// Checks the card's signature over this payment.
pub(super) fn perform(mut read: CardRead, context: &mut Context) -> Step {
    step("Offline data authentication", context);
    let ride = read.session.terms.flow == Flow::Ride;
    if read.given != CryptogramType::Tc && !ride {
        let reason = "the card asks its issuer, who judges the cryptogram; nobody looks at certificates";
        read.session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &[], context);
        return Ok(read);
    }
    if !read.aip.has(Aip::DDA_SUPPORTED) {
        let reason = "the card (82) has no dynamic signature";
        read.session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &[tag::AIP], context);
        return Err(failed(read, ODA_NOT_PERFORMED, context));
    }
    match signature(&read) {
        Ok(dynamic) => {
            read.session.signed_dynamically = true;
            read.session.store.put(tag::ICC_DYNAMIC_NUMBER, dynamic.number);
            let reason = "the card signed this payment and its qualifiers with its own key";
            context.emit(Event::new("terminal", "fDDA succeeded").clause(CLAUSE).because(reason));
            Ok(read)
        }
        Err(weakness) => {
            if weakness.is_missing() {
                read.session.find(Tvr::ICC_DATA_MISSING, CLAUSE, &weakness, &[], context);
            }
            let causes = [tag::CA_PUBLIC_KEY_INDEX_CARD];
            read.session.find(Tvr::DDA_FAILED, CLAUSE, &weakness, &causes, context);
            Err(failed(read, "the card's signature over this payment is not authentic", context))
        }
    }
}

fn signature(read: &CardRead) -> Result<IccDynamicData, Weakness> {
    let related = read.session.store.value(tag::CARD_AUTHENTICATION_RELATED_DATA);
    let related = related.ok_or(Weakness::Missing(tag::CARD_AUTHENTICATION_RELATED_DATA))?;
    if related.first() != Some(&VERSION_01) {
        return Err(Weakness::Conduct("the card signs another version of fDDA than 01 (9F69 byte 1)"));
    }
    quick_signature(&read.session, &read.card.pan, &read.signed)
}

/// Online if the card's qualifiers want that and the reader can, else by the contact chip,
/// else declined.
fn failed(read: CardRead, reason: &str, context: &mut Context) -> super::Ended {
    if read.session.terms.flow == Flow::Ride {
        return read.decline(reason, context);
    }
    let can_go_online = !read.reader.has(Ttq::OFFLINE_ONLY);
    if read.has(Ctq::ONLINE_IF_ODA_FAILS) && can_go_online {
        return read.go_online(&format!("{reason}: its issuer is to be asked (9F6C byte 1 bit 6)"), context);
    }
    if read.has(Ctq::SWITCH_IF_ODA_FAILS) && read.reader.has(Ttq::CONTACT) {
        let reason = format!("{reason}: the card prefers its contact chip (9F6C byte 1 bit 5)");
        return read.switch_interface(&reason, context);
    }
    read.decline(reason, context)
}
