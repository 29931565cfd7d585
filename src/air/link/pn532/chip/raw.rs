//! Frames as they are: a host that does all of the protocol by itself (PN532 user manual, 7.3.9).

use super::simulator::Chip;
use crate::air::link::pn532::command::{Exchanged, InCommunicateThru, Status};
use crate::air::link::{Heard, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso14443::{ALL_REQ, NVB_ALL, NVB_NONE, SENS_REQ, SLP_REQ, crc_a};
use std::time::Duration;

/// How much longer than its time an answer from a socket may take; hosts add 100 ms.
const GRACE: Duration = Duration::from_millis(50);
/// What no timeout is taken for: the host ends it before.
const ENDLESS: Duration = Duration::from_secs(60);

impl Chip {
    pub(super) fn communicate(&mut self, command: &InCommunicateThru, context: &mut Context) -> Exchanged {
        let modulation = self.settings.modulation();
        let is_a = modulation.technology == Technology::A;
        let mut bytes = command.data.clone();
        if is_a && !self.settings.adds_crc() {
            drop_crc(&mut bytes);
        }
        let timeout = self.settings.timeout().map_or(ENDLESS, |timeout| timeout + GRACE);
        let frame = RfFrame { modulation, bytes: bytes.clone() };
        let heard = self.speaking(|air, _| {
            air.send(&frame, context)?;
            air.receive(timeout, context)
        });
        let answer = match heard {
            Some(Some(Heard::Frame(frame))) if frame.modulation == modulation => Some(frame.bytes),
            _ => None,
        };
        self.settings.note_answer(&bytes, answer.is_some());
        let Some(mut data) = answer else { return Status::TIMEOUT.into() };
        // Before the selection nobody counts the check sum.
        if is_a && !self.settings.takes_crc() && !is_of_selection(&bytes) {
            data.extend(crc_a(&data));
        }
        Exchanged { status: Status::OK, data }
    }
}

/// Takes off the check sum that the host has counted itself; frames on an air bear none.
fn drop_crc(bytes: &mut Vec<u8>) {
    if let Some((body, sum)) = bytes.split_last_chunk::<2>()
        && crc_a(body) == *sum
    {
        bytes.truncate(body.len());
    }
}

fn is_of_selection(bytes: &[u8]) -> bool {
    matches!(bytes, [SENS_REQ | ALL_REQ] | [0x93 | 0x95 | 0x97, NVB_NONE | NVB_ALL, ..]) || bytes == SLP_REQ
}
