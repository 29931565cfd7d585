//! A session: the folder that holds what came of a product, one sitting after the other.
//! What is in it is never changed; everything is added, and stands in the chain.

use super::chain::{Chain, ChainEntry, FileHash, sha256_hex};
use super::questionnaire::Questionnaire;
use crate::base::env::Timestamp;
use crate::observers::campaign::error::CampaignError;
use crate::observers::report::suite::CaseVerdict;
use crate::world::read_text;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The chain's file.
pub(super) const CHAIN: &str = "session.chain";
/// The copy of the questionnaire.
pub(super) const ICS: &str = "ics.toml";
/// Largest file of a session: a short film of a display.
pub(super) const FILE_LIMIT: u64 = 256 << 20;
/// Longest chain that is read.
const CHAIN_LIMIT: u64 = 64 << 20;

/// An open session; nobody else writes to it meanwhile.
pub struct Session {
    folder: PathBuf,
    chain: Chain,
    file: File,
    /// What the product under test is.
    pub questionnaire: Questionnaire,
}

/// What is kept of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The case.
    pub id: String,
    /// What came of it.
    pub verdict: String,
    /// Why it did not run, or was run again.
    pub reason: String,
    /// The number of its entry.
    pub number: u64,
}

impl Session {
    /// Opens the session in a folder. A new one is begun where there is none, and needs the
    /// text of a questionnaire; one that is there goes on with its own.
    pub fn open(folder: &Path, ics: Option<&str>, now: Timestamp) -> Result<Self, CampaignError> {
        let path = folder.join(CHAIN);
        let is_new = !path.exists();
        let text = match (ics, is_new) {
            (Some(text), true) => {
                make_folder(folder)?;
                text.to_owned()
            }
            (given, false) => {
                let kept = read_text(&folder.join(ICS)).map_err(|cause| failed(&folder.join(ICS), &cause))?;
                if given.is_some_and(|given| given != kept) {
                    return Err(CampaignError::OtherQuestionnaire { folder: folder.display().to_string() });
                }
                kept
            }
            (None, true) => return Err(CampaignError::NoSession { folder: folder.display().to_string() }),
        };
        let questionnaire = Questionnaire::parse(&text)?;
        let file = locked(&path)?;
        let chain = read_chain(&path)?;
        // What was cut short while it was written has never counted.
        file.set_len(chain.whole as u64).map_err(|cause| failed(&path, &cause))?;
        let mut session = Self { folder: folder.to_owned(), chain, file, questionnaire };
        if session.chain.entries.is_empty() {
            let what = json!({
                "cardwright": env!("CARGO_PKG_VERSION"),
                "product": session.questionnaire.product.word(),
                "about": session.questionnaire.about,
            });
            session.add("opened", what, "", vec![(ICS.to_owned(), text.into_bytes())], now)?;
        }
        Ok(session)
    }

    /// Adds an entry and its files, which are put into `place` below the folder. They are on
    /// the disk before the entry that names them is.
    pub(super) fn add(
        &mut self,
        kind: &str,
        what: Value,
        place: &str,
        files: Vec<(String, Vec<u8>)>,
        now: Timestamp,
    ) -> Result<u64, CampaignError> {
        let mut hashes = Vec::new();
        for (name, bytes) in files {
            let path = if place.is_empty() { name } else { format!("{place}/{name}") };
            write(&self.folder.join(&path), &bytes)?;
            hashes.push(FileHash { sha256: sha256_hex(&bytes), path });
        }
        let number = self.chain.next();
        let entry = ChainEntry { number, at: now.to_string(), kind: kind.into(), what, files: hashes };
        let path = self.folder.join(CHAIN);
        let line = self.chain.line(entry).map_err(|cause| failed(&path, &cause.into()))?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|cause| failed(&path, &cause))?;
        Ok(number)
    }

    /// The number that the next entry will have.
    pub(super) fn next(&self) -> u64 {
        self.chain.next()
    }

    /// What is kept, in the order in which it came.
    pub fn results(&self) -> Vec<Kept> {
        kept(&self.chain)
    }

    /// The last that is kept of a case.
    pub fn last(&self, id: &str) -> Option<Kept> {
        self.results().into_iter().rfind(|kept| kept.id == id)
    }

    /// Puts a copy of a file into the session: a photo, a receipt, a host's log.
    pub fn attach(
        &mut self,
        file: &Path,
        case: Option<&str>,
        note: &str,
        now: Timestamp,
    ) -> Result<String, CampaignError> {
        let bytes = read_bounded(file, FILE_LIMIT)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("{:04}-{}", self.next(), plain(&name));
        let what = json!({ "case": case, "note": note, "name": file.display().to_string() });
        let path = format!("attached/{name}");
        self.add("attached", what, "attached", vec![(name, bytes)], now)?;
        Ok(path)
    }

    /// The hash of the last entry: who writes it down elsewhere sees whether the end of the
    /// chain was cut off later.
    pub fn head(&self) -> &str {
        &self.chain.head
    }
}

