//! Relay resistance on the card (EMV Book C-2 5.3): fresh numbers, quickly, and what the
//! card says of its own times, all of which a combined signature then vouches for.

use super::session::{Phase, Relay, Selected};
use super::simulator::{Answer, Refusal, Work};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::emv::Aip;
use crate::words::emv::command::{ExchangeRelayResistanceData, RelayResistanceData};
use crate::words::iso7816::{ApduCommand, ResponseApdu};

/// Exchanges in one transaction: the first and two more (EMV Book C-2 6.6).
const MOST_EXCHANGES: u8 = 3;

/// Answers EXCHANGE RELAY RESISTANCE DATA.
pub(super) fn exchange(
    work: &mut Work<'_>,
    command: ExchangeRelayResistanceData,
    context: &mut Context,
) -> Answer {
    let times = work.profile()?.relay;
    let Selected::Application { phase: Phase::Initiated(transaction), .. } = &mut work.session.selected
    else {
        return Err(Refusal::state("relay resistance data follow GET PROCESSING OPTIONS"));
    };
    let Some(times) = times.filter(|_| Aip(transaction.aip).has(Aip::RELAY_RESISTANCE)) else {
        return Err(Refusal::state("the AIP offers no relay resistance"));
    };
    let exchanges = transaction.relay.map_or(0, |relay| relay.exchanges) + 1;
    if exchanges > MOST_EXCHANGES {
        return Err(Refusal::state("relay resistance data were exchanged three times"));
    }
    let answer = RelayResistanceData {
        device_entropy: context.random(),
        minimum_time: times.minimum_time,
        maximum_time: times.maximum_time,
        transmission_time: times.transmission_time,
    };
    let terminal_entropy = command.terminal_entropy;
    transaction.relay = Some(Relay { terminal_entropy, answer, exchanges });
    let event = Event::new("card", "relay resistance data").clause(ExchangeRelayResistanceData::CLAUSE);
    context.emit(event.because(format!("exchange {exchanges} of at most {MOST_EXCHANGES}")));
    Ok(ResponseApdu::ok(ExchangeRelayResistanceData::encode_response(&answer)))
}

impl Relay {
    /// As a combined signature has it, behind the hash (EMV Book C-2 table 5.15).
    pub(super) fn signed_bytes(&self) -> [u8; 14] {
        let mut out = [0; 14];
        out[..4].copy_from_slice(&self.terminal_entropy);
        out[4..].copy_from_slice(&self.answer.to_bytes());
        out
    }
}
