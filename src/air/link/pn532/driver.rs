//! A PN532 as its host has it: commands are sent, acknowledged and answered within a time. A
//! command that was not acknowledged is not said again, as the card may have acted.

use super::command::{
    ChipCommand, FirmwareVersion, GetFirmwareVersion, SamConfiguration, Status, TgSetData, TgSetMetaData,
    Wire,
};
use super::{Deframer, Found, Frame, Line};
use crate::air::link::LinkError;
use crate::air::link::parts::parts;
use crate::base::bytes::Truncated;
use std::io;
use std::time::Duration;

/// Wakes a chip that sleeps (PN532 user manual, 7.2.11); noise to one that does not.
const WAKE_UP: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// How often a chip is woken before there is none.
const ATTEMPTS: u32 = 3;
/// How long an acknowledgement may take; the manual says 15 ms, a busy machine more.
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(250);
/// How long an answer may take that wants no radio.
pub(super) const AT_ONCE: Duration = Duration::from_millis(500);
/// How long the chip may take to hand over a part of an answer: the other device has to take it.
pub(super) const HAND_OVER: Duration = Duration::from_secs(3);
/// How often a broken answer is asked for again.
const RETRIES: u32 = 3;
/// How long one look at the line takes.
const LOOK: Duration = Duration::from_millis(20);
/// How many pieces of what is left of something older are read over.
const STALE: u32 = 64;
/// What a look counts for that has seen something: noise does not keep anybody for ever.
const GLIMPSE: Duration = Duration::from_millis(2);

/// A PN532 on a line.
pub struct Pn532 {
    line: Box<dyn Line>,
    deframer: Deframer,
    place: String,
}

/// What was waited for, and came.
enum Heard {
    Frame(Frame),
    Broken,
    Nothing,
}

