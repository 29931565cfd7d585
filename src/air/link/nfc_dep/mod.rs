//! NFC-DEP over an [`Air`](super::Air): activation, and the block machines of both sides
//! (ISO/IEC 18092, 11 and 12). What the blocks carry does not enter.

mod activation;
mod framing;
mod initiator;
mod target;

pub use activation::{Greeting, Identity, Met, Polling, Presence, PresenceStep};
pub(super) use framing::{LONGEST_PAYLOAD, START};
pub use initiator::{Initiator, InitiatorTalk};
pub use target::{Target as NfcDepTarget, TargetTalk};
