//! The tear test: pulls the card, silences the host, or stops the terminal at every
//! point of a transaction, lets recovery work, and looks whether the money is all
//! there (design: money).

mod case;
mod crash;
mod fault;
mod kind;
mod muted_host;
mod other_make;
mod report;
mod run;
mod scene;
mod script;
mod settings;
mod tally;

pub use case::{Afterwards, TearCard, TearCase};
pub(super) use crash::Write;
pub use crash::{CrashControl, CrashPlan, CrashingDb};
pub use fault::{TearFault, TearSize};
pub use kind::TearKind;
pub use muted_host::{HostControl, HostPlan, HostPoint, MutedHost};
pub(super) use other_make::tells_refusal;
pub use report::{TearReport, TearRow};
pub use run::tear;
pub use script::{ChangedScript, ScriptControl};
pub use settings::TearSettings;
pub(super) use tally::Tally;
