//! The card's dynamic signatures: DDA (EMV Book 2 6.5), CDA (6.6), and fDDA of the quick
//! path (JR/T 0025.12). What the issuer signed for the card is in `certificates`.

use super::cryptogram::Made;
use super::decision;
use super::memory::ApplicationMemory;
use super::quick::{QuickPath, QuickSignature as Version};
use super::session::{Phase, Selected, Transaction};
use super::simulator::{Answer, Refusal, Work};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::{
    CdaDynamicData, CertificateError, FddaInput, IccDynamicData, PrivateKey,
};
use crate::words::emv::command::{Cryptogram, DynamicSignature, InternalAuthenticate};
use crate::words::emv::{Aip, CryptogramType, Ctq, Ttq};
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::pboc::Cvr;
use crate::words::tlv::TlvStore;
use std::sync::Arc;

/// The application version from which a card knows fDDA version 01 (JR/T 0025.12).
const FDDA_01_SINCE: [u8; 2] = [0x00, 0x30];

/// Answers INTERNAL AUTHENTICATE: before the first GENERATE AC.
pub(super) fn internal(work: &mut Work<'_>, command: &InternalAuthenticate, context: &mut Context) -> Answer {
    let key = key_of(work.application()?)?;
    let Selected::Application { phase: Phase::Initiated(transaction), .. } = &mut work.session.selected
    else {
        return Err(Refusal::state(
            "INTERNAL AUTHENTICATE follows GET PROCESSING OPTIONS and goes before GENERATE AC",
        ));
    };
    if !Aip(transaction.aip).has(Aip::DDA_SUPPORTED) {
        return Err(Refusal::state("the AIP offers no dynamic data authentication (DDA)"));
    }
    let dynamic = IccDynamicData { number: context.random::<8>().to_vec(), rest: Vec::new() };
    let signed = dynamic.sign(&[&command.ddol_data], &key).map_err(unsigned)?;
    let before = transaction.cvr;
    transaction.cvr.set(Cvr::DDA_PERFORMED);
    decision::tell_added(before, transaction.cvr, "INTERNAL AUTHENTICATE was answered", context);
    context.emit(
        Event::new("card", "signed")
            .clause(InternalAuthenticate::CLAUSE)
            .because("its own number and the data of the DDOL")
            .with_tag(tag::ICC_DYNAMIC_NUMBER.0, dynamic.number),
    );
    let data = [(tag::SIGNED_DYNAMIC_APPLICATION_DATA, signed)].into_iter().collect();
    let answer = DynamicSignature { data, format_1: true };
    Ok(ResponseApdu::ok(InternalAuthenticate::encode_response(&answer)))
}

/// The answer to GENERATE AC with a combined signature in place of the plain cryptogram.
pub(super) fn combined(
    application: &ApplicationMemory,
    transaction: &Transaction,
    kind: CryptogramType,
    made: &Made,
    context: &mut Context,
) -> Result<Cryptogram, Refusal> {
    let key = key_of(application)?;
    let unpredictable = transaction.data.array(tag::UNPREDICTABLE_NUMBER);
    let unpredictable =
        unpredictable.ok_or_else(|| Refusal::state("no list asked for the unpredictable number (9F37)"))?;
    let mut data = TlvStore::new();
    data.put(tag::CRYPTOGRAM_INFORMATION_DATA, [kind.bits()]);
    data.put(tag::ATC, transaction.atc.to_be_bytes());
    data.put(tag::ISSUER_APPLICATION_DATA, made.iad.as_slice());
    let parts: [&[u8]; 2] = [&transaction.exchanged, &data.to_bytes()];
    let dynamic = CdaDynamicData {
        number: context.random::<8>().to_vec(),
        cryptogram_information: kind.bits(),
        cryptogram: made.cryptogram,
        transaction_data_hash: CdaDynamicData::transaction_data_hash(&parts, key.suite()),
        rest: transaction.relay.map(|relay| relay.signed_bytes().to_vec()).unwrap_or_default(),
    };
    let signed = dynamic.sign(unpredictable, &key).map_err(unsigned)?;
    data.put(tag::SIGNED_DYNAMIC_APPLICATION_DATA, signed);
    Ok(Cryptogram { data, format_1: false })
}

/// The signature of a quick payment.
pub(super) struct QuickSignature {
    /// Tag 9F4B.
    pub signed: Vec<u8>,
    /// Tag 9F69, of version 01.
    pub related: Option<Vec<u8>>,
}

/// Signs a quick payment, where the AIP offers that.
pub(super) fn quick(
    application: &ApplicationMemory,
    transaction: &mut Transaction,
    qualifiers: Ctq,
    path: &QuickPath,
    context: &mut Context,
) -> Result<Option<QuickSignature>, Refusal> {
    if !Aip(transaction.aip).has(Aip::DDA_SUPPORTED) {
        return Ok(None);
    }
    let key = key_of(application)?;
    let reader = transaction.data.array(tag::TTQ).map(Ttq).unwrap_or_default();
    let version = application.data.array(tag::APPLICATION_VERSION_NUMBER_CARD).unwrap_or_default();
    let related = match path.signature {
        Version::Always01 => Some(related(qualifiers, &[], context)),
        Version::Negotiated => (reader.has(Ttq::FDDA_01) && version >= FDDA_01_SINCE).then(|| {
            let capability = application.data.array(tag::EXTENDED_APPLICATION_CAPABILITY).unwrap_or([0x00]);
            related(qualifiers, &capability, context)
        }),
    };
    let value = |tag| transaction.data.value(tag).unwrap_or_default();
    let input = FddaInput {
        unpredictable_number: value(tag::UNPREDICTABLE_NUMBER),
        amount: value(tag::AMOUNT_AUTHORISED),
        currency: value(tag::TRANSACTION_CURRENCY_CODE),
        card_authentication: related.as_deref(),
    };
    let dynamic = IccDynamicData { number: transaction.atc.to_be_bytes().to_vec(), rest: Vec::new() };
    let signed = dynamic.sign(&input.parts().map_err(unsigned)?, &key).map_err(unsigned)?;
    let words = if related.is_some() { "fDDA version 01" } else { "fDDA version 00" };
    context.emit(Event::new("card", "signed").clause(path.clause).because(words));
    Ok(Some(QuickSignature { signed, related }))
}

/// Card authentication related data of version 01: a number of the card's own, and its
/// qualifiers, which are not signed otherwise.
fn related(qualifiers: Ctq, more: &[u8], context: &mut Context) -> Vec<u8> {
    let number: [u8; 4] = context.random();
    [&[0x01], number.as_slice(), &qualifiers.0, more].concat()
}

fn key_of(application: &ApplicationMemory) -> Result<Arc<PrivateKey>, Refusal> {
    let key = application.card_key.as_ref().map(|key| Arc::clone(&key.0));
    key.ok_or_else(|| Refusal::state("the card has no key of its own to sign with"))
}

fn unsigned(error: CertificateError) -> Refusal {
    Refusal::state(error.to_string())
}
