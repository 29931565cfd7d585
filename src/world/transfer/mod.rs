//! Two phones that touch: opens them and what carries them, and lets one touch the other in
//! process. What they say to each other is `roles/p2p`'s.

mod drive;
mod meeting;
mod peer;
mod phones;
pub mod seeds;
pub mod tear;

pub use drive::{Answered, Around, Broken, drive};
pub use meeting::{Carry, Met, Side, meet};
pub use peer::open_peer;
pub use phones::{OFFLINE_LIMIT_MINOR, enrol_phone, open_phone, phone_file};
