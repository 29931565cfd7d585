//! Reads one application.

use super::facts::{ApplicationFacts, EcashFacts, Fact, LoadFact, PaymentFact, SegmentFacts};
use super::survey::Depth;
use crate::air::link::{Card, LinkError};
use crate::base::bytes::bcd_to_u64;
use crate::base::context::Context;
use crate::roles::terminal::config::TerminalConfig;
use crate::words::dictionary::tag;
use crate::words::emv::command::{GetData, GetProcessingOptions};
use crate::words::emv::{self, Afl, Fci, Pan, Track2, Ttq};
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::command::{ReadRecord, Select};
use crate::words::iso7816::{Aid, ApduCommand, CommandError, StatusWord};
use crate::words::pboc::{CardAdditionalProcessing, EcashSet, LoadLogRecord, LogRecord};
use crate::words::tlv::{self, Dol, Tag, TlvStore};

/// Files that are probed for records: EMV Book 3 5.3.2.2 keeps 1 to 10 for them.
const FILES: std::ops::RangeInclusive<u8> = 1..=10;
/// Most records probed in one file, and in all.
const RECORDS: u8 = 16;
const RECORDS_IN_ALL: usize = 64;
/// Most entries read of one log.
const LOG_ENTRIES: u8 = 30;

/// The format of a log, and its records as the card gives them, newest first.
type RawLog = (Dol, Vec<Vec<u8>>);

pub(super) struct Reader<'a> {
    pub(super) card: &'a mut dyn Card,
    pub(super) config: &'a TerminalConfig,
    pub(super) depth: Depth,
    pub(super) context: &'a mut Context,
}

