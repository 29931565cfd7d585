//! The card's security domain: INITIALIZE UPDATE, EXTERNAL AUTHENTICATE and STORE DATA,
//! by which a blank application in a phone gets its data (GPCS 2.3.1 Annex E; EMV CPS).

use super::memory::Domain;
use super::personalisation;
use super::session::{Channel, Selected};
use super::simulator::{Answer, Refusal, Work};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::globalplatform::command::{ExternalAuthenticate, InitializeUpdate, StoreData};
use crate::words::globalplatform::{ChannelError, Dgi, SecureChannel};
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};

/// Most bytes that a personalisation stores; a card's data are a tenth of it.
const LARGEST_DATA_BYTES: usize = 16_384;

/// Answers INITIALIZE UPDATE.
pub(super) fn initialize(work: &mut Work<'_>, command: &InitializeUpdate, context: &mut Context) -> Answer {
    if !matches!(work.session.selected, Selected::Application { .. }) {
        return Err(Refusal::state("a channel is opened to a selected application"));
    }
    let keys = domain(work)?.keys();
    if command.key_version != 0 && command.key_version != keys.version {
        return Err(Refusal::because(StatusWord::DATA_NOT_FOUND, "the card has no keys of this version"));
    }
    let sequence = domain(work)?.sequence;
    let (channel, answer) = SecureChannel::answer(&keys, command, sequence, context.random());
    work.session.channel = Channel::Answered(Box::new((channel, *command, answer)));
    Ok(ResponseApdu::ok(InitializeUpdate::encode_response(&answer)))
}

/// Answers EXTERNAL AUTHENTICATE of a channel. A channel that opens counts, whatever
/// becomes of it.
pub(super) fn authenticate(
    work: &mut Work<'_>,
    command: &ExternalAuthenticate,
    context: &mut Context,
) -> Answer {
    let Channel::Answered(waiting) = std::mem::take(&mut work.session.channel) else {
        return Err(Refusal::state("EXTERNAL AUTHENTICATE follows INITIALIZE UPDATE, once"));
    };
    let (mut channel, asked, answer) = *waiting;
    channel
        .authenticate(&asked, &answer, command)
        .map_err(|error| Refusal::because(StatusWord::AUTHENTICATION_FAILED, error.to_string()))?;
    let image = &mut work.memory.write().image;
    let domain = image.domain.as_mut().ok_or_else(Refusal::lost)?;
    domain.sequence = domain.sequence.checked_add(1).ok_or_else(|| {
        Refusal::state("the channel counter is at FFFF: these keys open no channel any more")
    })?;
    work.session.channel =
        Channel::Open { channel: Box::new(channel), stored: Secret::new(Vec::new()), next: 0 };
    let event = Event::new("card", "secure channel").clause(ExternalAuthenticate::CLAUSE);
    context.emit(event.because("the host's cryptogram is right: STORE DATA is taken"));
    Ok(ResponseApdu::ok([]))
}

/// Answers STORE DATA. Nothing is written before the last block: a break leaves the
/// application as it was.
pub(super) fn store(work: &mut Work<'_>, apdu: &CommandApdu, context: &mut Context) -> Answer {
    let Channel::Open { mut channel, mut stored, next } = std::mem::take(&mut work.session.channel) else {
        return Err(Refusal::because(StatusWord::SECURITY_NOT_SATISFIED, "STORE DATA wants an open channel"));
    };
    // Whatever is wrong from here on, the channel is closed by it.
    let command = StoreData::from_apdu(&channel.unwrap(apdu).map_err(refuse)?)?;
    if command.block != next {
        let reason = format!("expected block {next} of STORE DATA, found {}", command.block);
        return Err(Refusal::because(StatusWord::WRONG_P1P2, reason));
    }
    stored.expose_mut().extend_from_slice(command.data.expose());
    if stored.expose().len() > LARGEST_DATA_BYTES {
        return Err(Refusal::because(StatusWord::NO_SPACE, "more data than the card has room for"));
    }
    if !command.last {
        let next = next.wrapping_add(1);
        work.session.channel = Channel::Open { channel, stored, next };
        return Ok(ResponseApdu::ok([]));
    }
    let mut groupings = Dgi::parse_all(stored.expose())
        .map_err(|error| Refusal::because(StatusWord::WRONG_DATA, error.to_string()))?;
    for grouping in groupings.iter_mut().filter(|grouping| grouping.is_secret()) {
        grouping.data = channel.decipher_keys(grouping.data.expose()).map_err(refuse)?;
    }
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
        ChannelError::Data | ChannelError::Crypto(_) => StatusWord::WRONG_DATA,
    };
    Refusal::because(status, error.to_string())
}
