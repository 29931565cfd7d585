//! Read application data: EMV Book 3 10.2.

use super::initiate_application_processing::Initiated;
use super::{
    cardholder_verification, offline_data_authentication, payer_identification, processing_restrictions,
};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::CardMark;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::{Role, Session};
use crate::words::dictionary::{Row, Source, tag};
use crate::words::emv::certificate::{PublicKey, StaticData};
use crate::words::emv::{Afl, Pan, Track2};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::ReadRecord;
use crate::words::tlv::{self, Dol, Tag};

const STEP: &str = "Read application data";
const CLAUSE: &str = "EMV Book 3 10.2";
/// The longest data of a command.
const COMMAND_BYTES: usize = 255;

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

/// What follows once every record has been read, with those that the issuer signed.
type Then = fn(Initiated, StaticData, &mut Context) -> Result<Next, TerminalError>;

/// Reads the records that the AFL names, as kernels with GENERATE AC need them.
pub(in crate::roles::terminal) fn begin(
    initiated: Initiated,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    if initiated.afl.is_none() {
        let (tag, name) = (tag::AFL, "Application File Locator");
        return Err(TerminalError::Missing { tag, name, clause: "EMV Book 3 6.5.8.4" });
    }
    read(initiated, have_read, context)
}

/// Reads the records that the AFL names, in order; none where there is no AFL.
pub(in crate::roles::terminal) fn read(
    initiated: Initiated,
    then: Then,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let records = initiated.afl.iter().flat_map(Afl::records);
    let wanted = records.map(|(sfi, record, signed)| (ReadRecord { sfi, record }, signed));
    let mut wanted: Vec<_> = wanted.collect();
    wanted.reverse();
    Reading { initiated, wanted, signed: StaticData::new(), then }.next(context)
}

struct Reading {
    initiated: Initiated,
    /// Still to be read, the next one last, and whether the issuer signed it.
    wanted: Vec<(ReadRecord, bool)>,
    signed: StaticData,
    then: Then,
}

impl Reading {
    fn next(self, context: &mut Context) -> Result<Next, TerminalError> {
        match self.wanted.last() {
            Some((ask, _)) => Ok(Next::transmit(ask.to_apdu(), self)),
            None => (self.then)(self.initiated, self.signed, context),
        }
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
        self.next(context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.initiated.selected.session)
    }
}

fn have_read(initiated: Initiated, signed: StaticData, context: &mut Context) -> Result<Next, TerminalError> {
    let mut read = gathered(initiated, signed, SecondList::Mandatory)?;
    match read.session().role {
        // Nothing but its number is wanted of the card that pays.
        Role::Paying(_) => payer_identification::identified(read, context),
        _ => offline_data_authentication::begin(read, context),
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
        // A data object without a value is taken as absent (EMV Book 3 annex B3).
        if is_terminals_own(object.tag) || object.value.is_empty() {
            continue;
        }
        check_format(object.tag, object.value)?;
        let earlier = session.store.put(object.tag, object.value);
        // Track 2 and PSN may stand in the GPO answer too; then they must agree.
        let differs = earlier.is_some_and(|earlier| earlier != object.value);
        if differs || session.recorded.contains(&object.tag) {
            return Err(TerminalError::Redundant { tag: object.tag });
        }
        session.recorded.push(object.tag);
    }
    Ok(())
}

/// What is worked with and has one length. Nothing else is looked at (EMV Book 3 7.5).
const CHECKED: &[Tag] = &[
    tag::APPLICATION_EXPIRATION_DATE,
    tag::APPLICATION_EFFECTIVE_DATE,
    tag::ISSUER_COUNTRY_CODE,
    tag::PAN_SEQUENCE_NUMBER,
    tag::CA_PUBLIC_KEY_INDEX_CARD,
    tag::APPLICATION_USAGE_CONTROL,
    tag::APPLICATION_VERSION_NUMBER_CARD,
    tag::IAC_DEFAULT,
    tag::IAC_DENIAL,
    tag::IAC_ONLINE,
    tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::APPLICATION_CURRENCY_CODE,
];

fn check_format(tag: Tag, value: &[u8]) -> Result<(), TerminalError> {
    let Some(row) = CHECKED.contains(&tag).then(|| Row::of_tag(tag)).flatten() else { return Ok(()) };
    let (min, max, found) = (row.min as usize, row.max as usize, value.len());
    match (min..=max).contains(&found) {
        true => Ok(()),
        false => Err(TerminalError::Format { tag, min, max, found }),
    }
}

/// The PAN and sequence number, from 5A or track 2. Where a card was to be presented again,
/// it is that one.
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
    match &session.entry_point.expected {
        Some(CardMark { pan: expected, .. }) if session.card_mark() != session.entry_point.expected => {
            Err(TerminalError::OtherCard { expected: expected.clone(), found: pan })
        }
        _ => Ok((pan, psn)),
    }
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
        let list = Dol::parse(value).map_err(|source| TerminalError::Tlv { place: name.into(), source })?;
        match list.data_length() {
            found if found > COMMAND_BYTES => Err(TerminalError::List { name, limit: COMMAND_BYTES, found }),
            _ => Ok(list),
        }
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
    Row::of_tag(tag).is_some_and(|row| row.source == Source::Terminal)
}
