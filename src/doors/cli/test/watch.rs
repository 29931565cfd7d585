//! `test --watch`: plays again what a change of a file concerns.

use super::{once, paths};
use crate::doors::cli::shared::attendant::Bystander;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::campaign::{load_scripts, script_files};
use crate::observers::script::tree::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often it is looked whether a file has changed.
const LOOK: Duration = Duration::from_millis(300);

/// Files, and when each was changed last.
type Stamps = BTreeMap<PathBuf, Option<SystemTime>>;

/// Plays everything once, and then whatever is concerned by a change; it has no end.
pub(super) fn watch(call: &mut Call<'_>, attendant: &Bystander) -> Result<Exit, Failure> {
    if call.switches.json {
        return Err(Failure::Usage(
            "--watch has no end, and --json speaks at the end: name one of them".into(),
        ));
    }
    let mut changed = None;
    loop {
        // A file that changes while cases are played is seen afterwards.
        let files = files(call);
        let seen = stamps(&files, call);
        if let Err(failure) = once(call, changed.as_ref(), attendant) {
            call.output.say(&format!("{failure}\n"));
        }
        call.output.say("Waiting for a script to change; Ctrl-C ends it.\n\n");
        changed = loop {
            let now = stamps(&files, call);
            let differs = |file: &&PathBuf| now.get(*file) != seen.get(*file);
            let changed: BTreeSet<PathBuf> = now.keys().chain(seen.keys()).filter(differs).cloned().collect();
            if !changed.is_empty() {
                break Some(changed);
            }
            std::thread::sleep(LOOK);
        };
    }
}

/// Whether a case of a script is concerned by a change of these files: of the script, of one
/// that it includes, of its card's profile, or of the terminal.
pub(super) fn is_concerned(
    call: &Call<'_>,
    script: &Script,
    case: usize,
    changed: &BTreeSet<PathBuf>,
) -> bool {
    let own = script.sources.iter().map(|source| PathBuf::from(&source.name));
    let profile = script.cases.get(case).and_then(|case| case.header.profile.as_ref()).map(PathBuf::from);
    own.chain(profile).chain(terminal(call)).any(|file| changed.contains(&file))
}

/// Every file that a case is concerned by; scripts are read for it.
fn files(call: &Call<'_>) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = terminal(call).into_iter().collect();
    for file in script_files(&paths(call)).unwrap_or_default() {
        // A script that cannot be read is looked at by itself until it can.
        for script in load_scripts(std::slice::from_ref(&file)).unwrap_or_default() {
            files.extend(script.sources.iter().map(|source| PathBuf::from(&source.name)));
            let profiles = script.cases.iter().filter_map(|case| case.header.profile.as_ref());
            files.extend(profiles.map(PathBuf::from).filter(|profile| profile.extension().is_some()));
        }
        files.insert(file);
    }
    files
}

/// When these files were changed, and scripts that have come since.
fn stamps(files: &BTreeSet<PathBuf>, call: &Call<'_>) -> Stamps {
    let come = script_files(&paths(call)).unwrap_or_default();
    let changed = |file: &Path| std::fs::metadata(file).and_then(|about| about.modified()).ok();
    files.iter().chain(&come).map(|file| (file.clone(), changed(file))).collect()
}

/// The terminal's file and those that it names.
fn terminal(call: &Call<'_>) -> Vec<PathBuf> {
    let files = call.switches.terminal_files().unwrap_or_default();
    files.into_iter().map(|(path, _)| path).chain(call.switches.terminal.clone()).collect()
}
