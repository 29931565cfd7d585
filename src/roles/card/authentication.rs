//! Issuer authentication on the card: the ARPC, by EXTERNAL AUTHENTICATE or in the
//! data of CDOL2 (EMV Book 2 8.2; EMV Book 3 10.9).

use super::behaviour::Application;
use super::memory::Image;
use super::session::{Authentication, Phase, Selected, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{cryptogram, decision};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::Aip;
use crate::words::emv::cryptogram::ArpcMethod;
use crate::words::iso7816::command::ExternalAuthenticate;
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::Cvr;

/// Card status update, byte 2 bit 8: the issuer approves (EMV Book 3 annex C).
const CSU_APPROVES: u8 = 0x80;

/// Answers EXTERNAL AUTHENTICATE: once, between the two GENERATE ACs.
pub(super) fn external(work: &mut Work<'_>, command: &ExternalAuthenticate, context: &mut Context) -> Answer {
    let behaviour = work.behaviour()?;
    let image = &work.memory.read().image;
    let Selected::Application { phase: Phase::AskedOnline(transaction), .. } = &mut work.session.selected
    else {
        return Err(Refusal::state("EXTERNAL AUTHENTICATE follows a first GENERATE AC that gave an ARQC"));
    };
    if !Aip(transaction.aip).has(Aip::ISSUER_AUTHENTICATION) {
        return Err(Refusal::state("the AIP sends issuer authentication data through CDOL2"));
    }
    if transaction.authentication != Authentication::NotPerformed {
        return Err(Refusal::state("EXTERNAL AUTHENTICATE is taken once in a transaction"));
    }
    perform(behaviour, image, transaction, &command.issuer_authentication_data, context)?;
    if transaction.authentication == Authentication::Failed {
        // It is remembered even when the terminal goes no further.
        work.application_mut()?.state.last_authentication_failed = true;
        return Ok(ResponseApdu::status(StatusWord::AUTHENTICATION_FAILED));
    }
    Ok(ResponseApdu::ok([]))
}

/// Checks tag 91 against the first cryptogram and notes the result.
pub(super) fn perform(
    behaviour: &dyn Application,
    image: &Image,
    transaction: &mut Transaction,
    data: &[u8],
    context: &mut Context,
) -> Result<(), Refusal> {
    let checked = check(behaviour, image, transaction, data)?;
    let before = transaction.cvr;
    let (reason, authentication) = match checked {
        Some(approves) => {
            transaction.issuer_approves = Some(approves);
            ("the ARPC fits the cryptogram of this transaction", Authentication::Succeeded)
        }
        None => {
            transaction.cvr.set(Cvr::ISSUER_AUTHENTICATION_FAILED);
            ("the ARPC does not fit the cryptogram of this transaction", Authentication::Failed)
        }
    };
    transaction.authentication = authentication;
    context.emit(
        Event::new("card", "issuer authentication")
            .clause(ExternalAuthenticate::CLAUSE)
            .because(reason)
            .with_tag(tag::ISSUER_AUTHENTICATION_DATA.0, data),
    );
    decision::tell_added(before, transaction.cvr, reason, context);
    Ok(())
}

/// `None` when it does not fit; else whether the issuer approves: by the response
/// code with method 1, by the card status update with method 2.
fn check(
    behaviour: &dyn Application,
    image: &Image,
    transaction: &mut Transaction,
    data: &[u8],
) -> Result<Option<bool>, Refusal> {
    let version = cryptogram::version(image)?;
    let atc = transaction.atc.to_be_bytes();
    let Some((_, arqc)) = transaction.first else { return Ok(None) };
    let key = image.keys.ac.expose();
    Ok(match version.arpc_method {
        ArpcMethod::Method1 => match data.split_first_chunk::<8>() {
            Some((arpc, &[a, b])) => {
                transaction.response_code = Some([a, b]);
                let fits = version.arpc_method_1(key, atc, arqc, [a, b]) == *arpc;
                fits.then(|| behaviour.approves(transaction, [a, b]))
            }
            _ => None,
        },
        ArpcMethod::Method2 => {
            let parts = data.split_first_chunk::<4>();
            let parts = parts.and_then(|(arpc, rest)| Some((arpc, rest.split_first_chunk::<4>()?)));
            parts.and_then(|(arpc, (update, proprietary))| {
                let expected = version.arpc_method_2(key, atc, arqc, *update, proprietary).ok()?;
                (expected == *arpc).then_some(update[1] & CSU_APPROVES != 0)
            })
        }
    })
}
