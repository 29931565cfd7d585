//! Where lines come from: a person at a terminal, with history and completion, or a pipe.

use super::completion::{Candidate, complete};
use super::history::History;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::journal::history_file;
use crate::doors::cli::shared::switches::Switches;
use crate::observers::script::Said;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Editor, Helper};
use std::io::{BufRead, IsTerminal, Read, StdinLock};

const PROMPT: &str = "card> ";
/// The longest line, bytes: an extended APDU in hexadecimal with spaces between.
const LINE_BYTES: u64 = 256 * 1024;

/// Where lines come from.
pub(super) enum Input {
    Typed { editor: Box<Editor<Words, MemHistory>>, history: History },
    Piped(StdinLock<'static>),
}

impl Input {
    pub(super) fn open(switches: &Switches) -> Result<Self, Failure> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self::Piped(stdin.lock()));
        }
        let failed = |cause: ReadlineError| Failure::Usage(format!("this terminal cannot be used: {cause}"));
        // A list tells numbers by their names.
        let config = Config::builder()
            .auto_add_history(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .build();
        let mut editor =
            Editor::with_history(config.clone(), MemHistory::with_config(&config)).map_err(failed)?;
        editor.set_helper(Some(Words));
        let history = History::at(history_file(switches));
        for line in history.lines() {
            editor.add_history_entry(line).map_err(failed)?;
        }
        Ok(Self::Typed { editor: Box::new(editor), history })
    }

    /// Whether a person types.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::Typed { .. })
    }

    /// The next line; `None` where there is none any more.
    pub(super) fn next_line(&mut self) -> Result<Option<String>, Failure> {
        match self {
            Self::Typed { editor, .. } => match editor.readline(PROMPT) {
                Ok(line) => Ok(Some(line.trim().to_owned())),
                // Ctrl-C takes back what was typed.
                Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
                Err(ReadlineError::Eof) => Ok(None),
                Err(cause) => Err(Failure::Usage(format!("reading a line: {cause}"))),
            },
            Self::Piped(stdin) => {
                let mut bytes = Vec::new();
                let read = stdin.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes);
                read.map_err(|cause| Failure::Usage(format!("reading standard input: {cause}")))?;
                Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).trim().to_owned()))
            }
        }
    }

    /// Keeps a line for the next time.
    pub(super) fn keep(&self, line: &str, said: &Said) {
        if let Self::Typed { history, .. } = self {
            history.keep(line, said);
        }
    }
}

/// What rustyline asks about a line that is being typed.
pub(super) struct Words;

impl Helper for Words {}
impl Highlighter for Words {}
impl Validator for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let (begin, found) = complete(before);
        let typed = &before[begin..];
        let goes_on = |candidate: &Candidate| {
            candidate.replacement.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
        };
        // Of several that a name has found, what they have in common would take the name's place.
        let stays = found.len() > 1 && !found.iter().all(goes_on);
        let pair = |Candidate { display, replacement }: Candidate| Pair {
            display,
            replacement: if stays { typed.to_owned() } else { replacement },
        };
        Ok((begin, found.into_iter().map(pair).collect()))
    }
}
