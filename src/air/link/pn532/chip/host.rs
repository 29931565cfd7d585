//! The chip's view of its host: frames come in, and what comes while a command runs ends that
//! command (PN532 user manual, 6.2.1.5).

use crate::air::link::LinkError;
use crate::air::link::pn532::{Deframer, Found, Frame, Line};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a frame may pause in its middle.
const PAUSE: Duration = Duration::from_millis(50);

/// The host.
pub(super) struct Host {
    line: Box<dyn Line>,
    deframer: Deframer,
    pending: VecDeque<Frame>,
    /// What was answered last, for a host that did not get it whole.
    last: Vec<u8>,
}

impl Host {
    pub(super) fn new(line: Box<dyn Line>) -> Self {
        Self { line, deframer: Deframer::default(), pending: VecDeque::new(), last: Vec::new() }
    }

    /// The next frame; `None` where none came for so long.
    pub(super) fn next(&mut self, timeout: Duration) -> Result<Option<Frame>, LinkError> {
        if self.pending.is_empty() {
            self.listen(timeout)?;
        }
        Ok(self.pending.pop_front())
    }

    /// Waits for what the host says, at most so long.
    pub(super) fn listen(&mut self, timeout: Duration) -> Result<(), LinkError> {
        let mut wait = timeout;
        let mut buffer = [0; 512];
        // Bounded, as a line can be nothing but noise.
        for _ in 0..64 {
            match self.line.read(&mut buffer, wait).map_err(|error| trouble("listening to", &error))? {
                0 if !self.deframer.quiet() => return Ok(()),
                0 => {}
                count => self.deframer.push(&buffer[..count]),
            }
            while let Some(found) = self.deframer.next_frame() {
                // A broken one is not acknowledged: the host says it again.
                if let Found::Frame(frame) = found {
                    self.pending.push_back(frame);
                }
            }
            if !self.pending.is_empty() {
                return Ok(());
            }
            wait = PAUSE;
        }
        Ok(())
    }

    /// Whether the host has said something that ends what runs.
    pub(super) fn is_impatient(&self) -> bool {
        self.pending.iter().any(|frame| matches!(frame, Frame::Command(_) | Frame::Ack))
    }

    pub(super) fn acknowledge(&mut self) -> Result<(), LinkError> {
        self.write(&Frame::Ack.to_bytes())
    }

    pub(super) fn answer(&mut self, frame: &Frame) -> Result<(), LinkError> {
        self.last = frame.to_bytes();
        self.answer_again()
    }

    pub(super) fn answer_again(&mut self) -> Result<(), LinkError> {
        let bytes = std::mem::take(&mut self.last);
        let sent = self.write(&bytes);
        self.last = bytes;
        sent
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.line.write(bytes).map_err(|error| trouble("answering", &error))
    }
}

fn trouble(doing: &str, cause: &std::io::Error) -> LinkError {
    LinkError::Io { doing: format!("{doing} the host of the simulated chip"), cause: cause.to_string() }
}
