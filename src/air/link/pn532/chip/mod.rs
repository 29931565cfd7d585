//! A simulated PN532: on one side the line to its host, on the other the air. It was made from
//! the user manual and from what libnfc and nfcpy say and want to hear; no real chip was
//! compared with it.

mod antenna;
mod held;
mod host;
mod initiator;
mod parts;
mod radio;
mod raw;
mod settings;
mod simulator;
mod target;

pub use antenna::{Antenna, CardAntenna, UdpAntenna};
pub use simulator::Chip;
