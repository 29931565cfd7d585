//! Checks a session without anything but its folder: the chain, every file's hash, and what
//! stands there that is in no entry.

use super::chain::sha256_hex;
use super::session::{CHAIN, FILE_LIMIT, Kept, failed, kept, read_bounded, read_chain};
use crate::observers::campaign::error::CampaignError;
use crate::observers::report::suite::CaseVerdict;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path};

/// Deepest folder that is looked into.
const DEPTH_LIMIT: usize = 8;

/// What a session holds, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// What was changed, lost or put in; empty where all is as it was written.
    pub wrong: Vec<String>,
    /// Entries of the chain.
    pub entries: usize,
    /// Files that entries name.
    pub files: usize,
    /// The hash of the last entry.
    pub head: String,
    /// What the product says of itself.
    pub about: Value,
    /// The last result of each case, by id.
    pub results: Vec<Kept>,
    /// Earlier results that a later one stands after.
    pub superseded: usize,
    /// How many are mandatory and did not pass.
    pub against: usize,
}

/// Checks the session in a folder. `head` is the last hash that somebody wrote down.
pub fn verify(folder: &Path, head: Option<&str>) -> Result<Verified, CampaignError> {
    let path = folder.join(CHAIN);
    if !path.exists() {
        return Err(CampaignError::NoSession { folder: folder.display().to_string() });
    }
    let mut found = Verified::default();
    let chain = match read_chain(&path) {
        Ok(chain) => chain,
        Err(CampaignError::Chain { cause, .. }) => {
            found.wrong.push(format!("{CHAIN}: {cause}"));
            return Ok(found);
        }
        Err(other) => return Err(other),
    };
    found.entries = chain.entries.len();
    found.head = chain.head.clone();
    let length = std::fs::metadata(&path).map_err(|cause| failed(&path, &cause))?.len();
    if length != chain.whole as u64 {
        found.wrong.push(format!("{CHAIN}: its last line was cut short"));
    }
    if let Some(known) = head.filter(|known| !known.eq_ignore_ascii_case(&chain.head)) {
        let has_it = chain.entries.len() > 1;
        let hint = if has_it { "entries were added since, or cut off" } else { "it is another session" };
        found.wrong.push(format!("{CHAIN}: expected to end with {known}, ends with {}: {hint}", chain.head));
    }
    let mut known: HashSet<&str> = HashSet::new();
    for file in chain.entries.iter().flat_map(|entry| &entry.files) {
        found.files += 1;
        known.insert(&file.path);
        // A session comes from elsewhere: it names nothing outside its folder.
        let is_inside = Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside {
            found.wrong.push(format!("{:?}: is outside the session", file.path));
            continue;
        }
        match read_bounded(&folder.join(&file.path), FILE_LIMIT) {
            Ok(bytes) if sha256_hex(&bytes) == file.sha256 => {}
            Ok(_) => found.wrong.push(format!("{}: was changed", file.path)),
            Err(CampaignError::File { cause, .. }) => found.wrong.push(format!("{}: {cause}", file.path)),
            Err(other) => return Err(other),
        }
    }
    walk(folder, folder, 0, &mut |name| {
        if name != CHAIN && !known.contains(name) {
            found.wrong.push(format!("{name}: is in no entry"));
        }
    })?;
    if let Some(opened) = chain.entries.first() {
        found.about = opened.what.clone();
    }
    let all = kept(&chain);
    let mut last: BTreeMap<String, Kept> = BTreeMap::new();
    for one in &all {
        last.insert(one.id.clone(), one.clone());
    }
    found.superseded = all.len() - last.len();
    let against = |kept: &&Kept| {
        let entry = chain.entries.iter().find(|entry| entry.number == kept.number);
        let is_mandatory = entry.is_some_and(|entry| entry.what["criterion"] == "mandatory");
        is_mandatory && CaseVerdict::from_word(&kept.verdict).is_none_or(|verdict| !verdict.is_success())
    };
    found.against = last.values().filter(against).count();
    found.results = last.into_values().collect();
    Ok(found)
}

fn walk(top: &Path, folder: &Path, depth: usize, hear: &mut dyn FnMut(&str)) -> Result<(), CampaignError> {
    for entry in std::fs::read_dir(folder).map_err(|cause| failed(folder, &cause))? {
        let path = entry.map_err(|cause| failed(folder, &cause))?.path();
        if path.is_dir() && depth < DEPTH_LIMIT {
            walk(top, &path, depth + 1, hear)?;
        } else if let Ok(name) = path.strip_prefix(top) {
            hear(
                &name
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observers::campaign::certify::chain::{Chain, ChainEntry, FileHash};

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("session");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(place.path().join("secret"), "x").unwrap();
        let absolute = place.path().join("secret").display().to_string();
        for path in ["../secret", absolute.as_str(), "results/../../secret"] {
            let file = FileHash { path: path.into(), sha256: sha256_hex(b"x") };
            let entry = ChainEntry {
                number: 1,
                at: "2026-11-21 08:00:00".into(),
                kind: "opened".into(),
                what: Value::Null,
                files: vec![file],
            };
            std::fs::write(folder.join(CHAIN), Chain::default().line(entry).unwrap()).unwrap();
            let found = verify(&folder, None).unwrap();
            assert_eq!(found.wrong, [format!("{path:?}: is outside the session")]);
        }
    }
}
