//! Read application data: EMV Book 3 10.2.

use super::initiate_application_processing::Initiated;
use super::{
    cardholder_verification, offline_data_authentication, payer_identification, processing_restrictions,
};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::{Role, Session};
use crate::words::dictionary::tag;
use crate::words::emv::certificate::{PublicKey, StaticData};
use crate::words::emv::{Pan, Track2};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::ReadRecord;
use crate::words::tlv::{self, Dol, Tag};

const STEP: &str = "Read application data";
const CLAUSE: &str = "EMV Book 3 10.2";

/// Every record has been read.
pub(in crate::roles::terminal) struct RecordsRead {
    pub(in crate::roles::terminal) initiated: Initiated,
    pub(in crate::roles::terminal) pan: Pan,
    pub(in crate::roles::terminal) psn: u8,
    pub(in crate::roles::terminal) cdol1: Dol,
    pub(in crate::roles::terminal) cdol2: Dol,
    /// Whether the card took its electronic cash path: the records carry 9F74.
    pub(in crate::roles::terminal) ecash: bool,
    /// The records that the issuer signed.
    pub(in crate::roles::terminal) signed: StaticData,
    /// The card's key, where cryptograms are to be signed with it (CDA).
    pub(in crate::roles::terminal) combined: Option<PublicKey>,
}

impl RecordsRead {
    pub(in crate::roles::terminal) fn session(&mut self) -> &mut Session {
        &mut self.initiated.selected.session
    }
}

/// Reads the records that the AFL names, in order.
pub(in crate::roles::terminal) fn begin(
    initiated: Initiated,
    _context: &mut Context,
) -> Result<Next, TerminalError> {
    let afl = initiated.afl.clone().ok_or(TerminalError::Missing {
        tag: tag::AFL,
        name: "Application File Locator",
        clause: "EMV Book 3 6.5.8.4",
    })?;
    let records = afl.records().map(|(sfi, record, signed)| (ReadRecord { sfi, record }, signed));
    let mut wanted: Vec<_> = records.collect();
    wanted.reverse();
    Ok(Reading { initiated, wanted, signed: StaticData::new() }.next())
}

struct Reading {
    initiated: Initiated,
    /// Still to be read, the next one last, and whether the issuer signed it.
    wanted: Vec<(ReadRecord, bool)>,
    signed: StaticData,
}

impl Reading {
    fn next(self) -> Next {
        // An AFL is never empty, so there is a first record.
        let ask = self.wanted.last().map_or(ReadRecord { sfi: 1, record: 1 }, |(ask, _)| *ask);
        Next::transmit(ask.to_apdu(), self)
    }
}

impl Phase for Reading {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let (asked, signed) = self.wanted.pop().ok_or(TerminalError::Reply { step: STEP })?;
        let record = asked.answer(&reply.response(STEP)?)?;
        take_record(&mut self.initiated.selected.session, asked, &record)?;
        if signed {
            // It is one template 70: taking it has shown that.
            let _ = self.signed.add_record(asked.sfi, asked.record, &record);
        }
        if !self.wanted.is_empty() {
            return Ok(self.next());
        }
        let mut read = gathered(self.initiated, self.signed, SecondList::Mandatory)?;
        match read.session().role {
            // Nothing but its number is wanted of the card that pays.
            Role::Paying(_) => payer_identification::identified(read, context),
            _ => offline_data_authentication::begin(read, context),
        }
    }
}

/// Goes on with a card that is authentic, or whose TVR says what speaks against that.
pub(in crate::roles::terminal) fn authenticated(
    mut read: RecordsRead,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    processing_restrictions::perform(&mut read, context);
    cardholder_verification::begin(read, context)
}

/// Puts what a record holds into the session. A data object that comes twice ends
/// the transaction; one that the terminal itself gives is not taken from a card.
pub(in crate::roles::terminal) fn take_record(
    session: &mut Session,
    asked: ReadRecord,
    record: &[u8],
) -> Result<(), TerminalError> {
    let ReadRecord { sfi, record: number } = asked;
    let place = || format!("record {number} of SFI {sfi}");
    let wrap = |source| TerminalError::Tlv { place: place(), source };
    let template = tlv::parse_one(record).map_err(wrap)?;
    if template.tag != tag::RECORD_TEMPLATE {
        let found = template.tag.to_string();
        return Err(TerminalError::Record { sfi, record: number, found });
    }
    for object in template.children().map_err(wrap)? {
        if is_terminals_own(object.tag) {
            continue;
        }
        let earlier = session.store.put(object.tag, object.value);
        // Track 2 and PSN may stand in the GPO answer too; then they must agree.
        if earlier.is_some_and(|earlier| earlier != object.value) {
            return Err(TerminalError::Redundant { tag: object.tag });
        }
    }
    Ok(())
}

/// The PAN and sequence number, from 5A or track 2.
pub(in crate::roles::terminal) fn card_number(session: &mut Session) -> Result<(Pan, u8), TerminalError> {
    let pan = match session.store.value(tag::PAN) {
        Some(bytes) => Pan::from_bcd(bytes)?,
        None => {
            let track = session.store.value(tag::TRACK_2_EQUIVALENT_DATA).and_then(Track2::parse);
            track.map(|track| track.pan).ok_or(TerminalError::Missing {
                tag: tag::PAN,
                name: "PAN",
                clause: CLAUSE,
            })?
        }
    };
    session.store.put(tag::PAN, pan.to_bcd());
    let psn = session.store.array::<1>(tag::PAN_SEQUENCE_NUMBER).map_or(0, |[psn]| psn);
    Ok((pan, psn))
}

/// Whether a card must have a CDOL2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles::terminal) enum SecondList {
    Mandatory,
    /// There is no second GENERATE AC.
    Unused,
}

/// Looks whether the records have what is mandatory.
pub(in crate::roles::terminal) fn gathered(
    mut initiated: Initiated,
    signed: StaticData,
    second: SecondList,
) -> Result<RecordsRead, TerminalError> {
    let session = &mut initiated.selected.session;
    let (pan, psn) = card_number(session)?;
    let clause = "EMV Book 3 7.2";
    if !session.store.has(tag::APPLICATION_EXPIRATION_DATE) {
        let (tag, name) = (tag::APPLICATION_EXPIRATION_DATE, "Application Expiration Date");
        return Err(TerminalError::Missing { tag, name, clause });
    }
    let list = |wanted: Tag, name| {
        let value = session.store.value(wanted);
        let value = value.ok_or(TerminalError::Missing { tag: wanted, name, clause })?;
        let place = || name.to_owned();
        Dol::parse(value).map_err(|source| TerminalError::Tlv { place: place(), source })
    };
    let cdol1 = list(tag::CDOL1, "CDOL1")?;
    let cdol2 = match second {
        SecondList::Mandatory => list(tag::CDOL2, "CDOL2")?,
        SecondList::Unused => Dol::default(),
    };
    let ecash = session.store.has(tag::EC_ISSUER_AUTHORISATION_CODE)
        && session.store.array(tag::EC_TERMINAL_SUPPORT_INDICATOR) == Some([1]);
    Ok(RecordsRead { initiated, pan, psn, cdol1, cdol2, ecash, signed, combined: None })
}

fn is_terminals_own(tag: Tag) -> bool {
    use crate::words::dictionary::{Row, Source};
    Row::of_tag(tag).is_some_and(|row| row.source == Source::Terminal)
}
