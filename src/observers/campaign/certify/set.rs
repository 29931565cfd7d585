//! The set that comes with the program, so that it is there wherever the program is.

use crate::observers::campaign::error::CampaignError;
use crate::observers::script::parse;
use crate::observers::script::tree::Script;
use std::path::{Component, Path, PathBuf};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Every script of the set.
        const SCRIPTS: &[(&str, &str)] = &[$(
            (concat!("certification/", $name, ".apdu"),
             include_str!(concat!("../../../../apdu-scripts/certification/", $name, ".apdu")))
        ),*];
    };
}

files! {
    "card/selection",
    "card/directory",
    "card/options",
    "card/records",
    "card/data",
    "card/pin",
    "card/cryptogram",
    "card/issuer",
    "card/authentication",
    "card/ecash",
    "card/load",
    "card/log",
    "card/tap",
    "card/negative",
    "terminal/selection",
    "terminal/data",
    "terminal/authentication",
    "terminal/restrictions",
    "terminal/verification",
    "terminal/risk",
    "terminal/host",
    "terminal/ecash",
    "terminal/tap",
}

/// What they include.
const INCLUDED: &[(&str, &str)] = &[
    ("_read_records.apdu", include_str!("../../../../apdu-scripts/_read_records.apdu")),
    ("_card_keys.apdu", include_str!("../../../../apdu-scripts/_card_keys.apdu")),
];

/// The scripts of the set that comes with the program.
pub fn shipped_scripts() -> Result<Vec<Script>, CampaignError> {
    let (mut scripts, mut errors) = (Vec::new(), Vec::new());
    for (name, text) in SCRIPTS {
        match parse(name, text, &included) {
            Ok(script) => scripts.push(script),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(scripts) } else { Err(CampaignError::Scripts(errors)) }
}

fn included(from: &str, path: &str) -> Result<(String, String), String> {
    let mut place = PathBuf::from(from);
    place.pop();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                place.pop();
            }
            part => place.push(part),
        }
    }
    let name = place.display().to_string();
    let found = INCLUDED.iter().find(|(known, _)| *known == name);
    found
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .ok_or_else(|| "not part of the set".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observers::campaign::discover::{load_scripts, script_files};

    #[test]
    fn every_file_of_the_set_is_in_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/apdu-scripts/certification");
        let files = script_files(&[folder.into()]).unwrap();
        let shipped = shipped_scripts().unwrap();
        assert_eq!(files.len(), shipped.len(), "a row of SCRIPTS is missing");
        for script in load_scripts(&files).unwrap() {
            assert!(shipped.iter().any(|other| other.sources[0].text == script.sources[0].text));
        }
    }
}
