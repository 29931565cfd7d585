//! Clock and entropy: nobody asks the world. Wall clock and operating-system
//! randomness may enter in `os.rs` alone.

mod os;
mod simulated;
mod timestamp;

pub use os::{OsEntropy, SystemClock};
pub use simulated::{SeededEntropy, SimulatedClock};
pub use timestamp::Timestamp;

use std::time::Duration;

/// Tells the time. A simulated clock moves only by the latency of exchanges.
pub trait Clock: Send {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Says that an exchange took this long. A simulated clock moves by it; the
    /// system's clock has moved already.
    fn elapse(&mut self, duration: Duration);
}

/// Gives random bytes. The same seed gives the same bytes.
pub trait Entropy: Send {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}
