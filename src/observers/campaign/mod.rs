//! Suites of scripts: which files, which cases, on which cards, how many at once, and what
//! is told of them. A case itself is played by `script`, a report written by `report`.

mod agent;
mod discover;
mod error;
mod filter;
mod order;
mod plan;
pub mod queue;
mod submit;
mod suite;
mod tell;
mod update;

pub use agent::{AgentEvent, AgentSettings, AgentTotals, work};
pub use discover::{SCRIPT_ENDINGS, load_scripts, script_files};
pub use error::CampaignError;
pub use filter::{Filter, FilterError};
pub use order::{NamedText, SuiteTerms};
pub use plan::{Job, Shard, plan};
pub use submit::{Patience, Waiting, submit_seeds, submit_suite};
pub use suite::{Cards, SealOpener, SuiteSettings, play_suite};
pub use update::updated;
