//! A card at the end of a wire that carries single bytes, and a hand that cuts the
//! wire at any of them. Commands and answers travel in frames: two bytes of length,
//! the APDU, two bytes of checksum (CRC-16 of ISO/IEC 13239). The card acts on a
//! frame that is whole and sound, and on nothing else.

use super::{Activation, Card, Endpoint, Interface, LinkError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time on the simulated clock: the card's work, and a byte at 106 kbit/s.
const CARD_WORK: Duration = Duration::from_millis(5);
const BYTE: Duration = Duration::from_micros(85);
/// Length before, checksum after.
const FRAME: usize = 4;

/// Where in an exchange the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// After so many bytes of the command's frame have reached the card: 0 is before
    /// it, all of them is before the first byte of the answer.
    Command(usize),
    /// After so many bytes of the answer's frame have come: all of them is after it.
    Answer(usize),
}

/// When the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WirePlan {
    /// Which exchange, counted from 0 since the plan was armed.
    pub exchange: usize,
    /// Where in it.
    pub cut: Cut,
}

/// How many bytes went over the wire in one exchange, frames included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WireExchange {
    /// Of the command.
    pub command_bytes: usize,
    /// Of the answer.
    pub answer_bytes: usize,
}

/// The hand that cuts the wire; clones are the same hand.
#[derive(Debug, Clone, Default)]
pub struct WireControl(Arc<Mutex<Hand>>);

#[derive(Debug, Default)]
struct Hand {
    plan: Option<WirePlan>,
    exchanges: Vec<WireExchange>,
    begun: usize,
    cut: bool,
    away: bool,
}

impl WireControl {
    /// Cuts the wire as the plan says, counting exchanges from now. Without a plan
    /// nothing happens but counting.
    pub fn arm(&self, plan: Option<WirePlan>) {
        *self.hand() = Hand { plan, ..Hand::default() };
    }

    /// The exchanges that came to their end since it was armed.
    pub fn exchanges(&self) -> Vec<WireExchange> {
        self.hand().exchanges.clone()
    }

    /// Whether the wire was cut since it was armed.
    pub fn has_cut(&self) -> bool {
        self.hand().cut
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The link to a card that gets its bytes one by one. Once the wire is cut the card
/// is away until it is reset.
pub struct ByteLink<E> {
    card: CardSide<E>,
    activation: Activation,
    control: WireControl,
}

impl<E: Endpoint> ByteLink<E> {
    /// Switches the card on over `interface`; `control` cuts the wire.
    pub fn connect(
        mut endpoint: E,
        interface: Interface,
        control: WireControl,
        context: &mut Context,
    ) -> Self {
        let atr = endpoint.power_on(interface, context);
        let activation = Activation { interface, atr, place: endpoint.place(), real: false };
        let card = CardSide { endpoint, received: Vec::new(), answer: Vec::new() };
        Self { card, activation, control }
    }

    fn cut(&mut self, exchange: usize, context: &mut Context) -> LinkError {
        {
            let mut hand = self.control.hand();
            (hand.away, hand.cut, hand.plan) = (true, true, None);
        }
        self.card.power_off();
        let during = format!("in exchange {exchange}");
        context.emit(Event::new("link", "wire cut").because(during.clone()));
        LinkError::Removed { during }
    }
}

impl<E: Endpoint> Card for ByteLink<E> {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let (exchange, cut) = {
            let mut hand = self.control.hand();
            if hand.away {
                return Err(LinkError::Removed { during: "earlier and is not back".into() });
            }
            hand.begun += 1;
            let exchange = hand.begun - 1;
            (exchange, hand.plan.filter(|plan| plan.exchange == exchange).map(|plan| plan.cut))
        };
        let sent = frame(&command.to_bytes());
        for (done, byte) in sent.iter().enumerate() {
            if cut == Some(Cut::Command(done)) {
                return Err(self.cut(exchange, context));
            }
            self.card.take(*byte, context)?;
        }
        if cut == Some(Cut::Command(sent.len())) {
            return Err(self.cut(exchange, context));
        }
        let mut answer = Vec::new();
        // The card's end hands over what it has; a frame says itself how long it is.
        while let Some(byte) = self.card.give(answer.len()) {
            if !answer.is_empty() && cut == Some(Cut::Answer(answer.len())) {
                return Err(self.cut(exchange, context));
            }
            answer.push(byte);
        }
        context.elapse(CARD_WORK + BYTE * (sent.len() + answer.len()) as u32);
        self.control
            .hand()
            .exchanges
            .push(WireExchange { command_bytes: sent.len(), answer_bytes: answer.len() });
        let during = || format!("after {}", Hex(&command.header()));
        let Some(bytes) = unframe(&answer) else {
            return Err(LinkError::Removed { during: during() });
        };
        let response =
            ResponseApdu::parse(bytes).map_err(|source| LinkError::Garbled { during: during(), source })?;
        if cut == Some(Cut::Answer(answer.len())) {
            self.cut(exchange, context);
        }
        Ok(response)
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.control.hand().away = false;
        self.card.power_off();
        self.activation.atr = self.card.endpoint.power_on(self.activation.interface, context);
        Ok(())
    }
}

/// The card's end of the wire.
struct CardSide<E> {
    endpoint: E,
    /// What has come of a frame.
    received: Vec<u8>,
    /// The frame that goes back.
    answer: Vec<u8>,
}

impl<E: Endpoint> CardSide<E> {
    /// Takes a byte; the one that ends a sound frame makes the card act.
    fn take(&mut self, byte: u8, context: &mut Context) -> Result<(), LinkError> {
        if self.received.is_empty() {
            self.answer.clear();
        }
        self.received.push(byte);
        if self.received.len() == frame_length(&self.received) {
            let received = std::mem::take(&mut self.received);
            if let Some(command) = unframe(&received) {
                self.answer = frame(&self.endpoint.process(command, context)?);
            }
        }
        Ok(())
    }

