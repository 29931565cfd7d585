//! Relay resistance (EMV Book C-2 6.6, state R1): how long the card takes to answer a
//! number that it could not know before. What it says of its own times, it signs later.

use super::reader::{Reader, RelayLimits};
use super::reading;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::{self, Message};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::initiate_application_processing::Initiated;
use crate::words::dictionary::tag;
use crate::words::emv::Tvr;
use crate::words::emv::command::{ExchangeRelayResistanceData, RelayResistanceData};
use crate::words::iso7816::ApduCommand;
use crate::words::tlv::Tag;

const STEP: &str = "Relay resistance";
const CLAUSE: &str = "EMV Book C-2 6.6";
/// How often it is tried again.
const MOST_RETRIES: u8 = 2;
/// One unit of time.
const UNIT_MICROS: i64 = 100;

/// What speaks of a time.
const CAUSES: &[Tag] = &[tag::MEASURED_RELAY_TIME, tag::MINIMUM_RELAY_TIME, tag::MAXIMUM_RELAY_TIME];

/// Exchanges numbers with the card.
pub(super) fn begin(initiated: Initiated, context: &mut Context) -> Next {
    let number = initiated.selected.session.store.array(tag::UNPREDICTABLE_NUMBER).unwrap_or_default();
    exchange(initiated, number, 0, context)
}

fn exchange(mut initiated: Initiated, entropy: [u8; 4], retries: u8, context: &Context) -> Next {
    let session = &mut initiated.selected.session;
    session.store.put(tag::UNPREDICTABLE_NUMBER, entropy);
    session.store.put(tag::TERMINAL_RELAY_ENTROPY, entropy);
    session.store.put(tag::RELAY_COUNTER, [retries]);
    let ask = ExchangeRelayResistanceData { terminal_entropy: entropy };
    Next::transmit(ask.to_apdu(), Exchanging { initiated, ask, retries, sent: context.now() })
}

struct Exchanging {
    initiated: Initiated,
    ask: ExchangeRelayResistanceData,
    retries: u8,
    sent: Timestamp,
}

impl Phase for Exchanging {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let elapsed = (context.now().micros() - self.sent.micros()) / UNIT_MICROS;
        let Self { mut initiated, ask, retries, .. } = *self;
        let told = ask.answer(&reply.response(STEP)?)?;
        let session = &mut initiated.selected.session;
        let limits = Reader::of(session).relay;
        let measured = measured(elapsed, &told, &limits);
        note(session, &ask, &told, measured);
        if measured < told.minimum_time.saturating_sub(limits.minimum_grace) {
            let reason = "the card answered sooner than it says that it can";
            let session = initiated.selected.session;
            return Ok(entry_point::end_application(session, Message::TryAnotherCard, reason, context));
        }
        let too_late = measured > told.maximum_time.saturating_add(limits.maximum_grace);
        if too_late && retries < MOST_RETRIES {
            let reason = format!("{measured} units of 0.1 ms are above {}", told.maximum_time);
            context.emit(Event::new("terminal", "relay resistance again").clause(CLAUSE).because(reason));
            return Ok(exchange(initiated, context.random(), retries + 1, context));
        }
        if too_late {
            let reason = format!("{measured} units of 0.1 ms, three times");
            session.find(Tvr::RELAY_TIME_EXCEEDED, CLAUSE, reason, CAUSES, context);
        }
        if let Some(reason) = inaccurate(measured, &told, &limits) {
            session.find(Tvr::RELAY_THRESHOLD_EXCEEDED, CLAUSE, reason, CAUSES, context);
        }
        let reason = format!("{measured} units of 0.1 ms, in exchange {}", retries + 1);
        session.find(Tvr::RELAY_CHECKED, CLAUSE, reason, CAUSES, context);
        reading::begin(initiated, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.initiated.selected.session)
    }
}

/// The card's own time: what is left without the way there and back.
fn measured(elapsed: i64, told: &RelayResistanceData, limits: &RelayLimits) -> u16 {
    let back = told.transmission_time.min(limits.answer_transmission);
    let left = elapsed - i64::from(limits.command_transmission) - i64::from(back);
    u16::try_from(left.max(0)).unwrap_or(u16::MAX)
}

/// Why the time is not to be relied upon.
fn inaccurate(measured: u16, told: &RelayResistanceData, limits: &RelayLimits) -> Option<&'static str> {
    let (device, reader) = (u32::from(told.transmission_time), u32::from(limits.answer_transmission));
    let percent = u32::from(limits.mismatch_percent);
    if device != 0 && reader != 0 && (device * 100 / reader < percent || reader * 100 / device < percent) {
        Some("card and reader think differently of how long the answer is in the air")
    } else if measured.saturating_sub(told.minimum_time) > limits.accuracy {
        Some("the card took much longer than the least that it says")
    } else {
        None
    }
}

fn note(session: &mut Session, ask: &ExchangeRelayResistanceData, told: &RelayResistanceData, measured: u16) {
    let store = &mut session.store;
    store.put(tag::DEVICE_RELAY_ENTROPY, told.device_entropy);
    store.put(tag::MINIMUM_RELAY_TIME, told.minimum_time.to_be_bytes());
    store.put(tag::MAXIMUM_RELAY_TIME, told.maximum_time.to_be_bytes());
    store.put(tag::DEVICE_TRANSMISSION_TIME, told.transmission_time.to_be_bytes());
    store.put(tag::MEASURED_RELAY_TIME, measured.to_be_bytes());
    session.relay = [ask.terminal_entropy.as_slice(), &told.to_bytes()].concat();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RelayLimits = RelayLimits {
        minimum_grace: 20,
        maximum_grace: 50,
        command_transmission: 18,
        answer_transmission: 24,
        accuracy: 300,
        mismatch_percent: 50,
    };

    fn told(transmission_time: u16) -> RelayResistanceData {
        RelayResistanceData { device_entropy: [0; 4], minimum_time: 16, maximum_time: 100, transmission_time }
    }

    #[test]
    fn the_way_there_and_back_is_not_the_cards() {
        assert_eq!(measured(70, &told(24), &LIMITS), 28);
        assert_eq!(measured(70, &told(10), &LIMITS), 42, "the shorter of both ways back");
        assert_eq!(measured(10, &told(24), &LIMITS), 0);
        assert_eq!(measured(i64::MAX, &told(24), &LIMITS), u16::MAX);
    }

    #[test]
    fn what_cannot_be_relied_upon_is_said() {
        assert_eq!(inaccurate(28, &told(24), &LIMITS), None);
        assert!(inaccurate(28, &told(11), &LIMITS).is_some(), "24 is above twice 11");
        assert!(inaccurate(28, &told(49), &LIMITS).is_some());
        assert_eq!(inaccurate(28, &told(0), &LIMITS), None, "it does not say");
        assert!(inaccurate(317, &told(24), &LIMITS).is_some());
        assert_eq!(inaccurate(316, &told(24), &LIMITS), None);
    }
}
