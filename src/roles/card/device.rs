//! The consumer device that a card may sit in: whether the card answers at all, and
//! whether its holder was verified there (JR/T 0025.12; EMV Book C-7, CTQ byte 2).

use super::simulator::Refusal;
use crate::air::link::Interface;
use crate::words::iso7816::StatusWord;
use std::sync::{Arc, Mutex, PoisonError};

/// What the device tells its secure element when the card gets power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The holder was verified by the device: the card answers, and says so (9F6C).
    Unlocked,
    /// Locked, and the card is the one for express transit: it answers by radio, without
    /// a word of verification.
    Express,
    /// Locked: the card does not answer.
    Locked,
    /// The card is being closed by the device's own software: it answers over the wire
    /// to that, and to nobody by radio.
    Wired,
    /// The card is not active in the device: it does not answer.
    Inactive,
}

/// How the device tells its secure element how it stands, from one activation of the card
/// to the next.
#[derive(Debug, Clone)]
pub struct DeviceLine(Arc<Mutex<Device>>);

impl DeviceLine {
    /// A device that stands so.
    pub fn new(device: Device) -> Self {
        Self(Arc::new(Mutex::new(device)))
    }

    /// From the next activation on it stands so.
    pub fn tell(&self, device: Device) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = device;
    }

    /// How it stands now.
    pub fn now(&self) -> Device {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device {
    /// Whether the holder was verified.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Unlocked)
    }

    /// A card that does not answer is as if it were not there.
    pub(super) fn admit(self, interface: Interface) -> Result<(), Refusal> {
        let reason = match (self, interface) {
            (Self::Unlocked, _)
            | (Self::Express, Interface::Contactless)
            | (Self::Wired, Interface::Contact) => return Ok(()),
            (Self::Express | Self::Locked, _) => "the device is locked: unlock it first",
            (Self::Wired | Self::Inactive, _) => "the card is not active in its device",
        };
        Err(Refusal::because(StatusWord::FILE_NOT_FOUND, reason))
    }
}
