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
    #[error("expected scripts (*.apdu, *.lua or *.scriptor) in {places}, found none")]
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
    /// A case that is no part of a certification set.
    #[error("{case}: {cause}")]
    Catalogue {
        /// The case.
        case: String,
        /// What is wrong.
        cause: String,
    },
    /// A questionnaire that cannot be read.
    #[error("the questionnaire: {cause}")]
    Questionnaire {
        /// What is wrong.
        cause: String,
    },
    /// No session in a folder.
    #[error(
        "expected a session in {folder}, found none: begin one with `cardwright certify run --ics FILE --session DIR`"
    )]
    NoSession {
        /// The folder.
        folder: String,
    },
    /// A folder that holds something else.
    #[error(
        "expected an empty folder for a new session, found {folder} with something in it: name another one"
    )]
    FolderInUse {
        /// The folder.
        folder: String,
    },
    /// A session that another process is writing to.
    #[error("another cardwright is at work in this session ({path}): wait until it has ended")]
    SessionInUse {
        /// The chain.
        path: String,
    },
    /// A session that was begun with other answers.
    #[error(
        "the session in {folder} was begun with another questionnaire: leave out --ics to go on with it, or begin a new session"
    )]
    OtherQuestionnaire {
        /// The folder.
        folder: String,
    },
    /// A session that was changed.
    #[error("{path}: {cause}; nothing is added to a session that was changed")]
    Chain {
        /// The chain.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// A session that is no longer what was written.
    #[error("the session is not as it was written: {}", .wrong.join("; "))]
    Changed {
        /// What was changed, lost or put in.
        wrong: Vec<String>,
    },
    /// A case that there is not.
    #[error("there is no case {id} for a {product}: `cardwright certify run --list` names them")]
    NoCase {
        /// What was asked for.
        id: String,
        /// The product.
        product: &'static str,
    },
    /// A case that has its result.
    #[error(
        "{id} has a result: {verdict}; say why it is played again with --reason; the earlier result is kept"
    )]
    Rerun {
        /// The case.
        id: String,
        /// What came of it.
        verdict: String,
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
