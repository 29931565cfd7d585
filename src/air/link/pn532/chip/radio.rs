//! The air as a running command has it: it stops waiting once the host says something else.

use super::host::Host;
use crate::air::link::{Air, Heard, LinkError, RfFrame};
use crate::base::context::Context;
use std::time::Duration;

/// How long the host is left alone while the air is listened to.
const SLICE: Duration = Duration::from_millis(10);
/// How long the host is listened to in between; an air in this process does not wait.
const GLANCE: Duration = Duration::from_millis(1);

/// The air of a running command.
pub(super) struct Radio<'a> {
    pub host: &'a mut Host,
    pub air: &'a mut dyn Air,
}

impl Air for Radio<'_> {
    fn place(&self) -> &str {
        self.air.place()
    }

    fn send(&mut self, frame: &RfFrame, context: &mut Context) -> Result<(), LinkError> {
        self.air.send(frame, context)
    }

    fn receive(&mut self, timeout: Duration, context: &mut Context) -> Result<Option<Heard>, LinkError> {
        let mut left = timeout;
        loop {
            let slice = left.min(SLICE);
            if let Some(heard) = self.air.receive(slice, context)? {
                return Ok(Some(heard));
            }
            self.host.listen(GLANCE)?;
            if self.host.is_impatient() {
                return Err(LinkError::Parted { place: "the host's end of the line".into() });
            }
            left -= slice;
            if left.is_zero() {
                return Ok(None);
            }
        }
    }

    fn field_off(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.air.field_off(context)
    }
}
