//! Read application data (EMV Book C-2 6.7), and the card's key where it is to sign.

use super::balance;
use super::initiation::verifies_on_device;
use super::reader::Reader;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::authentication::card_key;
use crate::roles::terminal::entry_point;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::initiate_application_processing::Initiated;
use crate::roles::terminal::step::offline_data_authentication;
use crate::roles::terminal::step::read_application_data::{self, RecordsRead, SecondList, gathered};
use crate::words::dictionary::tag;
use crate::words::emv::certificate::StaticData;
use crate::words::emv::{Aip, TerminalCapabilities, Tvr};
use crate::words::iso4217::Amount;

const CLAUSE: &str = "EMV Book C-2 6.7";

/// Reads the records that the AFL names.
pub(super) fn begin(initiated: Initiated, context: &mut Context) -> Result<Next, TerminalError> {
    read_application_data::read(initiated, have_read, context)
}

fn have_read(initiated: Initiated, signed: StaticData, context: &mut Context) -> Result<Next, TerminalError> {
    let mut read = gathered(initiated, signed, SecondList::Unused)?;
    if let Some(reason) = above_limit(&read) {
        return entry_point::select_next(read.initiated.selected.session, reason, context);
    }
    card_key_for_signature(&mut read, context);
    balance::before(read, context)
}

/// The limit of the reader that the amount is above (EMV Book C-2 S456.13).
fn above_limit(read: &RecordsRead) -> Option<String> {
    let session = &read.initiated.selected.session;
    let (terms, reader) = (&session.terms, Reader::of(session));
    let (limit, what) = match verifies_on_device(&read.initiated) {
        true => (reader.on_device_limit_minor, "DF8125, on-device CVM"),
        false => (reader.transaction_limit_minor, "DF8124, no on-device CVM"),
    };
    let above = terms.amount.minor > limit;
    let limit = Amount::new(limit, terms.amount.currency);
    above.then(|| format!("{} is above the contactless limit {limit} ({what})", terms.amount))
}

/// Recovers the card's key where both can do CDA (EMV Book C-2 S3R1, S456.16).
fn card_key_for_signature(read: &mut RecordsRead, context: &mut Context) {
    let offered = read.initiated.aip.has(Aip::CDA_SUPPORTED);
    if !offered || !read.session().can(TerminalCapabilities::CDA) {
        let reason = "card (82) and reader (DF811F) do not both do CDA";
        let causes = [tag::AIP, tag::TERMINAL_CAPABILITIES];
        read.session().find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &causes, context);
        return;
    }
    match card_key(&read.initiated.selected.session, &read.pan, &read.signed) {
        Ok(key) => {
            let reason = "the card's key is authentic; the cryptogram is to be signed with it";
            context.emit(Event::new("terminal", "CDA is asked for").clause(CLAUSE).because(reason));
            read.combined = Some(key);
        }
        Err(weakness) => offline_data_authentication::combined_failed(read.session(), &weakness, context),
    }
}
