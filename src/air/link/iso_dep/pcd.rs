//! The reader's side of ISO-DEP: the block rules of ISO/IEC 14443-4, 7.5.3 and 7.5.5. It asks
//! again where no answer came, or none that is a block.

use crate::air::link::parts::{join, parts};
use crate::air::link::patience::{Extensions, GRACE, PARTING};
use crate::air::link::{Air, Heard, LinkError, Modulation, RfFrame};
use crate::base::context::Context;
use crate::words::iso14443::{Ats, Block, SensbRes, frame_size, frame_waiting_time};
use std::time::Duration;

/// PCB and CRC, which go off a frame's length.
const OVERHEAD: usize = 3;
/// The longest response: 65,536 bytes and the status.
pub(in crate::air::link) const LONGEST_RESPONSE: usize = 65_538;
/// How often in a row a block is asked for again before the card counts as gone.
const RETRIES: u8 = 2;
const DURING: &str = "during an exchange with the card";

/// A reader's conversation with an active card.
#[derive(Debug)]
pub struct Pcd {
    modulation: Modulation,
    number: u8,
    /// The most bytes of data in a block.
    most: usize,
    /// FWT.
    waiting: Duration,
}

impl Pcd {
    /// FSDI that RATS and ATTRIB tell the card: frames of 256 bytes.
    pub const FSDI: u8 = 8;

    /// With a card of type A that has sent this ATS.
    pub fn with_a(ats: &Ats) -> Self {
        Self::new(Modulation::A106, ats.frame_size(), ats.waiting_time())
    }

    /// With a card of type B that was selected.
    pub fn with_b(card: SensbRes) -> Self {
        Self::new(Modulation::B106, frame_size(card.fsci()), frame_waiting_time(card.fwi()))
    }

    fn new(modulation: Modulation, card_takes: usize, waiting: Duration) -> Self {
        Self { modulation, number: 0, most: card_takes - OVERHEAD, waiting: waiting + GRACE }
    }

    /// Sends a command and gives the card's response.
    ///
    /// # Errors
    /// [`LinkError::Timeout`] where the card is gone, [`LinkError::Protocol`] where it says what
    /// is no ISO-DEP, again and again.
    pub fn exchange(
        &mut self,
        air: &mut dyn Air,
        command: &[u8],
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        let mut first = None;
        for (part, more) in parts(command, self.most) {
            let block = Block::information(self.number, more, part);
            match self.ask(air, block, context)? {
                Block::Acknowledge { .. } if more => {}
                Block::Information { more: goes_on, data, .. } if !more => first = Some((data, goes_on)),
                other => {
                    let expected = if more { "R(ACK)" } else { "an I-block" };
                    return Err(protocol(expected, &other));
                }
            }
            self.number ^= 1;
        }
        let (mut answer, mut goes_on) = first.unwrap_or_default();
        while goes_on {
            match self.ask(air, Block::ack(self.number), context)? {
                Block::Information { more, data, .. } => {
                    join(&mut answer, &data, LONGEST_RESPONSE, DURING)?;
                    goes_on = more;
                }
                other => return Err(protocol("an I-block", &other)),
            }
            self.number ^= 1;
        }
        Ok(answer)
    }

    /// Whether the card still answers: R(NAK) with the number that is not due has R(ACK) as its
    /// answer (7.5.4, rule 12).
    pub fn is_there(&mut self, air: &mut dyn Air, context: &mut Context) -> Result<bool, LinkError> {
        air.send(&self.frame(&Block::nak(self.number)), context)?;
        Ok(matches!(air.receive(self.waiting, context)?, Some(Heard::Frame(_))))
    }

    /// Lets the card sleep; whether it has answered does not matter.
    pub fn deselect(&mut self, air: &mut dyn Air, context: &mut Context) -> Result<(), LinkError> {
        air.send(&self.frame(&Block::Deselect { cid: None }), context)?;
        air.receive(self.waiting.min(PARTING), context)?;
        Ok(())
    }

