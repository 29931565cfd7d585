//! A PN532 as its host has it: commands are sent, acknowledged and answered within a time. A
//! command that was not acknowledged is not said again, as the card may have acted.

use super::command::{ChipCommand, FirmwareVersion, GetFirmwareVersion, SamConfiguration, Wire};
use super::{Deframer, Found, Frame, Line};
use crate::air::link::LinkError;
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
/// How often a broken answer is asked for again.
const RETRIES: u32 = 3;
/// How long one look at the line takes.
const LOOK: Duration = Duration::from_millis(20);
/// How many pieces of what is left of something older are read over.
const STALE: u32 = 64;
/// How many looks in a row may see noise and no frame.
const NOISE: u32 = 4096;

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

    /// Ends what the chip is doing.
    pub(super) fn abort(&mut self) -> Result<(), LinkError> {
        self.write(&Frame::Ack.to_bytes())
    }

    fn begin(&mut self) -> Result<FirmwareVersion, LinkError> {
        self.write(&WAKE_UP)?;
        let sam = SamConfiguration { mode: SamConfiguration::NORMAL, more: vec![0x00, 0x01] };
        self.call(&sam, AT_ONCE)?;
        self.call(&GetFirmwareVersion, AT_ONCE)
    }

    /// The next frame within a time.
    fn hear(&mut self, timeout: Duration) -> Result<Heard, LinkError> {
        let mut left = timeout;
        for _ in 0..NOISE {
            match self.deframer.next_frame() {
                Some(Found::Frame(frame)) => return Ok(Heard::Frame(frame)),
                Some(Found::Broken) => return Ok(Heard::Broken),
                None => {}
            }
            if self.look(left.min(LOOK))? == 0 {
                // Half a frame that stays half is looked behind of.
                if left.is_zero() && !self.deframer.quiet() {
                    return Ok(Heard::Nothing);
                }
                left = left.saturating_sub(LOOK);
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
    LinkError::Protocol { during: format!("in {command}"), expected: expected.into(), found }
}
