//! Card read complete: EMV Contactless Book C-3 5.4. Whether everything is there, and whether
//! the card's decision is one that the reader allowed.

use super::{CardRead, Step, judge};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::{Message, end_application};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::CardMark;
use crate::roles::terminal::phase::{Next, step};
use crate::roles::terminal::step::initiate_application_processing::Initiated;
use crate::roles::terminal::step::quick_decision::cryptogram_given;
use crate::roles::terminal::step::read_application_data::card_number;
use crate::words::dictionary::{Row, tag};
use crate::words::emv::certificate::StaticData;
use crate::words::emv::{CryptogramType, Ctq, Ttq};
use crate::words::tlv::Tag;

const CLAUSE: &str = "EMV Contactless Book C-3 5.4";

/// What every card must give.
const MANDATORY: &[Tag] = &[tag::APPLICATION_CRYPTOGRAM, tag::ISSUER_APPLICATION_DATA, tag::ATC];

/// Everything has been read.
pub(super) fn begin(
    initiated: Initiated,
    signed: StaticData,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let mut session = initiated.selected.session;
    if let Some(missing) = MANDATORY.iter().find(|tag| !session.store.has(**tag)) {
        let name = Row::of_tag(*missing).map_or("no name", |row| row.name);
        let reason = format!("the card has no {missing} ({name})");
        return Ok(end_application(session, Message::TryAnotherCard, reason, context));
    }
    let (pan, psn) = card_number(&mut session)?;
    let given = cryptogram_given(&session)?;
    context.emit(
        Event::new("terminal", format!("the card gave {given}"))
            .clause(CLAUSE)
            .because("from 9F27, or from the CVR in 9F10 where 9F27 is absent"),
    );
    let (reader, qualifiers) =
        (session.store.array(tag::TTQ).map(Ttq).unwrap_or_default(), session.store.array(tag::CTQ).map(Ctq));
    let card = CardMark { pan, psn };
    judge(CardRead { session, aip: initiated.aip, card, given, signed, reader, qualifiers }, context)
}

/// A card decides within what the reader's qualifiers allow.
pub(super) fn perform(read: CardRead, context: &mut Context) -> Step {
    step("Card read complete", context);
    match read.given {
        CryptogramType::Aac => Err(read.decline("declined by the card", context)),
        CryptogramType::Arqc if read.reader.has(Ttq::OFFLINE_ONLY) => {
            Err(read.decline("the card asks for its issuer, and the reader is offline only", context))
        }
        CryptogramType::Tc if read.reader.has(Ttq::ONLINE_REQUIRED) && !takes_unasked_approval(&read) => {
            let reason = "the card approved where an online cryptogram was required (9F66 byte 2 bit 8)";
            Err(read.decline(reason, context))
        }
        CryptogramType::Tc | CryptogramType::Arqc => Ok(read),
    }
}

fn takes_unasked_approval(read: &CardRead) -> bool {
    read.session.combination().is_some_and(|combination| combination.takes_unasked_approval)
}
