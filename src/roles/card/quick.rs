//! The quick path (qPBOC): the card decides at GET PROCESSING OPTIONS; the money
//! moves when the last record is read (JR/T 0025.12; .13; .15).

use super::capp::Extension;
use super::memory::ApplicationMemory;
use super::quick_decision::{Offer, Verdict, available_minor, processing};
use super::session::{Pending, Phase, QuickChange, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{capp, cryptogram, decision, dynamic_signature, record};
use crate::base::bytes::u64_to_bcd;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{Aac, Arqc, Tc};
use crate::words::emv::command::{GetProcessingOptions, ProcessingOptions};
use crate::words::emv::{Aip, ExtendedCapability, Ttq};
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::pboc::CardAdditionalProcessing as Cap;
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

/// Adds what the card decides by: the reader's qualifiers, its own, and its limits.
fn with_qualifiers(event: Event, application: &ApplicationMemory, transaction: &Transaction) -> Event {
    let set = transaction.set.map(|set| [set.balance, set.single_limit, set.reset_threshold]);
    let own = [tag::CARD_ADDITIONAL_PROCESSING].into_iter().chain(set.into_iter().flatten());
    let own = own.filter_map(|tag| Some((tag, application.data.value(tag)?)));
    let offered = [tag::TTQ, tag::AMOUNT_AUTHORISED];
    let offered = offered.into_iter().filter_map(|tag| Some((tag, transaction.data.value(tag)?)));
    offered.chain(own).fold(event, |event, (tag, value)| event.with_tag(tag.0, value))
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
