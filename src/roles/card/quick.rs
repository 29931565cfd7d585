//! The quick path (qPBOC): the card decides at GET PROCESSING OPTIONS; the money
//! moves when the last record is read (JR/T 0025.12; .13; .15).

use super::Device;
use super::capp::{Extended, Extension, Left};
use super::memory::ApplicationMemory;
use super::session::{Pending, Phase, QuickChange, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{capp, cryptogram, decision, dynamic_signature, record};
use crate::base::bytes::u64_to_bcd;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::command::{GetProcessingOptions, ProcessingOptions};
use crate::words::emv::{Aip, Ctq, ExtendedCapability, Ttq};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::{CappTransaction, CardAdditionalProcessing as Cap, EcashSet};
use crate::words::tlv::{Tag, TlvStore};

const CLAUSE: &str = "JR/T 0025.12";

/// What is a scheme's own about the quick path.
pub(super) struct QuickPath {
    /// Whose rules they are.
    pub clause: &'static str,
    /// Whether the answer has 9F27, so that nobody has to look into 9F10.
    pub tells_cryptogram: bool,
    /// Data objects of the card that every answer has beside the common ones.
    pub also: &'static [Tag],
    /// The version of fDDA.
    pub signature: QuickSignature,
    /// Whether a card signs requests (ARQC) without announcing that in its FCI (DF61).
    pub signs_requests_unannounced: bool,
}

/// Which version of fDDA a card signs, and what it tells in 9F69.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum QuickSignature {
    /// 01 where card and reader know it, else 00.
    Negotiated,
    /// 01.
    Always01,
}

impl QuickPath {
    /// JR/T 0025.12.
    pub(super) const PBOC: Self = Self {
        clause: CLAUSE,
        tells_cryptogram: false,
        also: &[],
        signature: QuickSignature::Negotiated,
        signs_requests_unannounced: false,
    };

    /// Whether the card signs its requests for a reader that wants to let its holder pass
    /// before the issuer is asked.
    fn signs_requests(&self, application: &ApplicationMemory, ttq: Ttq, aip: Aip) -> bool {
        let announced = application.data.array(tag::EXTENDED_APPLICATION_CAPABILITY).map(ExtendedCapability);
        ttq.has(Ttq::ODA_FOR_ONLINE)
            && aip.has(Aip::DDA_SUPPORTED)
            && (self.signs_requests_unannounced
                || announced.unwrap_or_default().has(ExtendedCapability::ODA_FOR_ONLINE))
    }
}

/// What the card makes of an offer.
struct Verdict {
    kind: CryptogramType,
    reason: &'static str,
    ctq: Ctq,
    /// The balance that results.
    balance: Option<(Tag, u64)>,
    /// The cumulative total that results.
    cumulative_minor: u64,
    /// The count of transactions in another currency that results.
    international: u8,
    /// What a transaction of the extended application leaves.
    left: Option<Left>,
}

/// What the reader offers, and what the card knows of itself.
struct Offer<'a> {
    application: &'a ApplicationMemory,
    cap: Cap,
    ttq: Ttq,
    amount_minor: u64,
    set: Option<EcashSet>,
    device: Option<Device>,
    extended: Option<Extended>,
}

