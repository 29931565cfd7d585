//! What goes over the pipe between a case and the worker that interprets its Lua: a line of
//! JSON for each message.

use serde::{Deserialize, Serialize};

/// Longest message, bytes.
pub(super) const LINE_LIMIT: u64 = 1 << 20;
/// Longest text that a script hands over, bytes.
pub(super) const TEXT_LIMIT: usize = 1 << 16;

/// The first message to a worker: what it is to interpret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    /// The Lua text.
    pub text: String,
    /// The seed of its random numbers.
    pub seed: i64,
    /// How long it may work by itself, milliseconds.
    pub time_ms: u64,
    /// The memory that it may use, bytes.
    pub memory_bytes: usize,
}

/// What a worker says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Said {
    /// It wants something, and waits for words.
    Ask(Ask),
    /// What the function that was to be run has given.
    Gave(Word),
    /// The script has come to its end.
    Done,
    /// The script has come to an error.
    Failed {
        /// The line, where it is known.
        line: Option<usize>,
        /// What Lua says.
        message: String,
    },
    /// The script has worked for too long.
    Stopped {
        /// About where it was.
        line: Option<usize>,
    },
}

/// What a worker hears after that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Heard {
    /// What it has asked for.
    Words(Vec<Word>),
    /// Something has come that the script waits for: it is to run its function of this number.
    Run(usize),
}

/// What a script asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::observers::script) struct Ask {
    /// The line that asks.
    pub line: usize,
    /// For what.
    pub deed: Deed,
    /// With what.
    pub words: Vec<Word>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::observers::script) enum Deed {
    /// A command: its name or bytes, its arguments, the status words that may come.
    Send,
    /// Lines of a text script.
    Play,
    /// A function that is run when something comes: what, and its number.
    On,
    /// A value of an answer, or of anything: the answer's number or nothing, and the text.
    Look,
    /// Whether something fits: the answer's number or nothing, and the text.
    Fits,
    /// That something is so: whether it is, and the words for it.
    Check,
    /// That two values are equal: both, and the words for it.
    Equal,
    /// A function of the language: its name, and its arguments.
    Call,
    /// The value of a variable: its name.
    Get,
    /// Gives a variable a value: its name, and the value.
    Put,
    /// A line for the report.
    Note,
    /// Leaves the case not run: why.
    Skip,
}

impl Deed {
    /// Everything, by the names that the prelude uses.
    pub(super) const ALL: &'static [(&'static str, Self)] = &[
        ("send", Self::Send),
        ("play", Self::Play),
        ("on", Self::On),
        ("look", Self::Look),
        ("fits", Self::Fits),
        ("check", Self::Check),
        ("equal", Self::Equal),
        ("call", Self::Call),
        ("get", Self::Get),
        ("put", Self::Put),
        ("note", Self::Note),
        ("skip", Self::Skip),
    ];
}

/// A value that goes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::observers::script) enum Word {
    /// `nil`.
    Nothing,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text: bytes in hexadecimal, an amount, a word, or characters, as a script means it.
    Text(String),
    /// Characters, whatever they look like.
    Quoted(String),
    /// Named values, and those that have numbers for names.
    Named(Vec<(String, Word)>),
}