impl Reader<'_> {
    /// Reads the application; `None` where it can no longer be selected.
    pub(super) fn read(mut self, aid: Aid, blocked: bool) -> Result<Option<ApplicationFacts>, LinkError> {
        let select = Select::first(aid.clone());
        let answer = self.card.transmit(&select.to_apdu(), self.context)?;
        let blocked = blocked || answer.status == StatusWord::FILE_INVALIDATED;
        if !answer.status.is_ok() && !blocked {
            return Ok(None);
        }
        let fci = Fci::parse(&answer.data, &aid).ok();
        let pin_tries = self.number(tag::PIN_TRY_COUNTER)?;
        let atc = self.number(tag::ATC)?;
        let last_online_atc = self.number(tag::LAST_ONLINE_ATC_REGISTER)?;
        let ecash = self.ecash()?;
        let currency = ecash.first().map_or(self.config.currency, |set| set.currency);
        let payments = self.payments(fci.as_ref().and_then(|fci| fci.log_entry), currency)?;
        let loads = self.loads(fci.as_ref().and_then(|fci| fci.load_log_entry), &ecash)?;
        let logs = fci.as_ref().map(|fci| (fci.log_entry, fci.load_log_entry)).unwrap_or_default();
        let log_depths = (logs.0.map(|(_, depth)| depth), logs.1.map(|(_, depth)| depth));
        let processing = self.data(tag::CARD_ADDITIONAL_PROCESSING)?;
        let processing = processing.known().and_then(|b| CardAdditionalProcessing::from_bytes(b));
        let logs_offline = processing.is_some_and(|p| p.has(CardAdditionalProcessing::LOG_OFFLINE));
        let (mut store, refusal) = self.probe_records()?;
        let mut spent_atc = None;
        if self.depth == Depth::Full {
            spent_atc = self.full(fci.as_ref(), &mut store)?;
        }
        let label = fci.and_then(|fci| fci.label);
        let absent = |what: &str| match (&refusal, self.depth) {
            (_, Depth::Full) => format!("in no record of the application, {what}"),
            (Some(status), Depth::Quick) => {
                format!("only after GPO (READ RECORD answered {status}): use --full")
            }
            (None, Depth::Quick) => "in no record that is readable before GPO: use --full".into(),
        };
        let pan = card_number(&store);
        Ok(Some(ApplicationFacts {
            aid,
            label,
            blocked,
            pan: pan.map_or_else(|| Fact::Absent(absent("neither 5A nor 57")), Fact::Known),
            psn: store.array::<1>(tag::PAN_SEQUENCE_NUMBER).map_or(0, |[psn]| psn),
            expiry: expiry(&store).map_or_else(|| Fact::Absent(absent("neither 5F24 nor 57")), Fact::Known),
            pin_tries: narrow(pin_tries),
            atc: narrow(atc),
            last_online_atc: narrow(last_online_atc),
            ecash,
            payments,
            loads,
            log_depths,
            logs_offline,
            spent_atc,
        }))
    }

    fn data(&mut self, tag: Tag) -> Result<Fact<Vec<u8>>, LinkError> {
        let ask = GetData { tag };
        let answer = self.card.transmit(&ask.to_apdu(), self.context)?;
        Ok(match ask.answer(&answer) {
            Ok((_, value)) => Fact::Known(value),
            Err(CommandError::Refused { status, .. }) => {
                Fact::Absent(format!("GET DATA {tag} answered {status}"))
            }
            Err(error) => Fact::Absent(error.to_string()),
        })
    }

    fn number(&mut self, tag: Tag) -> Result<Fact<u64>, LinkError> {
        Ok(match self.data(tag)? {
            Fact::Known(value) if (1..=2).contains(&value.len()) => {
                Fact::Known(value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            Fact::Known(value) => Fact::Absent(format!("{tag} has {} bytes, expected 1 or 2", value.len())),
            Fact::Absent(reason) => Fact::Absent(reason),
        })
    }

    fn amount(&mut self, tag: Tag, currency: Currency) -> Result<Fact<Amount>, LinkError> {
        Ok(match self.data(tag)? {
            Fact::Known(value) => match Amount::from_bcd(&value, currency) {
                Ok(amount) => Fact::Known(amount),
                Err(error) => Fact::Absent(format!("{tag}: {error}")),
            },
            Fact::Absent(reason) => Fact::Absent(reason),
        })
    }

    /// A row for each currency of which the card tells a balance.
    fn ecash(&mut self) -> Result<Vec<EcashFacts>, LinkError> {
        let mut rows = Vec::new();
        for set in EcashSet::ALL {
            let told = self.data(set.currency)?;
            let code = told.known().and_then(|code| Currency::from_bcd(code));
            // Old cards tell the first balance and no currency: it is the terminal's.
            let first = set == EcashSet::FIRST;
            let Some(currency) = code.or(first.then_some(self.config.currency)) else { continue };
            let stored = self.amount(set.balance, currency)?;
            if stored.known().is_none() && code.is_none() {
                continue;
            }
            let overdrawn = match (first, &stored) {
                (true, Fact::Known(_)) => self.amount(tag::SEGMENT_OFFSET_USED, currency)?,
                _ => Fact::Absent(String::new()),
            };
            let segments = match (&stored, &overdrawn) {
                (Fact::Known(stored), Fact::Known(used)) => {
                    let limit = self.amount(tag::SEGMENT_OFFSET_LIMIT, currency)?;
                    let spendable = |limit: &Amount| (stored.minor + limit.minor).saturating_sub(used.minor);
                    limit.known().map(|limit| SegmentFacts {
                        limit: *limit,
                        used: *used,
                        spendable: Amount::new(spendable(limit), currency),
                    })
                }
                _ => None,
            };
            let balance = match (stored, overdrawn) {
                (Fact::Known(stored), Fact::Known(overdrawn)) => {
                    Fact::Known(Amount::new(stored.minor.saturating_sub(overdrawn.minor), currency))
                }
                (stored, _) => stored,
            };
            rows.push(EcashFacts {
                currency,
                balance,
                balance_limit: self.amount(set.balance_limit, currency)?,
                single_limit: self.amount(set.single_limit, currency)?,
                reset_threshold: self.amount(set.reset_threshold, currency)?,
                segments,
            });
        }
        Ok(rows)
    }

    /// The raw records of a log and its format.
    fn log(
        &mut self,
        entry: Option<(u8, u8)>,
        entry_tag: Tag,
        format_tag: Tag,
    ) -> Result<Fact<RawLog>, LinkError> {
        let Some((sfi, depth)) = entry.filter(|(sfi, _)| (1..=30).contains(sfi)) else {
            return Ok(Fact::Absent(format!("the card names no such log (tag {entry_tag} in the FCI)")));
        };
        let format = match self.data(format_tag)? {
            Fact::Known(bytes) => match Dol::parse(&bytes) {
                Ok(format) => format,
                Err(error) => return Ok(Fact::Absent(format!("{format_tag}: {error}"))),
            },
            Fact::Absent(reason) => return Ok(Fact::Absent(reason)),
        };
        let mut records = Vec::new();
        for record in 1..=depth.min(LOG_ENTRIES) {
            let ask = ReadRecord { sfi, record };
            let answer = self.card.transmit(&ask.to_apdu(), self.context)?;
            match ask.answer(&answer) {
                Ok(bytes) => records.push(bytes),
                Err(_) if records.is_empty() && answer.status != StatusWord::RECORD_NOT_FOUND => {
                    return Ok(Fact::Absent(format!("READ RECORD of the log answered {}", answer.status)));
                }
                Err(_) => break,
            }
        }
        Ok(Fact::Known((format, records)))
    }

    fn payments(
        &mut self,
        entry: Option<(u8, u8)>,
        currency: Currency,
    ) -> Result<Fact<Vec<PaymentFact>>, LinkError> {
        let (format, records) = match self.log(entry, tag::LOG_ENTRY, tag::LOG_FORMAT)? {
            Fact::Known(log) => log,
            Fact::Absent(reason) => return Ok(Fact::Absent(reason)),
        };
        let read = records.iter().map(|record| LogRecord::parse(&format, record));
        Ok(match read.collect::<Result<Vec<_>, _>>() {
            Ok(records) => Fact::Known(records.into_iter().map(|r| payment(r, currency)).collect()),
            Err(error) => Fact::Absent(error.to_string()),
        })
    }

    fn loads(
        &mut self,
        entry: Option<(u8, u8)>,
        ecash: &[EcashFacts],
    ) -> Result<Fact<Vec<LoadFact>>, LinkError> {
        let (format, records) = match self.log(entry, tag::LOAD_LOG_ENTRY, tag::LOAD_LOG_FORMAT)? {
            Fact::Known(log) => log,
            Fact::Absent(reason) => return Ok(Fact::Absent(reason)),
        };
        let read = records.iter().map(|record| LoadLogRecord::parse(&format, record));
        Ok(match read.collect::<Result<Vec<_>, _>>() {
            Ok(records) => Fact::Known(records.into_iter().map(|r| load(&r, ecash)).collect()),
            Err(error) => Fact::Absent(error.to_string()),
        })
    }

    /// Gathers what records give before GPO; with the status of the first refusal.
    fn probe_records(&mut self) -> Result<(TlvStore, Option<StatusWord>), LinkError> {
        let mut store = TlvStore::new();
        let mut refusal = None;
        let mut read = 0;
        for sfi in FILES {
            for record in 1..=RECORDS {
                let ask = ReadRecord { sfi, record };
                let answer = self.card.transmit(&ask.to_apdu(), self.context)?;
                let absent = [StatusWord::RECORD_NOT_FOUND, StatusWord::FILE_NOT_FOUND];
                if !answer.status.is_ok() {
                    if !absent.contains(&answer.status) {
                        refusal = refusal.or(Some(answer.status));
                    }
                    break;
                }
                gather(&mut store, &answer.data);
                read += 1;
                if read >= RECORDS_IN_ALL {
                    return Ok((store, refusal));
                }
            }
        }
        Ok((store, refusal))
    }

    /// GET PROCESSING OPTIONS with amount 0 and an online cryptogram required, then
    /// the records that the card names. Returns the counter value it spent.
    fn full(&mut self, fci: Option<&Fci>, store: &mut TlvStore) -> Result<Option<u16>, LinkError> {
        let qualifiers = Ttq::default().with(Ttq::QUICK_PATH).with(Ttq::CONTACT).with(Ttq::ONLINE_REQUIRED);
        let mut terminal = TlvStore::new();
        terminal.put(tag::TTQ, qualifiers.0);
        terminal.put(tag::TERMINAL_COUNTRY_CODE, self.config.country.to_bcd());
        terminal.put(tag::TRANSACTION_CURRENCY_CODE, self.config.currency.to_bcd());
        terminal.put(tag::TRANSACTION_DATE, self.context.now().yymmdd());
        terminal.put(tag::UNPREDICTABLE_NUMBER, self.context.random::<4>());
        let pdol = fci.and_then(|fci| fci.pdol.clone()).unwrap_or_default();
        let ask = GetProcessingOptions { pdol_data: emv::assemble(&pdol, &terminal) };
        let answer = self.card.transmit(&ask.to_apdu(), self.context)?;
        if let Ok(options) = ask.answer(&answer) {
            for (tag, value) in options.data.iter() {
                store.put(tag, value);
            }
            if let Some(Ok(afl)) = options.data.value(tag::AFL).map(Afl::parse) {
                for (sfi, record, _) in afl.records().take(RECORDS_IN_ALL) {
                    let ask = ReadRecord { sfi, record };
                    if let Ok(bytes) = ask.answer(&self.card.transmit(&ask.to_apdu(), self.context)?) {
                        gather(store, &bytes);
                    }
                }
            }
        }
        let after: Fact<u16> = narrow(self.number(tag::ATC)?);
        let told = store.array(tag::ATC).map(u16::from_be_bytes);
        Ok(told.or(after.known().copied()))
    }
}

fn gather(store: &mut TlvStore, record: &[u8]) {
    let Ok(template) = tlv::parse_one(record) else { return };
    for object in template.children().unwrap_or_default() {
        if !store.has(object.tag) {
            store.put(object.tag, object.value);
        }
    }
}

fn card_number(store: &TlvStore) -> Option<Pan> {
    let from_track = || store.value(tag::TRACK_2_EQUIVALENT_DATA).and_then(Track2::parse).map(|t| t.pan);
    store.value(tag::PAN).and_then(|bytes| Pan::from_bcd(bytes).ok()).or_else(from_track)
}

/// 5F24, or the month in track 2 with day 00.
fn expiry(store: &TlvStore) -> Option<[u8; 3]> {
    store.array(tag::APPLICATION_EXPIRATION_DATE).or_else(|| {
        let track = Track2::parse(store.value(tag::TRACK_2_EQUIVALENT_DATA)?)?;
        let digit = |index: usize| track.expiry[index] - b'0';
        Some([digit(0) << 4 | digit(1), digit(2) << 4 | digit(3), 0])
    })
}

fn narrow<T: TryFrom<u64>>(fact: Fact<u64>) -> Fact<T> {
    match fact {
        Fact::Known(value) => {
            T::try_from(value).map_or_else(|_| Fact::Absent(format!("{value} is out of range")), Fact::Known)
        }
        Fact::Absent(reason) => Fact::Absent(reason),
    }
}

fn payment(record: LogRecord, currency: Currency) -> PaymentFact {
    let told = record.0.value(tag::TRANSACTION_CURRENCY_CODE).and_then(Currency::from_bcd);
    let currency = told.unwrap_or(currency);
    let amount = record.0.value(tag::AMOUNT_AUTHORISED).and_then(|b| bcd_to_u64(b).ok());
    let merchant = record.0.value(tag::MERCHANT_NAME_AND_LOCATION).map(emv::printable);
    PaymentFact {
        date: record.0.array(tag::TRANSACTION_DATE),
        time: record.0.array(tag::TRANSACTION_TIME),
        amount: amount.map(|minor| Amount::new(minor, currency)),
        merchant: merchant.map(|text| text.trim_matches(['?', ' ']).to_owned()).filter(|t| !t.is_empty()),
        atc: record.atc(),
        data: record.0,
    }
}

fn load(record: &LoadLogRecord, ecash: &[EcashFacts]) -> LoadFact {
    let second_currency = record.balance == EcashSet::SECOND.balance;
    let currency = ecash.get(usize::from(second_currency)).map_or(Currency::CNY, |set| set.currency);
    LoadFact {
        date: record.data.array(tag::TRANSACTION_DATE),
        time: record.data.array(tag::TRANSACTION_TIME),
        before: Amount::new(record.old_minor, currency),
        after: Amount::new(record.new_minor, currency),
        atc: record.atc(),
        second_currency,
    }
}
