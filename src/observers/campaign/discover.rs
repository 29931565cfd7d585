//! Finds scripts and reads them, with the files that they include.

use super::error::CampaignError;
use crate::observers::script::{parse, tree::Script};
use crate::world::read_text;
use std::path::{Path, PathBuf};

/// How the files of scripts end.
pub const SCRIPT_ENDINGS: &[&str] = &["apdu", "lua", "scriptor"];

/// Deepest folder that is looked into.
const DEPTH_LIMIT: usize = 16;

/// The scripts at some paths: a file as it is named, a folder with all below it. Files and
/// folders whose names begin with `_` or `.` are for others to include.
pub fn script_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CampaignError> {
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => walk(path, 0, &mut files)?,
            false => files.push(path.clone()),
        }
    }
    if files.is_empty() {
        let places = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(CampaignError::NoScript { places });
    }
    Ok(files)
}

/// Reads scripts. Every line of every script that cannot be read is told.
pub fn load_scripts(files: &[PathBuf]) -> Result<Vec<Script>, CampaignError> {
    let (mut scripts, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        let text = read(file)?;
        match parse(&file.display().to_string(), &text, &included) {
            Ok(script) => scripts.push(script),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(scripts) } else { Err(CampaignError::Scripts(errors)) }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CampaignError> {
    let failed = |cause: std::io::Error| CampaignError::File {
        path: folder.display().to_string(),
        cause: cause.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() && depth < DEPTH_LIMIT {
            walk(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|end| SCRIPT_ENDINGS.iter().any(|known| end == *known)) {
            files.push(path);
        }
    }
    Ok(())
}

/// A file that a script includes, named from the script's own folder.
fn included(from: &str, path: &str) -> Result<(String, String), String> {
    let file = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
    let text = read_text(&file).map_err(|cause| cause.to_string())?;
    Ok((file.display().to_string(), text))
}

fn read(file: &Path) -> Result<String, CampaignError> {
    read_text(file)
        .map_err(|cause| CampaignError::File { path: file.display().to_string(), cause: cause.to_string() })
}
