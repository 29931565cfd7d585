//! The card's security domain: INITIALIZE UPDATE, EXTERNAL AUTHENTICATE and STORE DATA,
//! by which a blank application in a phone gets its data (GPCS 2.3.1 Annex E; EMV CPS).

use super::memory::Domain;
use super::personalisation;
use super::session::{SecureChannel, Selected};
use super::simulator::{Answer, Refusal, Work};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::globalplatform::command::{ExternalAuthenticate, InitializeUpdate, StoreData};
use crate::words::globalplatform::{CardChannel, ChannelError, StoredGroupings};
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};

/// The version of the domain's only key set.
const KEY_VERSION: u8 = 0x01;

/// Answers INITIALIZE UPDATE.
pub(super) fn initialize(work: &mut Work<'_>, command: &InitializeUpdate, context: &mut Context) -> Answer {
    if !matches!(work.session.selected, Selected::Application { .. }) {
        return Err(Refusal::state("a channel is opened to a selected application"));
    }
    if ![0, KEY_VERSION].contains(&command.key_version) {
        return Err(Refusal::because(StatusWord::DATA_NOT_FOUND, "the card has no keys of this version"));
    }
    let (keys, sequence) = (domain(work)?.keys(), domain(work)?.sequence.to_be_bytes());
    let (channel, answer) =
        CardChannel::begin(&keys, command, KEY_VERSION, sequence, context.random()).map_err(refuse)?;
    work.session.channel = SecureChannel::Waiting(Box::new(channel));
    Ok(ResponseApdu::ok(InitializeUpdate::encode_response(&answer)))
}

/// Answers EXTERNAL AUTHENTICATE of a channel. A channel that opens counts, whatever
/// becomes of it.
pub(super) fn authenticate(
    work: &mut Work<'_>,
    command: &ExternalAuthenticate,
    context: &mut Context,
) -> Answer {
    let SecureChannel::Waiting(waiting) = std::mem::take(&mut work.session.channel) else {
        return Err(Refusal::state("EXTERNAL AUTHENTICATE follows INITIALIZE UPDATE, once"));
    };
    let channel = waiting.authenticate(command).map_err(refuse)?;
    let domain = work.memory.write().image.domain.as_mut().ok_or_else(Refusal::lost)?;
    domain.sequence = domain.sequence.checked_add(1).ok_or_else(|| {
        Refusal::state("the channel counter is at FFFF: these keys open no channel any more")
    })?;
    work.session.channel = SecureChannel::Open(Box::new((channel, StoredGroupings::default())));
    let event = Event::new("card", "secure channel").clause(ExternalAuthenticate::CLAUSE);
    context.emit(event.because("the host's cryptogram is right: STORE DATA is taken"));
    Ok(ResponseApdu::ok([]))
}

/// Answers STORE DATA. Nothing is written before the last block: a break leaves the
/// application as it was.
pub(super) fn store(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    let SecureChannel::Open(mut open) = std::mem::take(&mut work.session.channel) else {
        return Err(Refusal::because(StatusWord::SECURITY_NOT_SATISFIED, "STORE DATA wants an open channel"));
    };
    let (channel, stored) = &mut *open;
    // Whatever is wrong from here on, the channel is closed by it.
    let command = StoreData::from_apdu(&channel.unwrap_command(apdu).map_err(refuse)?)?;
    let taken = stored
        .take(&command, channel)
        .map_err(|error| Refusal::because(StatusWord::WRONG_DATA, error.to_string()))?;
    let Some(groupings) = taken else {
        work.session.channel = SecureChannel::Open(open);
        return Ok(ResponseApdu::ok([]));
    };
    let index = work.index()?;
    let image = personalisation::apply(&work.memory.read().image, index, &groupings)
        .map_err(|reason| Refusal::because(StatusWord::WRONG_DATA, reason))?;
    work.memory.write().image = image;
    let event = Event::new("card", "personalised").clause(StoreData::CLAUSE);
    context.emit(event.because(format!("{} data groupings are stored at once", groupings.len())));
    Ok(ResponseApdu::ok([]))
}

/// The card's domain; a card outside a phone has none.
fn domain<'a>(work: &'a Work<'_>) -> Result<&'a Domain, Refusal> {
    work.memory
        .read()
        .image
        .domain
        .as_ref()
        .ok_or_else(|| Refusal::because(StatusWord::INS_NOT_SUPPORTED, "the card has no security domain"))
}

fn refuse(error: ChannelError) -> Refusal {
    let status = match error {
        ChannelError::Mac => StatusWord::SM_OBJECT_INCORRECT,
        ChannelError::Cryptogram { .. } => StatusWord::AUTHENTICATION_FAILED,
        _ => StatusWord::WRONG_DATA,
    };
    Refusal::because(status, error.to_string())
}