/// The results of a chain.
pub(super) fn kept(chain: &Chain) -> Vec<Kept> {
    let results = chain.entries.iter().filter(|entry| entry.kind == "result");
    let text = |what: &Value, key: &str| what[key].as_str().unwrap_or_default().to_owned();
    results
        .map(|entry| Kept {
            id: text(&entry.what, "id"),
            verdict: text(&entry.what, "verdict"),
            reason: text(&entry.what, "reason"),
            number: entry.number,
        })
        .collect()
}

impl Kept {
    /// Whether the case has a result, so that playing it again needs a reason.
    pub fn is_decided(&self) -> bool {
        !matches!(CaseVerdict::from_word(&self.verdict), Some(CaseVerdict::NotRun | CaseVerdict::Unreachable))
    }
}

/// Reads the chain of a folder.
pub(super) fn read_chain(path: &Path) -> Result<Chain, CampaignError> {
    let bytes = read_bounded(path, CHAIN_LIMIT)?;
    // A last line that was cut short may end within a letter.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&bytes[..whole]).map_err(|cause| CampaignError::Chain {
        path: path.display().to_string(),
        cause: cause.to_string(),
    })?;
    Chain::parse(text)
        .map_err(|cause| CampaignError::Chain { path: path.display().to_string(), cause: cause.to_string() })
}

/// A whole file, where it is not longer than `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, CampaignError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|cause| failed(path, &cause))?;
    if bytes.len() as u64 > limit {
        return Err(failed(path, &std::io::Error::other(format!("expected at most {limit} bytes"))));
    }
    Ok(bytes)
}

pub(super) fn failed(path: &Path, cause: &std::io::Error) -> CampaignError {
    CampaignError::File { path: path.display().to_string(), cause: cause.to_string() }
}

/// A folder of its own: what stands in it already is nobody's evidence.
fn make_folder(folder: &Path) -> Result<(), CampaignError> {
    std::fs::create_dir_all(folder).map_err(|cause| failed(folder, &cause))?;
    let mut found = std::fs::read_dir(folder).map_err(|cause| failed(folder, &cause))?;
    match found.next() {
        None => Ok(()),
        Some(_) => Err(CampaignError::FolderInUse { folder: folder.display().to_string() }),
    }
}

/// The chain's file, at whose end lines are put, by this process alone.
fn locked(path: &Path) -> Result<File, CampaignError> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|cause| failed(path, &cause))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(CampaignError::SessionInUse { path: path.display().to_string() })
        }
        Err(TryLockError::Error(cause)) => Err(failed(path, &cause)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CampaignError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|cause| failed(parent, &cause))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()));
    written.map_err(|cause| failed(path, &cause))
}

/// A name without anything that a folder could trip over.
fn plain(name: &str) -> String {
    let kept = name.chars().map(|c| if c.is_alphanumeric() || ".-_".contains(c) { c } else { '_' });
    kept.collect::<String>().trim_start_matches('.').to_owned()
}
