//! GET PROCESSING OPTIONS on the card: counts the transaction, chooses its path
//! (EMV Book 3 6.5.8; JR/T 0025.12 and .13).

use super::application_profile::PathProfile;
use super::quick;
use super::session::{Authentication, Path, Phase, Scripts, Selected, Transaction};
use super::simulator::{Answer, Refusal, Work};
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::command::{GetProcessingOptions, ProcessingOptions};
use crate::words::emv::mchip;
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::tlv::{Dol, TlvStore};

/// Answers GET PROCESSING OPTIONS.
pub(super) fn start(work: &mut Work<'_>, command: &GetProcessingOptions, context: &mut Context) -> Answer {
    let contactless = work.session.interface == Interface::Contactless;
    if !matches!(work.session.selected, Selected::Application { phase: Phase::Selected, .. }) {
        return Err(Refusal::state("GET PROCESSING OPTIONS follows a selection, once"));
    }
    if work.memory.read().image.is_blank() {
        return Err(Refusal::state("the card is not personalised"));
    }
    let interface = work.profile()?.interface(contactless).cloned().ok_or_else(Refusal::lost)?;
    let pdol = Dol::parse(&interface.pdol.0).map_err(|_| Refusal::lost())?;
    let data: TlvStore = match pdol.split(&command.pdol_data) {
        Some(parts) => parts.into_iter().collect(),
        None => {
            let (expected, found) = (pdol.data_length(), command.pdol_data.len());
            let reason = format!("the PDOL asks for {expected} bytes, {found} came");
            return Err(Refusal::because(StatusWord::WRONG_LENGTH, reason));
        }
    };
    let state = &mut work.application_mut()?.state;
    if state.atc == u16::MAX {
        return Err(Refusal::state("the transaction counter is at FFFF: the application is locked for good"));
    }
    state.atc += 1;
    // Counted, the selection is used up, whatever comes of it.
    work.set_phase(Phase::Over);
    let (path, reason) = work.behaviour()?.path(work, &data)?;
    context.emit(
        Event::new("card", format!("{path:?} path"))
            .clause(GetProcessingOptions::CLAUSE)
            .because(reason)
            .with_tag(tag::ATC.0, work.application()?.state.atc.to_be_bytes()),
    );
    let chosen = match path {
        Path::Quick => interface.quick,
        Path::Ecash => interface.ecash,
        Path::Full => interface.full,
    };
    let chosen = chosen.ok_or_else(|| Refusal::state("the profile does not have this path here"))?;
    let transaction = transaction(work, path, &chosen, data, command, context)?;
    match path {
        Path::Quick => quick::start(work, transaction, &chosen.afl.0, context),
        Path::Ecash | Path::Full => {
            let data = [(tag::AIP, chosen.aip.0.as_slice()), (tag::AFL, chosen.afl.0.as_slice())];
            let options = ProcessingOptions { data: data.into_iter().collect(), format_1: true };
            work.set_phase(Phase::Initiated(Box::new(transaction)));
            Ok(ResponseApdu::ok(GetProcessingOptions::encode_response(&options)))
        }
    }
}

fn transaction(
    work: &Work<'_>,
    path: Path,
    chosen: &PathProfile,
    data: TlvStore,
    command: &GetProcessingOptions,
    context: &mut Context,
) -> Result<Transaction, Refusal> {
    let application = work.application()?;
    Ok(Transaction {
        path,
        aip: chosen.aip.0.as_slice().try_into().map_err(|_| Refusal::lost())?,
        atc: application.state.atc,
        set: data.value(tag::TRANSACTION_CURRENCY_CODE).and_then(|code| application.set_of(code)),
        data,
        exchanged: command.pdol_data.clone(),
        cvr: work.behaviour()?.history(application, context),
        first: None,
        authentication: Authentication::NotPerformed,
        issuer_approves: None,
        scripts: Scripts::Open,
        contactless: work.session.interface == Interface::Contactless,
        response_code: None,
        signs: false,
        enciphered_pin: false,
        results: mchip::Cvr::default(),
        mchip: work.profile()?.mchip.unwrap_or_default(),
        relay: None,
    })
}
