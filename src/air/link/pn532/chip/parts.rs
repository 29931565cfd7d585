//! Data that do not fit one answer: the rest is fetched with further commands.

use crate::air::link::pn532::command::{Exchanged, Status};

/// The most data in one answer.
const MOST: usize = 262;

/// What is still to be fetched.
#[derive(Debug, Default)]
pub(super) struct Parts(Option<Vec<u8>>);

impl Parts {
    pub(super) fn of(data: Vec<u8>) -> Self {
        Self(Some(data))
    }

    /// Whether nothing is to be fetched; a payload of no bytes is something.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn next_part(&mut self) -> Exchanged {
        let mut data = self.0.take().unwrap_or_default();
        let rest = data.split_off(data.len().min(MOST));
        let more = if rest.is_empty() { 0 } else { Status::MORE };
        self.0 = (!rest.is_empty()).then_some(rest);
        Exchanged { status: Status(more), data }
    }
}
