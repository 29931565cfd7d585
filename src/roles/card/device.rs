//! The consumer device that a card may sit in: whether the card answers at all, and
//! whether its holder was verified there (JR/T 0025.12; EMV Book C-7, CTQ byte 2).

use super::simulator::Refusal;
use crate::air::link::Interface;
use crate::words::iso7816::StatusWord;

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

/// How a secure element hears from its device, each time a card gets power.
pub trait DeviceLine: Send {
    /// How the device stands now.
    fn now(&mut self) -> Device;
}

/// A device that stands as it is.
impl DeviceLine for Device {
    fn now(&mut self) -> Device {
        *self
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