/// Decides and answers GET PROCESSING OPTIONS.
pub(super) fn start(
    work: &mut Work<'_>,
    mut transaction: Transaction,
    afl: &[u8],
    context: &mut Context,
) -> Answer {
    let mut after = work.application()?.clone();
    let amount_minor = decision::amount_minor(&transaction)
        .ok_or_else(|| Refusal::state("the amount (9F02) is no decimal number"))?;
    let offer = Offer {
        application: &after,
        cap: processing(&after),
        ttq: transaction.data.array(tag::TTQ).map(Ttq).unwrap_or_default(),
        amount_minor,
        set: transaction.set,
        device: work.session.device,
        extended: capp::extended(work.session, &after, &transaction.data)?,
    };
    let extended = offer.extended;
    let verdict = offer.decide()?;
    if let Some((tag, minor)) = verdict.balance {
        after.put_amount(tag, minor);
    }
    if let Some(minor) = verdict.left.as_ref().and_then(|left| left.offset_minor) {
        after.put_amount(tag::SEGMENT_OFFSET_USED, minor);
    }
    after.state.cumulative_minor = verdict.cumulative_minor;
    after.state.international = verdict.international;

    transaction.cvr.set_first_cryptogram(verdict.kind);
    transaction.cvr.set_second_cryptogram(None);
    let made =
        cryptogram::make(work.behaviour()?, &work.memory.read().image, &after, &transaction, verdict.kind)?;
    transaction.first = Some((verdict.kind, made.cryptogram));
    let clause = work.behaviour()?.quick_path().clause;
    let event = Event::new("card", verdict.kind.to_string()).clause(clause).because(verdict.reason);
    let event = event.with_tag(tag::ATC.0, transaction.atc.to_be_bytes());
    let event = with_qualifiers(event, work.application()?, &transaction);
    context.emit(event.with_named("CVR", [&[0x03], transaction.cvr.0.as_slice()].concat()));

    let path = work.behaviour()?.quick_path();
    let reader = transaction.data.array(tag::TTQ).map(Ttq).unwrap_or_default();
    let signs = match verdict.kind {
        Tc => true,
        Arqc => path.signs_requests(&after, reader, Aip(transaction.aip)),
        Aac => false,
    };
    let told_afl = if signs { afl } else { &[] };
    let mut options = answer(&after, &transaction, &verdict, &made, told_afl, path);
    let mut appended = TlvStore::new();
    if signs
        && let Some(signature) =
            dynamic_signature::quick(&after, &mut transaction, verdict.ctq, path, context)?
    {
        // The signature comes as early as it can: a reader that has it before the last
        // record refuses before the money moves.
        let mut with = options.clone();
        with.data.put(tag::SIGNED_DYNAMIC_APPLICATION_DATA, signature.signed.as_slice());
        match GetProcessingOptions::encode_response(&with).len() <= record::LONGEST_ANSWER_BYTES {
            true => options = with,
            false => drop(appended.put(tag::SIGNED_DYNAMIC_APPLICATION_DATA, signature.signed)),
        }
        if let Some(related) = signature.related {
            appended.put(tag::CARD_AUTHENTICATION_RELATED_DATA, related);
        }
    }
    let atc = transaction.atc;
    let pending = match verdict.kind {
        Tc => {
            let logged = processing(&after).has(Cap::LOG_OFFLINE);
            Pending::last_record(afl).map(|last| Pending {
                last,
                change: Some(Box::new(QuickChange {
                    balance: verdict.balance,
                    cumulative_minor: verdict.cumulative_minor,
                    international: verdict.international,
                    log: if logged { record::log_entry(&after, &transaction) } else { None },
                    extension: extended
                        .zip(verdict.left)
                        .map(|(wanted, left)| Extension::new(wanted, left, atc, made.cryptogram)),
                })),
                appended: appended.to_bytes(),
            })
        }
        // A prepaid card pays as soon as it asks.
        Arqc => {
            if verdict.balance.is_some() {
                *work.application_mut()? = after;
            }
            let appended = appended.to_bytes();
            let last = Pending::last_record(afl).filter(|_| !appended.is_empty());
            last.map(|last| Pending { last, change: None, appended })
        }
        Aac => None,
    };
    work.set_phase(Phase::Quick(Box::new(transaction), pending.map(Box::new)));
    Ok(ResponseApdu::ok(GetProcessingOptions::encode_response(&options)))
}

/// Writes what a quick payment changes; called when its last record is read.
pub(super) fn complete(
    work: &mut Work<'_>,
    change: QuickChange,
    context: &mut Context,
) -> Result<(), Refusal> {
    let depth = work.profile()?.log.as_ref().map_or(0, |log| log.records);
    let application = work.application_mut()?;
    if let Some(extension) = change.extension {
        capp::complete(application, extension)?;
    }
    if let Some((tag, minor)) = change.balance {
        application.put_amount(tag, minor);
    }
    application.state.cumulative_minor = change.cumulative_minor;
    application.state.international = change.international;
    if let Some(entry) = change.log {
        record::push(&mut application.state.log, entry, depth);
    }
    context.emit(
        Event::new("card", "balance changed").clause(CLAUSE).because("the last record of the AFL was read"),
    );
    Ok(())
}

