//! Links to a card: traits, drivers, and wrappers that add behaviour. No payment
//! word may enter.

#[cfg(feature = "pcsc")]
pub mod pcsc;
