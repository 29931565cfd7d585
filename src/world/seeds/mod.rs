//! Random worlds: several cards, terminals and one issuer, random transactions and
//! random faults. A seed says all of it; each is played twice and compared; one that
//! fails is made smaller and told as a command that replays it (design: money).

mod judge;
mod plan;
mod play;
mod report;
mod run;
mod shelf;
mod shrink;

pub use plan::{Action, Plan, PlannedCard, PlannedFault, Selection, Step, WorldFault};
pub use report::{FailedSeed, SeedReport};
pub use run::{SeedSettings, seeds};
pub(super) use shelf::Shelf;
