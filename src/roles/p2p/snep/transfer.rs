//! A message in pieces: the first with the header, the rest once the other device wants
//! it (NFC Forum SNEP 1.0, 4). The same for requests and for responses.

use super::frame::HEADER_BYTES;
use std::collections::VecDeque;

/// What is left to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pieces: VecDeque<Vec<u8>>,
}

impl Outgoing {
    /// Cuts a frame to what the other device takes at once.
    pub fn new(frame: &[u8], miu: usize) -> Self {
        Self { pieces: frame.chunks(miu.max(HEADER_BYTES)).map(<[u8]>::to_vec).collect() }
    }

    /// The next piece.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.pieces.pop_front()
    }

    /// Whether all of it was taken.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// What has come of a message.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Its code.
    pub code: u8,
    length: usize,
    information: Vec<u8>,
}

impl Incoming {
    /// Begins with the first piece.
    pub fn new(code: u8, length: u32, first: &[u8]) -> Self {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut new = Self { code, length, information: Vec::new() };
        new.add(first);
        new
    }

    /// Adds a piece; what is longer than was said is left out.
    pub fn add(&mut self, piece: &[u8]) {
        let left = self.length - self.information.len();
        self.information.extend_from_slice(&piece[..piece.len().min(left)]);
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.information.len() == self.length
    }

    /// What it carries.
    pub fn into_information(self) -> Vec<u8> {
        self.information
    }
}