impl Pn532 {
    /// Wakes the chip on a line; `place` is the line's name, for people.
    ///
    /// # Errors
    /// [`LinkError::Unavailable`] where no PN532 answers.
    pub fn wake(line: impl Line + 'static, place: &str) -> Result<Self, LinkError> {
        let mut chip =
            Self { line: Box::new(line), deframer: Deframer::default(), place: format!("pn532:{place}") };
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match chip.begin() {
                Ok(version) if version.chip == FirmwareVersion::PN532 => return Ok(chip),
                Ok(version) => return Err(chip.absent(&format!("chip {:02X}", version.chip))),
                Err(error @ LinkError::Io { .. }) => return Err(error),
                Err(error) => last = Some(error),
            }
        }
        Err(chip.absent(&last.map_or("nothing".into(), |error| error.to_string())))
    }

    /// Where it is, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The most data of one exchange, bytes.
    pub(super) fn most(&self) -> usize {
        self.line.most()
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// [`LinkError::Timeout`] where none comes in time: the chip has been told to give up, and
    /// the next command works. [`LinkError::Protocol`] where it comes broken, again and again,
    /// or the chip does not know the command. [`LinkError::Io`] where the line is gone.
    pub fn call<C: ChipCommand>(&mut self, command: &C, timeout: Duration) -> Result<C::Answer, LinkError> {
        self.start(command)?;
        match self.finish::<C>(timeout)? {
            Some(answer) => Ok(answer),
            None => {
                self.abort()?;
                Err(timed_out(C::NAME, timeout, "the chip"))
            }
        }
    }

    /// Sends a command whose answer may come much later.
    pub(super) fn start<C: ChipCommand>(&mut self, command: &C) -> Result<(), LinkError> {
        // What is left of something older is no answer to this.
        for _ in 0..STALE {
            if self.look(Duration::ZERO)? == 0 {
                break;
            }
        }
        self.deframer.clear();
        let frame = Frame::Command([&[C::CODE], command.to_bytes().as_slice()].concat());
        self.write(&frame.to_bytes())?;
        match self.hear(ACKNOWLEDGEMENT)? {
            Heard::Frame(Frame::Ack) => Ok(()),
            _ => {
                self.abort()?;
                Err(timed_out(C::NAME, ACKNOWLEDGEMENT, "the chip's acknowledgement"))
            }
        }
    }

    /// The answer to the command that was started; `None` where it has not come yet.
    pub(super) fn finish<C: ChipCommand>(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<C::Answer>, LinkError> {
        for _ in 0..=RETRIES {
            match self.hear(timeout)? {
                Heard::Nothing => return Ok(None),
                Heard::Broken => self.write(&Frame::Nack.to_bytes())?,
                Heard::Frame(Frame::Answer(answer)) if answer.first() == Some(&(C::CODE + 1)) => {
                    let parsed = C::Answer::parse(&answer[1..]);
                    return parsed.map(Some).map_err(|error| cut_short(C::NAME, &error));
                }
                Heard::Frame(Frame::Error) => {
                    return Err(protocol(C::NAME, "an answer", "a syntax error of the chip".into()));
                }
                // An answer to something older, or an acknowledgement once more.
                Heard::Frame(_) => {}
            }
        }
        self.abort()?;
        Err(protocol(C::NAME, "an answer whose check sum is right", "broken frames, again and again".into()))
    }

    /// Gives a chip that is a target its answer to the other device, in parts of at most `most` bytes.
    /// The status of the first part that is not taken, else of the last.
    pub(super) fn hand_over(&mut self, answer: &[u8], most: usize) -> Result<Status, LinkError> {
        let mut status = Status::OK;
        for (part, more) in parts(answer, most) {
            let data = part.to_vec();
            status = match more {
                true => self.call(&TgSetMetaData { data }, HAND_OVER)?,
                false => self.call(&TgSetData { data }, HAND_OVER)?,
            };
            if !status.is_ok() {
                break;
            }
        }
        Ok(status)
    }

    /// Ends what the chip is doing.
    pub(super) fn abort(&mut self) -> Result<(), LinkError> {
        self.write(&Frame::Ack.to_bytes())
    }

    fn begin(&mut self) -> Result<FirmwareVersion, LinkError> {
        if self.line.sleeps() {
            self.write(&WAKE_UP)?;
            let sam = SamConfiguration { mode: SamConfiguration::NORMAL, more: vec![0x00, 0x01] };
            self.call(&sam, AT_ONCE)?;
        }
        self.call(&GetFirmwareVersion, AT_ONCE)
    }

    /// The next frame within a time.
    fn hear(&mut self, timeout: Duration) -> Result<Heard, LinkError> {
        let (mut left, mut last) = (timeout, STALE);
        while last > 0 {
            match self.deframer.next_frame() {
                Some(Found::Frame(frame)) => return Ok(Heard::Frame(frame)),
                Some(Found::Broken) => return Ok(Heard::Broken),
                None => {}
            }
            last -= u32::from(left.is_zero());
            match self.look(left.min(LOOK))? {
                // Half a frame that stays half is looked behind of.
                0 if left.is_zero() && !self.deframer.quiet() => break,
                0 => left = left.saturating_sub(LOOK),
                _ => left = left.saturating_sub(GLIMPSE),
            }
        }
        Ok(Heard::Nothing)
    }

    fn look(&mut self, timeout: Duration) -> Result<usize, LinkError> {
        let mut buffer = [0; 512];
        let count =
            self.line.read(&mut buffer, timeout).map_err(|error| self.gone("reading from", &error))?;
        self.deframer.push(&buffer[..count]);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.line.write(bytes).map_err(|error| self.gone("writing to", &error))
    }

    fn gone(&self, doing: &str, cause: &io::Error) -> LinkError {
        let cause = format!("{cause}: was the cable pulled, or the board switched off?");
        LinkError::Io { doing: format!("{doing} {}", self.place), cause }
    }

    fn absent(&self, found: &str) -> LinkError {
        LinkError::Unavailable {
            missing: format!("no PN532 answers at {} ({found})", self.place),
            remedy:
                "check that its switches say HSU (both off on most boards), that TXD goes to RXD, and that \
                     no other program has the port"
                    .into(),
        }
    }
}

fn timed_out(command: &str, timeout: Duration, whose: &str) -> LinkError {
    LinkError::timeout(format!("of {whose} to {command}"), timeout)
}

fn cut_short(command: &str, error: &Truncated) -> LinkError {
    protocol(command, "a whole answer", error.to_string())
}

fn protocol(command: &str, expected: &str, found: String) -> LinkError {
    LinkError::protocol(format!("in {command}"), expected, found)
}

/// What a bad line does: each fault is a clear error within the time, or is made good, and the
/// next command works. The chip at the other end is the simulated one.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::iso_dep::{CardKind, Picc, PiccIdentity, PiccStep};
    use crate::air::link::pn532::chip::{CardAntenna, Chip};
    use crate::air::link::pn532::command::{InDataExchange, InListPassiveTarget, PowerDown};
    use crate::air::link::pn532::line::tests::{Pipe, pipes};
    use crate::air::link::{Air, Heard as OnAir, RfFrame};
    use crate::base::context::Context;
    use crate::base::event::Discard;
    use crate::words::iso14443::Uid;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::thread::{self, JoinHandle};
    use std::time::Instant;

    const SOON: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(5);

    #[derive(Debug, Clone, Copy)]
    enum Damage {
        /// A byte comes wrong.
        Flip,
        /// A byte is lost.
        Lose,
        /// Noise comes before a byte: what could begin a frame, too.
        Noise,
        /// Nothing comes from here on, until the plan is over.
        Cut,
    }

    #[derive(Debug, Clone, Copy)]
    struct Plan {
        /// Of what the chip says, else of what it is told.
        of_chip: bool,
        at: usize,
        damage: Damage,
    }

    /// A host's end of a line that does damage to bytes.
    struct Bad {
        line: Pipe,
        plan: Arc<Mutex<Option<Plan>>>,
        said: usize,
        heard: usize,
    }

    impl Bad {
        fn carry(&mut self, bytes: &[u8], of_chip: bool) -> Vec<u8> {
            let plan = self.plan.lock().unwrap().filter(|plan| plan.of_chip == of_chip);
            let seen = if of_chip { &mut self.heard } else { &mut self.said };
            let Some(plan) = plan else {
                *seen = 0;
                return bytes.to_vec();
            };
            let mut out = Vec::new();
            for byte in bytes {
                match (plan.damage, *seen == plan.at) {
                    (Damage::Flip, true) => out.push(byte ^ 0x11),
                    (Damage::Lose, true) => {}
                    (Damage::Noise, true) => out.extend([0x72, 0x00, 0xFF, 0x55, 0x00, 0x00, 0xFF, *byte]),
                    (Damage::Cut, _) if *seen >= plan.at => {}
                    _ => out.push(*byte),
                }
                *seen += 1;
            }
            out
        }
    }

    impl Line for Bad {
        fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
            let count = self.line.read(&mut buffer[..64], timeout)?;
            let bytes = self.carry(&buffer[..count], true);
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let bytes = self.carry(bytes, false);
            self.line.write(&bytes)
        }
    }

    /// A card that counts its commands and says them again.
    struct Echo {
        picc: Picc,
        heard: Option<OnAir>,
        commands: Arc<AtomicUsize>,
    }

    impl Air for Echo {
        fn place(&self) -> &str {
            "a test"
        }

        fn send(&mut self, frame: &RfFrame, _: &mut Context) -> Result<(), LinkError> {
            let answer = match self.picc.hear(&OnAir::Frame(frame.clone())) {
                PiccStep::Silence => None,
                PiccStep::Answer(frame) | PiccStep::Active(frame) | PiccStep::Deselected(frame) => {
                    Some(frame)
                }
                PiccStep::Lost(frame) => frame,
                PiccStep::Command(command) => {
                    self.commands.fetch_add(1, Ordering::Relaxed);
                    self.picc.answer(&command)
                }
            };
            self.heard = answer.map(OnAir::Frame);
            Ok(())
        }

        fn receive(&mut self, _: Duration, _: &mut Context) -> Result<Option<OnAir>, LinkError> {
            Ok(self.heard.take())
        }

        fn field_off(&mut self, _: &mut Context) -> Result<(), LinkError> {
            self.picc.hear(&OnAir::FieldOff);
            Ok(())
        }
    }

    /// A simulated chip on a thread, and the driver of it over a bad line.
    struct Bench {
        chip: Pn532,
        plan: Arc<Mutex<Option<Plan>>>,
        commands: Arc<AtomicUsize>,
        runs: Arc<AtomicBool>,
        running: Option<JoinHandle<()>>,
    }

    impl Bench {
        fn new() -> Self {
            let (host, line) = pipes();
            let (commands, runs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
            let kind = CardKind::A(Uid::new([8, 1, 2, 3]).unwrap());
            let picc = Picc::new(&PiccIdentity { kind, historical: vec![0x80] });
            let card = Echo { picc, heard: None, commands: Arc::clone(&commands) };
            let going = Arc::clone(&runs);
            let running = thread::spawn(move || {
                let mut context = Context::simulated(1, Discard);
                // It ends with the line, or when it is told to.
                let _ = Chip::new(line, CardAntenna::new(card))
                    .run(&mut context, &|| going.load(Ordering::Relaxed));
            });
            let plan = Arc::new(Mutex::new(None));
            let bad = Bad { line: host, plan: Arc::clone(&plan), said: 0, heard: 0 };
            let chip = Pn532::wake(bad, "test").unwrap();
            Self { chip, plan, commands, runs, running: Some(running) }
        }

        fn damage(&self, plan: Option<Plan>) {
            *self.plan.lock().unwrap() = plan;
        }

        /// The next command works.
        fn works(&mut self) {
            let version = self.chip.call(&GetFirmwareVersion, LONG).unwrap();
            assert_eq!(version.chip, FirmwareVersion::PN532);
        }

        fn find_card(&mut self) {
            let list = InListPassiveTarget { most: 1, kind: InListPassiveTarget::A, data: Vec::new() };
            assert_eq!(self.chip.call(&list, LONG).unwrap().count, 1);
        }
    }

    /// Every byte of a short exchange, each way, damaged in each way.
    #[test]
    fn whatever_a_line_does_the_next_command_works() {
        // An acknowledgement and an answer of 13 bytes; a command of 9.
        for (of_chip, bytes) in [(true, 19), (false, 9)] {
            for damage in [Damage::Flip, Damage::Lose, Damage::Noise, Damage::Cut] {
                let mut bench = Bench::new();
                for at in 0..bytes {
                    bench.damage(Some(Plan { of_chip, at, damage }));
                    let begin = Instant::now();
                    let answer = bench.chip.call(&GetFirmwareVersion, SOON);
                    let took = begin.elapsed();
                    bench.damage(None);
                    assert!(took < Duration::from_secs(3), "{damage:?} at {at}: {took:?}");
                    match answer {
                        Ok(version) => assert_eq!(version.support, 7, "{damage:?} at {at}"),
                        Err(error) => {
                            let told = error.to_string();
                            assert!(told.contains("GetFirmwareVersion"), "{damage:?} at {at}: {told}");
                        }
                    }
                    bench.works();
                }
            }
        }
    }

    /// An answer whose check sum is wrong is asked for again, not made again.
    #[test]
    fn a_card_acts_once_when_its_answer_comes_broken() {
        let mut bench = Bench::new();
        bench.find_card();
        // The first data byte, behind the acknowledgement and D5 41 00.
        bench.damage(Some(Plan { of_chip: true, at: 6 + 8, damage: Damage::Flip }));
        let data = vec![0x00, 0xA4, 0x04, 0x00];
        let answer = bench.chip.call(&InDataExchange { target: 1, data: data.clone() }, LONG).unwrap();
        assert_eq!((answer.data, bench.commands.load(Ordering::Relaxed)), (data, 1));
    }

    /// Where the acknowledgement is lost, the command may have been obeyed: it is not sent again.
    #[test]
    fn a_card_acts_once_when_an_acknowledgement_is_lost() {
        let mut bench = Bench::new();
        bench.find_card();
        bench.damage(Some(Plan { of_chip: true, at: 0, damage: Damage::Cut }));
        let data = vec![0x00, 0xA4, 0x04, 0x00];
        let error = bench.chip.call(&InDataExchange { target: 1, data }, LONG).unwrap_err();
        bench.damage(None);
        assert!(matches!(error, LinkError::Timeout { .. }), "{error}");
        bench.works();
        assert!(bench.commands.load(Ordering::Relaxed) <= 1);
    }

    #[test]
    fn a_cable_that_is_pulled_is_told_at_once() {
        let mut bench = Bench::new();
        bench.runs.store(false, Ordering::Relaxed);
        bench.running.take().unwrap().join().unwrap();
        let begin = Instant::now();
        let error = bench.chip.call(&GetFirmwareVersion, LONG).unwrap_err();
        assert!(begin.elapsed() < Duration::from_secs(2));
        assert!(error.to_string().contains("was the cable pulled"), "{error}");
    }

    /// A chip that has reset itself has forgotten its card, and says so.
    #[test]
    fn a_chip_that_resets_says_that_it_holds_no_card() {
        let mut bench = Bench::new();
        bench.find_card();
        // PowerDown forgets as a reset does.
        bench.chip.call(&PowerDown { wake: 0x20, more: Vec::new() }, LONG).unwrap();
        let exchange = InDataExchange { target: 1, data: vec![0] };
        let answer = bench.chip.call(&exchange, LONG).unwrap();
        assert_eq!(answer.status.to_string(), "27 (not now)");
        bench.find_card();
        assert!(bench.chip.call(&exchange, LONG).unwrap().status.is_ok());
    }

    #[test]
    fn where_there_is_no_chip_the_error_says_what_to_check() {
        let (host, mut other) = pipes();
        let answering = thread::spawn(move || {
            // Something else, that answers whatever it is told.
            for _ in 0..3 {
                let mut buffer = [0; 64];
                let _ = other.read(&mut buffer, Duration::from_secs(1));
                let _ = other.write(b"AT ERROR\r\n");
                thread::sleep(SOON);
            }
            other
        });
        let error = Pn532::wake(host, "/dev/ttyUSB0").err().unwrap().to_string();
        assert!(error.contains("no PN532 answers at pn532:/dev/ttyUSB0") && error.contains("TXD"), "{error}");
        drop(answering.join().unwrap());
    }

    /// What comes while a command runs ends it, and its late answer never comes.
    #[test]
    fn a_search_without_end_ends_when_the_host_says_so() {
        let (mut host, line) = pipes();
        let kind = CardKind::B([8, 1, 2, 3]);
        let picc = Picc::new(&PiccIdentity { kind, historical: Vec::new() });
        let card = Echo { picc, heard: None, commands: Arc::default() };
        let running = thread::spawn(move || {
            let mut context = Context::simulated(1, Discard);
            let _ = Chip::new(line, CardAntenna::new(card)).run(&mut context, &|| true);
        });
        let list = Frame::Command(vec![0x4A, 0x01, 0x00]);
        host.write(&list.to_bytes()).unwrap();
        host.write(&Frame::Ack.to_bytes()).unwrap();
        host.write(&Frame::Command(vec![0x02]).to_bytes()).unwrap();
        let expected = [Frame::Ack, Frame::Ack, Frame::Answer(vec![0x03, 0x32, 1, 6, 7])];
        let expected: Vec<u8> = expected.iter().flat_map(Frame::to_bytes).collect();
        let (mut heard, mut buffer) = (Vec::new(), [0; 64]);
        while heard.len() < expected.len() {
            let count = host.read(&mut buffer, LONG).unwrap();
            assert_ne!(count, 0, "{heard:02X?}");
            heard.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(heard, expected);
        drop(host);
        running.join().unwrap();
    }
}
