//! Suites of scripts: which files, which cases, on which cards, how many at once, and what
//! is told of them. A case itself is played by `script`, a report written by `report`.

pub mod certify;
mod discover;
mod error;
mod filter;
mod plan;
mod suite;
mod tell;
mod update;

pub use discover::{SCRIPT_ENDINGS, load_scripts, script_files};
pub use error::CampaignError;
pub use filter::{Filter, FilterError};
pub use plan::{Job, Shard, plan};
pub use suite::{Cards, Ended, Plant, SealOpener, SuiteSettings, TerminalMaker, play_suite};
pub use update::updated;
