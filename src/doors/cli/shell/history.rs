//! The lines of earlier conversations, in a file for its owner alone. Only commands are kept that
//! hold nothing to be masked and put no PIN at stake.

use crate::observers::script::{Moment, Said};
use crate::words::decode::{Masker, judge};
use crate::words::iso7816::Effect;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Most lines that are kept.
const LINES: usize = 1000;
/// The most of the file that is read, bytes.
const BYTES: u64 = 1 << 20;

/// The history of one user.
pub(super) struct History {
    /// The file; `None` where no folder is known.
    path: Option<PathBuf>,
}

impl History {
    pub(super) fn at(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// The lines, oldest first; none where there is no file, or no such one.
    pub(super) fn lines(&self) -> Vec<String> {
        let Some(path) = self.path.as_deref().filter(|path| fits(path)) else { return Vec::new() };
        let text = fs::read_to_string(path).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all.iter().skip(all.len().saturating_sub(LINES)).map(|line| (*line).to_owned()).collect()
    }

    /// Keeps a line for later, if it may be kept. That it could not be is no matter of the card's.
    pub(super) fn keep(&self, line: &str, said: &Said) {
        let Some(path) = self.path.as_deref().filter(|_| may_be_kept(said)) else { return };
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let _ = options.open(path).and_then(|mut file| writeln!(file, "{line}"));
    }
}

fn fits(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= BYTES)
}

/// Whether every command of a line may be read by whoever reads the file.
fn may_be_kept(said: &Said) -> bool {
    let harmless = |moment: &Moment| match moment {
        Moment::Exchange { command, .. } => {
            judge(command).1 < Effect::Destroys && Masker::new().command(command) == *command
        }
        _ => false,
    };
    !said.moments.is_empty() && said.moments.iter().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::iso7816::{CommandApdu, ResponseApdu};

    fn said(hex: &str) -> Said {
        let command = CommandApdu::parse(&parse_hex(hex).unwrap()).unwrap();
        let response = ResponseApdu::ok([]);
        Said { moments: vec![Moment::Exchange { line: 1, command, response, micros: 0 }], ..Said::default() }
    }

    #[test]
    fn commands_are_kept_and_secrets_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::at(Some(folder.path().join("state/shell_history")));
        history.keep("get data 9F79", &said("80CA9F7900"));
        history.keep("verify 123456", &said("0020008008261234 56FFFFFFFF"));
        history.keep("let pin = 123456", &Said::default());
        // A PAN in what a terminal would store.
        history.keep("put", &said("80E200000A5A084111111111111111"));
        assert_eq!(history.lines(), ["get data 9F79"]);
        assert!(History::at(None).lines().is_empty());
    }

    #[test]
    fn a_long_history_is_read_from_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shell_history");
        let text: String = (0..1500).map(|number| format!("line {number}\n")).collect();
        fs::write(&path, text).unwrap();
        let lines = History::at(Some(path)).lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "line 500"));
    }
}
