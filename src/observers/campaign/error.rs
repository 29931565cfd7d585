//! Why a suite could not begin.

use super::filter::FilterError;
use crate::base::store::StoreError;
use crate::observers::script::ScriptError;
use crate::world::WorldError;

/// Why a suite could not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// A file or folder could not be read.
    #[error("could not read {path}: {cause}")]
    File {
        /// The file or folder.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// There is no script.
    #[error("expected scripts (*.apdu or *.scriptor) in {places}, found none")]
    NoScript {
        /// Where was looked.
        places: String,
    },
    /// Scripts that cannot be read.
    #[error("{}", told(.0))]
    Scripts(Vec<ScriptError>),
    /// A filter that cannot be read.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A part that is none.
    #[error("expected a part such as 1/4, from 1 to the number of parts, found {found:?}")]
    Shard {
        /// What was written.
        found: String,
    },
    /// A case that could not go on.
    #[error("{title}: the script could not go on: {cause}")]
    Broken {
        /// The first one: file and name.
        title: String,
        /// Why.
        cause: String,
    },
    /// A card that could not be reached.
    #[error("{title}: the card could not be reached: {cause}")]
    Unreachable {
        /// The first one: file and name.
        title: String,
        /// Why.
        cause: String,
    },
    /// The stage could not be set.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The store of shared jobs failed.
    #[error("the shared jobs: {0}")]
    Store(#[from] StoreError),
    /// No agent came.
    #[error(
        "no agent has played anything for {seconds} s, and {left} jobs are left: start \
         `cardwright agent --jobs ...` with what they need, of the same version"
    )]
    NoAgent {
        /// Jobs that nobody has claimed.
        left: usize,
        /// For how long nothing happened.
        seconds: u64,
    },
    /// A job that no agent could play.
    #[error("a job could not be played: {reason}")]
    Lost {
        /// Why.
        reason: String,
    },
    /// What was sent cannot be read.
    #[error("expected a job or a result as this version writes them, found something else: {cause}")]
    Result {
        /// What is wrong.
        cause: String,
    },
}

fn told(errors: &[ScriptError]) -> String {
    let all = errors.iter().map(ScriptError::to_string).collect::<Vec<_>>().join("\n\n");
    let count = if errors.len() == 1 { "1 line".to_owned() } else { format!("{} lines", errors.len()) };
    format!("{count} of the scripts cannot be read\n\n{all}")
}
