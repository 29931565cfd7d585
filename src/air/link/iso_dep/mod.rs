//! ISO-DEP, the protocol of contactless cards (ISO/IEC 14443-3 and 14443-4), on any [`Air`]:
//! the reader's side, the card's, and a card served on UDP. No payment word may enter.
//!
//! [`Air`]: super::Air

mod pcd;
mod picc;
mod poll;
mod selection;
mod served;

pub(super) use pcd::LONGEST_RESPONSE;
pub use pcd::Pcd;
pub use picc::{CardKind, Picc, PiccIdentity, PiccStep};
pub use poll::{CardA, poll_a, poll_b, poll_f, select_b, send_rats};
pub use selection::{Selection, SelectionStep};
pub use served::{DRIVER, IsoDepTarget};
