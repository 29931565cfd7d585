//! Random worlds: several cards, terminals and one issuer, random transactions and
//! random faults. A seed says all of it; each is played twice and compared; one that
//! fails is made smaller and told as a command that replays it (design: money).

mod action;
mod carried;
mod fault;
mod judge;
mod notes;
mod plan;
mod plant;
mod play;
mod report;
mod run;
mod shelf;
mod shrink;
mod stand;
mod wire;
mod withheld;

pub use action::{ACTIONS, ActionRow, Part};
pub use fault::{PlannedFault, WorldFault};
pub use plan::{Action, Plan, PlannedCard, PlannedTerminal, Selection, Step};
pub use plant::Plant;
pub use play::Flaws;
pub use report::{FailedSeed, SeedReport};
pub(super) use run::{Flawed, Traced, play_seeds};
pub use run::{SeedSettings, seeds};
pub(super) use shelf::Shelf;
pub(super) use shrink::Parts;
pub use wire::SeedReportError;
pub(super) use withheld::{Until, WithheldDb};