/// Tag 9F5D, in minor units: what can be spent offline in this currency.
pub(super) fn available_minor(application: &ApplicationMemory, set: Option<EcashSet>) -> u64 {
    let cap = processing(application);
    let balance = application.amount(set.unwrap_or(EcashSet::FIRST).balance).unwrap_or(0);
    let left = total_limit(application).saturating_sub(application.state.cumulative_minor);
    if cap.has(Cap::EC_AND_CTTA) {
        balance.min(left)
    } else if cap.has(Cap::EC_OR_CTTA) {
        balance.max(left)
    } else if cap.has(Cap::EC_CHECK) {
        balance
    } else {
        0
    }
}

impl Offer<'_> {
    /// The decision tree, from the top.
    fn decide(&self) -> Result<Verdict, Refusal> {
        let mut ctq = self.application.data.array(tag::CTQ).map(Ctq).unwrap_or_default();
        let (kind, reason) = match self.before_money(&mut ctq)? {
            Some(decided) => decided,
            None => return self.money(ctq),
        };
        self.verdict(kind, reason, ctq)
    }

    /// What decides before the amount is looked at.
    fn before_money(&self, ctq: &mut Ctq) -> Result<Option<(CryptogramType, &'static str)>, Refusal> {
        let (cap, ttq) = (self.cap, self.ttq);
        let offline_only = ttq.has(Ttq::OFFLINE_ONLY);
        let new = self.application.state.last_online_atc == 0;
        let exceeded = self.application.state.pin_tries_left == 0;
        let mismatch = self.set.is_none();
        if self.application.state.blocked {
            return Ok(Some((Aac, "the application is blocked")));
        }
        if mismatch && cap.has(Cap::DECLINE_MISMATCH) {
            return Ok(Some((Aac, "the currency is not the card's (9F68 bit 2.7)")));
        }
        if offline_only && new && cap.has(Cap::DECLINE_NEW_IF_OFFLINE_ONLY) {
            return Ok(Some((Aac, "the card is new and the reader offline only (9F68 bit 2.6)")));
        }
        if offline_only && exceeded && cap.has(Cap::PIN_TRIES_CHECK) {
            return Ok(Some((
                Aac,
                "the PIN try limit is exceeded and the reader offline only (9F68 bit 1.4)",
            )));
        }
        let verified = self.device.is_some_and(Device::is_verified);
        if verified {
            ctq.set(Ctq::CDCVM_PERFORMED);
        }
        let wanted = ttq.has(Ttq::CVM_REQUIRED) || mismatch && cap.has(Cap::CVM_FOR_MISMATCH);
        if wanted && self.device == Some(Device::Express) {
            // The reader shows its holder to the device, and the card is presented again.
            let reason = "a CVM is required, and the device has not verified its holder";
            return Err(Refusal::because(StatusWord::NOT_ALLOWED, reason));
        }
        if wanted && !(verified && ttq.has(Ttq::CDCVM)) {
            let pin = if mismatch { Cap::ONLINE_PIN_MISMATCH } else { Cap::ONLINE_PIN_MATCHING };
            if !offline_only && ttq.has(Ttq::ONLINE_PIN) && cap.has(pin) {
                ctq.set(Ctq::ONLINE_PIN_REQUIRED);
                return Ok(Some((Arqc, "a CVM is required, and card and reader support online PIN")));
            }
            if !(ttq.has(Ttq::SIGNATURE) && cap.has(Cap::SIGNATURE)) {
                return Err(Refusal::state("a CVM is required, and card and reader have none in common"));
            }
            ctq.set(Ctq::SIGNATURE_REQUIRED);
        }
        let elsewhere = mismatch && !cap.has(Cap::OFFLINE_FOR_MISMATCH);
        if offline_only {
            return Ok(
                elsewhere.then_some((Aac, "the currency is not the card's and the reader is offline only"))
            );
        }
        Ok(if ttq.has(Ttq::ONLINE_REQUIRED) {
            Some((Arqc, "the reader requires an online cryptogram (9F66 bit 2.8)"))
        } else if elsewhere {
            Some((Arqc, "the currency is not the card's (9F68 bit 1.3 is clear)"))
        } else if new && cap.has(Cap::NEW_CARD_CHECK) {
            Some((Arqc, "the card is new (9F68 bit 1.5)"))
        } else if exceeded && cap.has(Cap::PIN_TRIES_CHECK) {
            Some((Arqc, "the PIN try limit is exceeded (9F68 bit 1.4)"))
        } else {
            None
        })
    }

    fn money(&self, ctq: Ctq) -> Result<Verdict, Refusal> {
        let state = &self.application.state;
        let short = self.short();
        // Who enters a metro pays nothing yet: the card keeps where.
        let enters = self.extended.is_some_and(|extended| extended.kind == CappTransaction::SegmentBilling);
        if self.amount_minor == 0 && !enters {
            let kind = if self.cap.has(Cap::PREPAID) { Aac } else { short };
            return self.verdict(kind, "the amount is 0", ctq);
        }
        let Some(set) = self.set else {
            let limit = self.application.limit(tag::CONSECUTIVE_LIMIT_INTERNATIONAL).unwrap_or(0);
            if state.international >= limit {
                return self.verdict(short, "too many transactions in another currency (9F53)", ctq);
            }
            let mut verdict = self.verdict(Tc, "another currency is allowed offline (9F68 bit 1.3)", ctq)?;
            verdict.international += 1;
            return Ok(verdict);
        };
        let balance = self.application.amount(set.balance).unwrap_or(0);
        if let Some(extended) = &self.extended {
            return self.extended_money(extended, set, balance, ctq);
        }
        let total = state.cumulative_minor.saturating_add(self.amount_minor);
        let total_allows = total <= total_limit(self.application);
        let pays = |reason, balance: Option<u64>, total| {
            let mut verdict = self.verdict(Tc, reason, ctq)?;
            verdict.balance = balance.map(|minor| (set.balance, minor));
            verdict.cumulative_minor = total;
            Ok(verdict)
        };
        let left = balance.checked_sub(self.amount_minor);
        match self.ecash_hindrance(set, balance) {
            None if self.cap.has(Cap::EC_AND_CTTA) && !total_allows => {
                self.verdict(short, "too much in total without the issuer (9F5C, 9F54)", ctq)
            }
            None if self.cap.has(Cap::EC_AND_CTTA) => {
                pays("electronic cash and cumulative total allow it", left, total)
            }
            None => pays("electronic cash allows it", left, state.cumulative_minor),
            Some(_) if self.cap.has(Cap::EC_OR_CTTA) && total_allows => {
                pays("the cumulative total allows it where electronic cash does not", None, total)
            }
            Some(reason) => self.verdict(short, reason, ctq),
        }
    }

    /// What the card answers where it does not pay.
    fn short(&self) -> CryptogramType {
        if self.ttq.has(Ttq::OFFLINE_ONLY) { Aac } else { Arqc }
    }

    /// The same of the extended application: what is held, or may be offset, counts beside the
    /// balance (JR/T 0025.14).
    fn extended_money(
        &self,
        extended: &Extended,
        set: EcashSet,
        balance: u64,
        ctq: Ctq,
    ) -> Result<Verdict, Refusal> {
        let reach = balance.saturating_add(extended.beside_minor(self.application));
        if let Some(reason) = self.ecash_hindrance(set, reach) {
            return self.verdict(self.short(), reason, ctq);
        }
        if let Some(memory) = &self.application.capp {
            capp::may_begin(memory, extended)?;
        }
        let left = extended.left(self.application, set, self.amount_minor);
        let mut verdict = self.verdict(Tc, left.reason, ctq)?;
        verdict.balance = Some((set.balance, left.balance_minor));
        verdict.left = Some(left);
        Ok(verdict)
    }

    /// Why electronic cash does not pay; `None` when it does.
    fn ecash_hindrance(&self, set: EcashSet, balance: u64) -> Option<&'static str> {
        let checks = [Cap::EC_CHECK, Cap::EC_AND_CTTA, Cap::EC_OR_CTTA];
        let single = self.application.amount(set.single_limit).unwrap_or(0);
        let threshold = self.application.amount(set.reset_threshold).unwrap_or(0);
        let needed = match self.ttq.has(Ttq::OFFLINE_ONLY) {
            true => self.amount_minor,
            false => self.amount_minor.saturating_add(threshold),
        };
        if !checks.into_iter().any(|bit| self.cap.has(bit)) {
            Some("the card supports no offline check (9F68 bits 1.8 to 1.6)")
        } else if self.amount_minor > single {
            Some("the amount is above the single-transaction limit")
        } else if self.amount_minor > balance {
            Some("the amount is above the balance")
        } else if needed > balance {
            Some("the balance would fall below the reset threshold")
        } else {
            None
        }
    }

    /// A verdict that moves nothing, but for a prepaid card's ARQC.
    fn verdict(&self, kind: CryptogramType, reason: &'static str, ctq: Ctq) -> Result<Verdict, Refusal> {
        let state = &self.application.state;
        let mut verdict = Verdict {
            kind,
            reason,
            ctq,
            balance: None,
            cumulative_minor: state.cumulative_minor,
            international: state.international,
            left: None,
        };
        if kind != Arqc {
            return Ok(verdict);
        }
        if self.cap.has(Cap::PREFERS_FULL_PATH) && self.ttq.has(Ttq::CONTACT) {
            return Err(Refusal::state("the card goes online over contacts only (9F68 bit 1.2)"));
        }
        if self.cap.has(Cap::PREPAID) {
            let left = self.set.and_then(|set| {
                let balance = self.application.amount(set.balance)?;
                Some((set.balance, balance.checked_sub(self.amount_minor)?))
            });
            match left {
                Some(left) if self.amount_minor > 0 => verdict.balance = Some(left),
                _ => {
                    verdict.kind = Aac;
                    verdict.reason = "a prepaid card does not ask for what it does not hold";
                }
            }
        }
        Ok(verdict)
    }
}

