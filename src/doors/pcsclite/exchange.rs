//! What a handle does: transactions, commands to the card and to the reader.

use super::code::{Code, Disposition, protocol};
use super::reader::Fate;
use super::seat::{Answered, Lost};
use super::service::{Held, Service, State};
use crate::air::link::FaultPoint;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// The question which features a reader has, `CM_IOCTL_GET_FEATURE_REQUEST` (PC/SC Part 10, 2.2).
const GET_FEATURES: u64 = 0x4200_0000 + 3400;

/// Attributes that a reader tells (PC/SC Part 3, 3.1.4): class and number.
mod attribute {
    pub(super) const VENDOR_NAME: u64 = 0x0001_0100;
    pub(super) const ICC_PRESENCE: u64 = 0x0009_0300;
    pub(super) const ATR_STRING: u64 = 0x0009_0303;
    pub(super) const FRIENDLY_NAME: u64 = 0x7FFF_0003;
    pub(super) const SYSTEM_NAME: u64 = 0x7FFF_0004;
}

/// What `SCardStatus` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The reader's name.
    pub reader: String,
    /// Bits of [`status`](super::code::status), the count of changes above them.
    pub state: u64,
    /// The protocol.
    pub protocol: u64,
    /// The card's answer to reset; empty without a card.
    pub atr: Vec<u8>,
}

impl Service {
    /// `SCardBeginTransaction`: waits for another handle's to end.
    pub fn begin(&self, handle: i64) -> Result<(), Code> {
        let mut state = self.state();
        loop {
            state.undisturbed(handle)?;
            match state.reader_of(handle)?.lock_for(handle) {
                Err(Code::SHARING_VIOLATION) => state = self.wait(state),
                result => return result,
            }
        }
    }

    /// `SCardEndTransaction`.
    pub fn end(&self, handle: i64, what: u64) -> Result<(), Code> {
        let mut state = self.state();
        state.handle(handle)?;
        let what = Disposition::of(what)?;
        state.undisturbed(handle)?;
        if what != Disposition::Leave && state.reader_of(handle)?.is_locked_for(handle) {
            return Err(Code::SHARING_VIOLATION);
        }
        let mut result = Ok(());
        if matches!(what, Disposition::Reset | Disposition::Unpower) {
            state.befall(handle, Code::RESET_CARD)?;
            result = state.reader_of(handle)?.reset(true);
        }
        let ended = state.reader_of(handle)?.unlock_for(handle);
        drop(state);
        self.changed().notify_all();
        result.and(ended)
    }

    /// `SCardStatus`.
    pub fn status(&self, handle: i64) -> Result<Status, Code> {
        let mut state = self.free_for(handle)?;
        state.undisturbed(handle)?;
        let reader = state.reader_of(handle)?;
        Ok(Status {
            reader: reader.name.clone(),
            state: reader.status(),
            protocol: reader.protocol,
            atr: reader.card.as_ref().map(|card| card.atr.clone()).unwrap_or_default(),
        })
    }

    /// `SCardTransmit`: the answer to a command, for a buffer of `room` bytes.
    pub fn transmit(&self, handle: i64, pci: u64, command: &[u8], room: usize) -> Result<Vec<u8>, Code> {
        let mut state = self.free_for(handle)?;
        // Room for a status word at least.
        if room < 2 {
            return Err(Code::INSUFFICIENT_BUFFER);
        }
        state.undisturbed(handle)?;
        let index = state.handle(handle)?.reader;
        let reader = state.reader_of(handle)?;
        let powered = reader.card()?.powered;
        if ![reader.protocol, protocol::RAW, protocol::ANY_OLD].contains(&pci) {
            return Err(Code::PROTO_MISMATCH);
        }
        if !powered {
            return Err(Code::NOT_TRANSACTED);
        }
        let lying_since = reader.changes;
        let mut pull = None;
        let mut answer = None;
        for fate in reader.next_fates() {
            match fate {
                Fate::Pull(point) => pull = Some(point),
                Fate::Answer(bytes) => answer = Some(Ok(bytes)),
                Fate::Mute => answer = Some(Err(Code::NOT_TRANSACTED)),
                Fate::Delay(delay) => state = self.delay(state, index, delay),
            }
        }
        if state.readers[index].changes != lying_since {
            // It went away while the command was on its way.
            return Err(Code::NOT_TRANSACTED);
        }
        if let Some(answer) = answer {
            return self.instead(state, index, answer, pull);
        }
        let seat = Arc::clone(&state.readers[index].seat);
        drop(state);
        let answered = {
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            seat.as_mut().map_or(Err(Lost::Silent), |seat| seat.exchange(command, pull))
        };
        let state = self.state();
        if state.readers[index].changes != lying_since {
            // It went away while it was at work: what it did stays done.
            return Err(Code::NOT_TRANSACTED);
        }
        match answered {
            Ok(Answered { bytes, pulled: false }) => Ok(bytes),
            Ok(Answered { bytes, pulled: true }) => {
                self.gone(state, index);
                Ok(bytes)
            }
            Err(Lost::Pulled) => {
                self.gone(state, index);
                Err(Code::NOT_TRANSACTED)
            }
            Err(Lost::Silent) => Err(Code::NOT_TRANSACTED),
        }
    }

    /// `SCardControl`: a reader without features of its own.
    pub fn control(&self, handle: i64, code: u64) -> Result<Vec<u8>, Code> {
        drop(self.free_for(handle)?);
        if code == GET_FEATURES { Ok(Vec::new()) } else { Err(Code::UNSUPPORTED_FEATURE) }
    }

    /// `SCardGetAttrib`.
    pub fn attribute(&self, handle: i64, attribute: u64) -> Result<Vec<u8>, Code> {
        let mut state = self.free_for(handle)?;
        state.undisturbed(handle)?;
        let reader = state.reader_of(handle)?;
        let text = |text: &str| [text.as_bytes(), &[0]].concat();
        match attribute {
            attribute::ATR_STRING => Ok(reader.card()?.atr.clone()),
            attribute::FRIENDLY_NAME | attribute::SYSTEM_NAME => Ok(text(&reader.name)),
            attribute::VENDOR_NAME => Ok(text("Cardwright")),
            attribute::ICC_PRESENCE => Ok(vec![if reader.card.is_some() { 2 } else { 0 }]),
            _ => Err(Code::UNSUPPORTED_FEATURE),
        }
    }

    /// `SCardSetAttrib`: nothing can be set.
    pub fn set_attribute(&self, handle: i64) -> Result<(), Code> {
        let mut state = self.free_for(handle)?;
        state.undisturbed(handle)?;
        Err(Code::UNSUPPORTED_FEATURE)
    }

    /// Waits for a delay to pass, or the card to go away.
    fn delay<'a>(&self, state: Held<'a>, index: usize, delay: Duration) -> Held<'a> {
        let since = state.readers[index].changes;
        let lies = |state: &mut State| state.readers[index].changes == since;
        let waited = self.changed().wait_timeout_while(state, delay, lies);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Answers in the card's place.
    fn instead(
        &self,
        state: Held<'_>,
        index: usize,
        answer: Result<Vec<u8>, Code>,
        pull: Option<FaultPoint>,
    ) -> Result<Vec<u8>, Code> {
        match pull {
            None => answer,
            Some(FaultPoint::AfterAnswer) => {
                self.gone(state, index);
                answer
            }
            Some(FaultPoint::BeforeCommand | FaultPoint::AnswerLost) => {
                self.gone(state, index);
                Err(Code::NOT_TRANSACTED)
            }
        }
    }
}
