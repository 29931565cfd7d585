//! Random worlds of phones that touch, each from a seed: three people and their host, and
//! all that can go wrong between them. Played twice; what is wrong is made smaller.

mod fault;
mod judge;
mod plan;
mod plant;
mod play;
mod report;
mod rule;
mod run;
mod wire;

pub use fault::TouchFault;
pub(super) use plan::PEOPLE;
pub use plan::{Intent, Plan, Step, StepKind};
pub use plant::Plant;
pub use play::Flaws;
pub(super) use play::{Left, Played, TouchSize, play};
pub use report::{FailedSeed, SeedReport};
pub use rule::Rule;
pub use run::seeds;
