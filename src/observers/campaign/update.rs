//! `--update`: what a script expects becomes what came, where the expected value stands in
//! the script as it is.

use crate::observers::script::{CaseRun, Outcome, Place};

/// A script's text with the values that came, and how many were changed; places in other
/// files are passed over. Rows of a table share their lines: the first one counts.
pub fn updated<'a>(file: &str, text: &str, runs: impl Iterator<Item = &'a CaseRun>) -> (String, usize) {
    let mut changes: Vec<(&Place, &str)> = Vec::new();
    for run in runs {
        let Outcome::Failed(failures) = &run.outcome else { continue };
        for (place, came) in failures.iter().filter_map(|failure| failure.update.as_ref()) {
            let is_known =
                changes.iter().any(|(other, _)| (other.line, other.column) == (place.line, place.column));
            if place.file == file && !is_known {
                changes.push((place, came));
            }
        }
    }
    let ending = if text.ends_with('\n') { "\n" } else { "" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // From the end of a line to its beginning, so that columns stay right.
    changes.sort_by_key(|(place, _)| std::cmp::Reverse((place.line, place.column)));
    for (place, came) in &changes {
        if let Some(line) = lines.get_mut(place.line.saturating_sub(1)) {
            let letters: Vec<char> = line.chars().collect();
            let begin = place.column.saturating_sub(1).min(letters.len());
            let end = (begin + place.width).min(letters.len());
            let (before, after) = (letters[..begin].iter(), letters[end..].iter());
            *line = before.collect::<String>() + came + &after.collect::<String>();
        }
    }
    (lines.join("\n") + ending, changes.len())
}