    /// Sends a block until an answer to it comes.
    fn ask(&mut self, air: &mut dyn Air, block: Block, context: &mut Context) -> Result<Block, LinkError> {
        // Where it is an acknowledgement itself, it is what is said again (rules 4 and 5).
        let again = match &block {
            Block::Acknowledge { .. } => block.clone(),
            _ => Block::nak(self.number),
        };
        let (mut next, mut wait) = (block.clone(), self.waiting);
        let (mut tries, mut extensions) = (0, Extensions::default());
        loop {
            air.send(&self.frame(&next), context)?;
            let heard = match air.receive(wait, context)? {
                Some(Heard::FieldOff) => return Err(self.silent(air)),
                Some(Heard::Frame(frame)) => Some(Block::parse(&frame.bytes)),
                None => None,
            };
            wait = self.waiting;
            match heard {
                Some(Ok(Block::WaitingTimeExtension { multiplier, .. })) => {
                    let multiplier = extensions.grant(multiplier).ok_or_else(|| self.silent(air))?;
                    wait = self.waiting * u32::from(multiplier);
                    next = Block::WaitingTimeExtension { cid: None, multiplier };
                    tries = 0;
                    continue;
                }
                Some(Ok(answer @ Block::Information { .. })) if number(&answer) == self.number => {
                    return Ok(answer);
                }
                Some(Ok(answer @ Block::Acknowledge { is_positive: true, .. })) => {
                    if number(&answer) == self.number {
                        return Ok(answer);
                    }
                    // 6: the card has not heard the block.
                    next = block.clone();
                }
                Some(Ok(other)) if tries == RETRIES => return Err(protocol("a block in turn", &other)),
                Some(Err(error)) if tries == RETRIES => {
                    return Err(LinkError::protocol(DURING, "a block of ISO/IEC 14443-4", error.to_string()));
                }
                Some(_) | None => next = again.clone(),
            }
            if tries == RETRIES {
                return Err(self.silent(air));
            }
            tries += 1;
        }
    }

    fn silent(&self, air: &dyn Air) -> LinkError {
        LinkError::timeout(format!("of the card at {}", air.place()), self.waiting)
    }

    fn frame(&self, block: &Block) -> RfFrame {
        RfFrame { modulation: self.modulation, bytes: block.to_bytes() }
    }
}

fn number(block: &Block) -> u8 {
    match block {
        Block::Information { number, .. } | Block::Acknowledge { number, .. } => *number,
        _ => 0,
    }
}

