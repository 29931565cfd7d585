//! Any bytes on a line to a PN532 are frames or noise, and any frame a command or none: what
//! was read is written and read again the same; the simulated chip answers in whole frames,
//! whatever its host says, and the driver ends, whatever the chip says.

use super::pieces;
use cardwright::air::link::iso_dep::{CardKind, Picc, PiccIdentity, PiccStep};
use cardwright::air::link::pn532::chip::{CardAntenna, Chip};
use cardwright::air::link::pn532::command::COMMANDS;
use cardwright::air::link::pn532::{Deframer, Found, Frame, Line, Pn532, Pn532Reader};
use cardwright::air::link::{Air, Heard, LinkError, Reader, RfFrame};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::words::iso7816::CommandApdu;
use cardwright::words::iso14443::Uid;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One try.
pub fn run(data: &[u8]) {
    frames(data);
    chip(data);
    driver(data);
}

fn frames(data: &[u8]) {
    let mut deframer = Deframer::default();
    for piece in data.chunks(7) {
        deframer.push(piece);
        while let Some(found) = deframer.next_frame() {
            let Found::Frame(frame) = found else { continue };
            assert_eq!(all(&frame.to_bytes()), [Found::Frame(frame.clone())]);
            let (Frame::Command(inner) | Frame::Answer(inner)) = frame else { continue };
            let Some((code, rest)) = inner.split_first() else { continue };
            for row in COMMANDS.iter().filter(|row| row.code == code & !1) {
                for again in [row.again, row.answer_again] {
                    let Ok(written) = again(rest) else { continue };
                    assert_eq!(again(&written), Ok(written), "{}", row.name);
                }
            }
        }
    }
    while deframer.quiet() {
        while deframer.next_frame().is_some() {}
    }
}

fn all(bytes: &[u8]) -> Vec<Found> {
    let mut deframer = Deframer::default();
    deframer.push(bytes);
    std::iter::from_fn(|| deframer.next_frame()).collect()
}

fn chip(data: &[u8]) {
    let (said, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let host = Host {
        pieces: data.chunks(64).map(<[u8]>::to_vec).collect(),
        said: Arc::clone(&said),
        is_over: Arc::clone(&is_over),
    };
    let kind = CardKind::A(Uid::new([8, 1, 2, 3]).expect("four bytes"));
    let card = Echo { picc: Picc::new(&PiccIdentity { kind, historical: vec![0x80] }), heard: None };
    let mut chip = Chip::new(host, CardAntenna::new(card));
    let mut context = Context::simulated(1, Discard);
    chip.run(&mut context, &|| !is_over.load(Ordering::Relaxed)).expect("the line holds");
    let said = said.lock().expect("one thread");
    let found = all(&said);
    let whole = found.iter().map(|found| match found {
        Found::Frame(frame) => frame.to_bytes().len(),
        Found::Broken => 0,
    });
    assert_eq!(whole.sum::<usize>(), said.len(), "it says nothing but whole frames");
}

fn driver(data: &[u8]) {
    let answer = |bytes: &[u8]| [Frame::Ack.to_bytes(), Frame::Answer(bytes.to_vec()).to_bytes()].concat();
    // The wake-up, SAMConfiguration, GetFirmwareVersion, SetParameters and RFConfiguration.
    let mut answers: VecDeque<Vec<u8>> =
        [Vec::new(), answer(&[0x15]), answer(&[0x03, 0x32, 1, 6, 7]), answer(&[0x13]), answer(&[0x33])]
            .into();
    // Mostly acknowledged, so that it is the answer that is tried.
    answers.extend(pieces::of(data).map(|piece| match piece.len() % 8 {
        0 => piece.to_vec(),
        _ => [&Frame::Ack.to_bytes(), piece].concat(),
    }));
    let line = Answers { answers, now: Vec::new() };
    let Ok(mut reader) = Pn532::wake(line, "a fuzzer").and_then(Pn532Reader::with) else { return };
    let mut context = Context::simulated(1, Discard);
    for _ in 0..2 {
        let Ok(mut card) = reader.connect(&mut context) else { continue };
        let select = CommandApdu::parse(&[0x00, 0xA4, 0x04, 0x00, 0x00]).expect("a command");
        let _ = card.transmit(&select, &mut context);
        let _ = card.reset(&mut context);
    }
}

/// A host that says these pieces, and then ends whatever the chip does.
struct Host {
    pieces: VecDeque<Vec<u8>>,
    said: Arc<Mutex<Vec<u8>>>,
    is_over: Arc<AtomicBool>,
}

impl Line for Host {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let piece = self.pieces.pop_front().unwrap_or_else(|| {
            self.is_over.store(true, Ordering::Relaxed);
            Frame::Ack.to_bytes()
        });
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.said.lock().expect("one thread").extend(bytes);
        Ok(())
    }
}

/// A chip that answers each thing it is told with the next of these.
struct Answers {
    answers: VecDeque<Vec<u8>>,
    now: Vec<u8>,
}

impl Line for Answers {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let count = self.now.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.now[..count]);
        self.now.drain(..count);
        Ok(count)
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        self.now.extend(self.answers.pop_front().unwrap_or_default());
        Ok(())
    }
}

/// A card that says its commands again.
struct Echo {
    picc: Picc,
    heard: Option<Heard>,
}

impl Air for Echo {
    fn place(&self) -> &str {
        "a fuzzer"
    }

    fn send(&mut self, frame: &RfFrame, _: &mut Context) -> Result<(), LinkError> {
        let answer = match self.picc.hear(&Heard::Frame(frame.clone())) {
            PiccStep::Silence => None,
            PiccStep::Answer(frame) | PiccStep::Active(frame) | PiccStep::Deselected(frame) => Some(frame),
            PiccStep::Lost(frame) => frame,
            PiccStep::Command(command) => self.picc.answer(&command),
        };
        self.heard = answer.map(Heard::Frame);
        Ok(())
    }

    fn receive(&mut self, _: Duration, _: &mut Context) -> Result<Option<Heard>, LinkError> {
        Ok(self.heard.take())
    }

    fn field_off(&mut self, _: &mut Context) -> Result<(), LinkError> {
        self.picc.hear(&Heard::FieldOff);
        Ok(())
    }
}
