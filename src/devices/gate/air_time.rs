//! What a tap costs on the air: a card whose exchanges are counted by the model of ISO/IEC
//! 14443, and whose work is told apart from the gate's own.

use super::line::AirRules;
use crate::air::link::{Activation, Card, LinkError};
use crate::base::context::Context;
use crate::base::env::Clock;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::iso14443::{BitRate, Cycles, OnAir};
use std::time::Duration;

/// A type A card with an identifier of seven bytes, and its answer to select.
const CASCADE_LEVELS: u32 = 2;
const ATS_BYTES: usize = 16;

/// The time of a tap, by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AirTime {
    /// Activation and frames, by the model.
    pub air: Cycles,
    /// What the card works, by assumption.
    pub card: Duration,
    /// What the security module takes, by assumption.
    pub module: Duration,
    /// Time that passed inside the links, by the stopwatch: what of the whole is not the gate's.
    pub in_link: Duration,
}

/// A card whose exchanges are counted.
pub(super) struct Counted<'a> {
    card: &'a mut dyn Card,
    stopwatch: &'a (dyn Clock + Sync),
    /// None of a card that is not in a field.
    on_air: Option<OnAir>,
    command: Duration,
    signature: Duration,
    pub(super) time: AirTime,
    /// Whether it has left the field.
    pub(super) is_gone: bool,
}

impl<'a> Counted<'a> {
    /// Begins with the card's activation.
    pub(super) fn new(card: &'a mut dyn Card, rules: AirRules, stopwatch: &'a (dyn Clock + Sync)) -> Self {
        let bit_rate = BitRate::of_kbit(rules.kbit).unwrap_or_default();
        let on_air = OnAir { bit_rate, ..OnAir::default() };
        let time = AirTime { air: on_air.activation(CASCADE_LEVELS, ATS_BYTES), ..AirTime::default() };
        let (command, signature) = (rules.card_command_ms, rules.card_signature_ms);
        Self {
            card,
            stopwatch,
            on_air: Some(on_air),
            command: Duration::from_millis(command),
            signature: Duration::from_millis(signature),
            time,
            is_gone: false,
        }
    }

    /// A security module, in its slot.
    pub(super) fn module(card: &'a mut dyn Card, rules: AirRules, stopwatch: &'a (dyn Clock + Sync)) -> Self {
        Self {
            card,
            stopwatch,
            on_air: None,
            command: Duration::from_millis(rules.sam_command_ms),
            signature: Duration::ZERO,
            time: AirTime::default(),
            is_gone: false,
        }
    }
}

impl Card for Counted<'_> {
    fn activation(&self) -> &Activation {
        self.card.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let begun = self.stopwatch.now();
        let answer = self.card.transmit(command, context);
        self.time.in_link += since(begun, self.stopwatch);
        self.is_gone |= answer.as_ref().is_err_and(LinkError::is_lost_exchange);
        let answer_bytes = answer.as_ref().map_or(0, |answer| answer.data.len() + 2);
        if let Some(on_air) = &self.on_air {
            let cost = on_air.exchange(command.to_bytes().len(), answer_bytes);
            self.time.air = self.time.air + cost.total();
        }
        self.time.card += self.command;
        if signs(command, answer_bytes) {
            self.time.card += self.signature;
        }
        answer
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.card.reset(context)
    }
}

/// Time since `begun`.
pub(super) fn since(begun: crate::base::env::Timestamp, stopwatch: &(dyn Clock + Sync)) -> Duration {
    let micros = stopwatch.now().micros().saturating_sub(begun.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Whether a card signs with RSA as it answers: GET PROCESSING OPTIONS, INTERNAL AUTHENTICATE
/// and GENERATE AC may, and their answer then has at least the bytes of a key of 512 bits.
fn signs(command: &CommandApdu, answer_bytes: usize) -> bool {
    const INSTRUCTIONS: [u8; 3] = [0xA8, 0x88, 0xAE];
    const LEAST_BYTES: usize = 64;
    INSTRUCTIONS.contains(&command.header()[1]) && answer_bytes > LEAST_BYTES
}
