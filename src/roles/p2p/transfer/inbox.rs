//! What the other phone has put, in order; never more than fits.

use crate::roles::p2p::snep::{Response, Shelf};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of a message, and the most messages that wait.
const MESSAGE_BYTES: usize = 2048;
const MESSAGES: usize = 8;

/// The messages that wait; a clone is the same.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Inbox {
    /// The oldest message.
    pub fn next(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Shelf for Inbox {
    fn put(&mut self, message: Vec<u8>) -> Response {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if message.len() > MESSAGE_BYTES || waiting.len() >= MESSAGES {
            return Response::REJECT;
        }
        waiting.push_back(message);
        Response::SUCCESS
    }
}