fn protocol(expected: &str, found: &Block) -> LinkError {
    LinkError::protocol(DURING, expected, format!("{found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::iso_dep::{
        CardKind, Picc, PiccIdentity, PiccStep, poll_a, poll_b, select_b, send_rats,
    };
    use crate::base::event::Discard;
    use crate::words::iso14443::{Attrib, Rats, SENS_REQ, SensbReq, Uid};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A card that answers with its command, twice, on an air that loses or garbles frames.
    struct Echo {
        card: Picc,
        heard: Option<Heard>,
        frames: usize,
        lost: BTreeSet<usize>,
        garbled: BTreeSet<usize>,
        asks_for_time: bool,
        commands: Vec<Vec<u8>>,
        pending: Option<Vec<u8>>,
    }

    impl Echo {
        fn new(kind: CardKind) -> Self {
            let card = Picc::new(&PiccIdentity { kind, historical: vec![0x80] });
            let (heard, commands, pending) = (None, Vec::new(), None);
            let (lost, garbled) = (BTreeSet::new(), BTreeSet::new());
            Self { card, heard, frames: 0, lost, garbled, asks_for_time: false, commands, pending }
        }

        /// Whether the frame arrives, whole or not.
        fn carry(&mut self, frame: &RfFrame) -> Option<RfFrame> {
            self.frames += 1;
            let mut frame = frame.clone();
            if self.garbled.contains(&self.frames) {
                // A check sum would be wrong: nobody takes it for a block.
                frame.bytes = vec![0x00];
            }
            (!self.lost.contains(&self.frames)).then_some(frame)
        }
    }

    impl Air for Echo {
        fn place(&self) -> &str {
            "a test"
        }

        fn send(&mut self, frame: &RfFrame, _: &mut Context) -> Result<(), LinkError> {
            self.heard = None;
            let Some(frame) = self.carry(frame) else { return Ok(()) };
            let step = self.card.hear(&Heard::Frame(frame));
            let answer = match step {
                PiccStep::Command(command) => {
                    self.commands.push(command.clone());
                    if self.asks_for_time {
                        self.pending = Some(command);
                        self.card.ask_for_time(1)
                    } else {
                        self.card.answer(&[command.clone(), command].concat())
                    }
                }
                PiccStep::Silence => {
                    let command = self.pending.take();
                    command.and_then(|command| self.card.answer(&[command.clone(), command].concat()))
                }
                PiccStep::Answer(frame) | PiccStep::Active(frame) | PiccStep::Deselected(frame) => {
                    Some(frame)
                }
                PiccStep::Lost(frame) => frame,
            };
            self.heard = answer.and_then(|frame| self.carry(&frame)).map(Heard::Frame);
            Ok(())
        }

        fn receive(&mut self, _: Duration, _: &mut Context) -> Result<Option<Heard>, LinkError> {
            Ok(self.heard.take())
        }

        fn field_off(&mut self, _: &mut Context) -> Result<(), LinkError> {
            self.card.hear(&Heard::FieldOff);
            Ok(())
        }
    }

    fn type_a(length: u8) -> CardKind {
        CardKind::A(Uid::new((1..=length).collect::<Vec<_>>()).unwrap())
    }

    /// Activates as type A, with frames of this size to the reader.
    fn open_a(air: &mut Echo, fsdi: u8, context: &mut Context) -> Pcd {
        poll_a(air, SENS_REQ, ANSWER, context).unwrap().unwrap();
        let ats = send_rats(air, Rats { fsdi, cid: 0 }, context).unwrap().unwrap();
        air.frames = 0;
        Pcd::with_a(&Ats::parse(&ats).unwrap())
    }

    const ANSWER: Duration = Duration::from_millis(1);

    #[test]
    fn cards_of_every_identifier_and_type_are_found() {
        let mut context = Context::simulated(1, Discard);
        for length in [4, 7, 10] {
            let mut air = Echo::new(type_a(length));
            let card = poll_a(&mut air, SENS_REQ, ANSWER, &mut context).unwrap().unwrap();
            assert_eq!(card.uid, (1..=length).collect::<Vec<_>>());
        }
        let mut air = Echo::new(CardKind::B([1, 2, 3, 4]));
        assert_eq!(poll_a(&mut air, SENS_REQ, ANSWER, &mut context).unwrap(), None);
        let request = SensbReq { family: 0, parameter: 0 };
        let card = poll_b(&mut air, request, ANSWER, &mut context).unwrap().unwrap();
        let attrib = Attrib { id: card.id, fsdi: 8, cid: 0 };
        assert_eq!(select_b(&mut air, &attrib, &mut context).unwrap(), Some(vec![0]));
        let mut reader = Pcd::with_b(card);
        assert_eq!(reader.exchange(&mut air, &[7; 300], &mut context).unwrap(), [7; 600]);
        reader.deselect(&mut air, &mut context).unwrap();
        assert_eq!(poll_b(&mut air, request, ANSWER, &mut context).unwrap(), None, "it sleeps");
    }

    #[test]
    fn a_card_that_needs_time_gets_it() {
        let mut context = Context::simulated(1, Discard);
        let mut air = Echo::new(type_a(4));
        air.asks_for_time = true;
        let mut reader = open_a(&mut air, 8, &mut context);
        assert_eq!(reader.exchange(&mut air, &[1, 2], &mut context).unwrap(), [1, 2, 1, 2]);
    }

    #[test]
    fn a_card_that_is_gone_is_an_error_and_one_that_is_there_says_so() {
        let mut context = Context::simulated(1, Discard);
        let mut air = Echo::new(type_a(4));
        let mut reader = open_a(&mut air, 8, &mut context);
        assert!(reader.is_there(&mut air, &mut context).unwrap());
        assert_eq!(reader.exchange(&mut air, &[1], &mut context).unwrap(), [1, 1]);
        air.field_off(&mut context).unwrap();
        assert!(!reader.is_there(&mut air, &mut context).unwrap());
        let error = reader.exchange(&mut air, &[1], &mut context).unwrap_err();
        assert!(error.to_string().contains("the card at a test"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Two losses apart from one another are made good, and no command is heard twice.
        #[test]
        fn what_is_lost_or_garbled_is_asked_for_again(
            length in 1usize..600, fsdi in 0u8..9, first in 1usize..30, apart in 6usize..20,
            is_lost in any::<bool>(),
        ) {
            let mut context = Context::simulated(1, Discard);
            let mut air = Echo::new(type_a(4));
            let mut reader = open_a(&mut air, fsdi, &mut context);
            let hurt = if is_lost { &mut air.lost } else { &mut air.garbled };
            hurt.extend([first, first + apart]);
            let command: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let answer = reader.exchange(&mut air, &command, &mut context).unwrap();
            prop_assert_eq!(answer, [command.clone(), command.clone()].concat());
            prop_assert_eq!(&air.commands, std::slice::from_ref(&command));
            prop_assert_eq!(reader.exchange(&mut air, &[9], &mut context).unwrap(), [9, 9]);
        }

        /// Whatever a card is told, it does not panic, and a new activation works.
        #[test]
        fn a_card_takes_any_frames(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..20)) {
            let mut context = Context::simulated(1, Discard);
            let mut air = Echo::new(type_a(4));
            let _ = open_a(&mut air, 8, &mut context);
            for bytes in frames {
                air.send(&RfFrame { modulation: Modulation::A106, bytes }, &mut context).unwrap();
            }
            air.field_off(&mut context).unwrap();
            let mut reader = open_a(&mut air, 8, &mut context);
            prop_assert_eq!(reader.exchange(&mut air, &[9], &mut context).unwrap(), [9, 9]);
        }
    }
}
