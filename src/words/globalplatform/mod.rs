//! GlobalPlatform Card Specification 2.3.1 and EMV Card Personalisation: data
//! groupings, STORE DATA, the secure channel. Nothing of a payment may enter.

mod dgi;

pub use dgi::{Dgi, DgiError};