/// Adds what the card decides by: the reader's qualifiers, its own, and its limits.
fn with_qualifiers(event: Event, application: &ApplicationMemory, transaction: &Transaction) -> Event {
    let set = transaction.set.map(|set| [set.balance, set.single_limit, set.reset_threshold]);
    let own = [tag::CARD_ADDITIONAL_PROCESSING].into_iter().chain(set.into_iter().flatten());
    let own = own.filter_map(|tag| Some((tag, application.data.value(tag)?)));
    let offered = [tag::TTQ, tag::AMOUNT_AUTHORISED];
    let offered = offered.into_iter().filter_map(|tag| Some((tag, transaction.data.value(tag)?)));
    offered.chain(own).fold(event, |event, (tag, value)| event.with_tag(tag.0, value))
}

/// Tag 9F68; a card without it supports no offline check.
fn processing(application: &ApplicationMemory) -> Cap {
    application.data.array(tag::CARD_ADDITIONAL_PROCESSING).map(Cap).unwrap_or_default()
}

fn total_limit(application: &ApplicationMemory) -> u64 {
    let upper = application.amount(tag::CUMULATIVE_UPPER_LIMIT);
    upper.or(application.amount(tag::CUMULATIVE_LIMIT)).unwrap_or(0)
}

fn answer(
    after: &ApplicationMemory,
    transaction: &Transaction,
    verdict: &Verdict,
    made: &cryptogram::Made,
    afl: &[u8],
    path: &QuickPath,
) -> ProcessingOptions {
    let mut data = TlvStore::new();
    data.put(tag::AIP, transaction.aip);
    if !afl.is_empty() {
        data.put(tag::AFL, afl);
    }
    if path.tells_cryptogram {
        data.put(tag::CRYPTOGRAM_INFORMATION_DATA, [verdict.kind.bits()]);
    }
    data.put(tag::ATC, transaction.atc.to_be_bytes());
    // What is held is paid later: its certificate comes with the completion (JR/T 0025.14).
    if verdict.left.as_ref().is_none_or(|left| left.opens.is_none()) {
        data.put(tag::APPLICATION_CRYPTOGRAM, made.cryptogram);
    }
    data.put(tag::ISSUER_APPLICATION_DATA, made.iad.as_slice());
    data.put(tag::CTQ, verdict.ctq.0);
    let mut copied = vec![tag::TRACK_2_EQUIVALENT_DATA, tag::PAN_SEQUENCE_NUMBER];
    if afl.is_empty() {
        copied.extend([tag::PRODUCT_IDENTIFICATION, tag::CARDHOLDER_NAME]);
        // Without an AFL no record tells a token from a card.
        copied.extend([tag::TOKEN_REQUESTOR_ID, tag::PAYMENT_ACCOUNT_REFERENCE, tag::LAST_4_DIGITS_OF_PAN]);
    }
    copied.extend(path.also);
    for tag in copied {
        if let Some(value) = after.data.value(tag) {
            data.put(tag, value);
        }
    }
    if processing(after).has(Cap::RETURN_AVAILABLE_SPENDING)
        && let Ok(available) = u64_to_bcd(available_minor(after, transaction.set), 6)
    {
        data.put(tag::AVAILABLE_OFFLINE_SPENDING_AMOUNT, available);
    }
    ProcessingOptions { data, format_1: false }
}
