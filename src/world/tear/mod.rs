//! The tear test: pulls the card, silences the host, or stops the terminal at every
//! point of a transaction, lets recovery work, and looks whether the money is all
//! there (design: money).

mod case;
mod crash;
mod muted_host;
mod relay;
mod report;
mod run;
mod script;
mod tally;

pub use case::{Afterwards, TearCard, TearCase, TearFault, TearKind, TearSize};
pub(super) use crash::Write;
pub use crash::{CrashControl, CrashPlan, CrashingDb};
pub use muted_host::{HostControl, HostPlan, HostPoint, MutedHost};
pub(super) use relay::tells_refusal;
pub use report::{TearReport, TearRow};
pub use run::{TearSettings, tear};
pub use script::{ChangedScript, ScriptControl};
pub(super) use tally::Tally;
