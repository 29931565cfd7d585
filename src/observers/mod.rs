//! Who watches and tells. Observers listen to events and facts; they act only
//! through a seat that the world gives them.

pub mod campaign;
pub mod report;
pub mod script;