    /// The byte of the answer at a place; none after the last one.
    fn give(&self, at: usize) -> Option<u8> {
        self.answer.get(at).copied()
    }

    fn power_off(&mut self) {
        self.received.clear();
        self.answer.clear();
        self.endpoint.power_off();
    }
}

fn frame(apdu: &[u8]) -> Vec<u8> {
    // No APDU is longer: an extended command has 65544 bytes at most, and those that
    // would not fit are refused by the far end as no frame.
    let length = u16::try_from(apdu.len()).unwrap_or(u16::MAX);
    let mut bytes = [&length.to_be_bytes(), apdu].concat();
    let checksum = crc(&bytes);
    bytes.extend(checksum.to_be_bytes());
    bytes
}

/// How long the frame is that begins so; what is too short to tell is never it.
fn frame_length(begun: &[u8]) -> usize {
    match begun {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])) + FRAME,
        _ => usize::MAX,
    }
}

fn unframe(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.split_last_chunk::<2>()?;
    let whole = bytes.len() == frame_length(bytes) && crc(body).to_be_bytes() == *checksum;
    if whole { body.get(2..) } else { None }
}

fn crc(bytes: &[u8]) -> u16 {
    let step = |crc: u16, byte: &u8| {
        (0..8)
            .fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 })
    };
    !bytes.iter().fold(0xFFFF, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    /// A card that counts the commands it acts on.
    #[derive(Default)]
    struct Counts(Arc<Mutex<usize>>);

    impl Endpoint for Counts {
        fn place(&self) -> String {
            "a card that counts".into()
        }

        fn power_on(&mut self, _: Interface, _: &mut Context) -> Vec<u8> {
            vec![0x3B, 0x00]
        }

        fn power_off(&mut self) {}

        fn process(&mut self, _: &[u8], _: &mut Context) -> Result<Vec<u8>, LinkError> {
            *self.0.lock().unwrap() += 1;
            Ok(vec![1, 2, 3, 0x90, 0x00])
        }
    }

    #[test]
    fn the_card_acts_on_whole_commands_alone() {
        let command = CommandApdu::new(0, 0xA4, 4, 0).data(vec![7; 5]).le(256);
        let mut context = Context::simulated(1, Discard);
        let (count, control) = (Arc::default(), WireControl::default());
        let card = Counts(Arc::clone(&count));
        let mut link = ByteLink::connect(card, Interface::Contact, control.clone(), &mut context);
        control.arm(None);
        assert_eq!(link.transmit(&command, &mut context).unwrap(), ResponseApdu::ok(vec![1, 2, 3]));
        let whole = control.exchanges()[0];
        assert_eq!(whole, WireExchange { command_bytes: 15, answer_bytes: 9 });
        let mut play = |cut| {
            *count.lock().unwrap() = 0;
            control.arm(Some(WirePlan { exchange: 0, cut }));
            let result = link.transmit(&command, &mut context);
            assert!(control.has_cut(), "{cut:?}");
            assert!(link.transmit(&command, &mut context).is_err(), "the card is away");
            link.reset(&mut context).unwrap();
            let acted = *count.lock().unwrap();
            assert!(link.transmit(&command, &mut context).is_ok(), "the card is back");
            (result.is_ok(), acted)
        };
        for bytes in 0..whole.command_bytes {
            assert_eq!(play(Cut::Command(bytes)), (false, 0), "{bytes}");
        }
        assert_eq!(play(Cut::Command(whole.command_bytes)), (false, 1));
        for bytes in 1..whole.answer_bytes {
            assert_eq!(play(Cut::Answer(bytes)), (false, 1), "{bytes}");
        }
        assert_eq!(play(Cut::Answer(whole.answer_bytes)), (true, 1));
    }

    #[test]
    fn a_changed_frame_is_not_acted_upon() {
        assert_eq!(crc(b"123456789"), 0x906E, "CRC-16 of ISO/IEC 13239, its check value");
        let mut context = Context::simulated(1, Discard);
        let sound = frame(&[0x00, 0xA4, 0x04, 0x00]);
        for place in 2..sound.len() {
            let count = Arc::default();
            let endpoint = Counts(Arc::clone(&count));
            let mut card = CardSide { endpoint, received: Vec::new(), answer: Vec::new() };
            let mut changed = sound.clone();
            changed[place] ^= 0x10;
            changed.into_iter().for_each(|byte| card.take(byte, &mut context).unwrap());
            assert_eq!(*count.lock().unwrap(), 0);
            assert_eq!(card.give(0), None, "and not answered");
            sound.iter().for_each(|byte| card.take(*byte, &mut context).unwrap());
            assert_eq!(*count.lock().unwrap(), 1, "the next one is");
        }
    }
}
