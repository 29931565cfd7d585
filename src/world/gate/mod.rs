//! A gate and its riders: pools of issued cards, good and bad, and what a gate makes of them.

mod mute_card;
mod open;
mod pool;
mod report;
mod rider;
mod simulation;

pub use open::{open_deny_list, open_gate, open_gate_book};
pub use report::{Fate, GateReport, Percentiles, Progress, Samples};
pub use rider::{Expected, RIDERS, RiderRow};
pub use simulation::{GateSettings, simulate};
