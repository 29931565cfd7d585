//! What can be wrong with a script's text, where, and what to do about it. Every message
//! has its row in `tests/scripts/messages.toml`.

use super::source::{Place, Source, Span};
use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum Problem {
    #[error("expected a command, its bytes in hexadecimal, or a statement, found {found:?}")]
    FirstWord { found: String },
    #[error("expected hexadecimal digits, two a byte, found {found:?}")]
    Hex { found: String },
    #[error("expected a command APDU: {cause}")]
    Apdu { cause: String },
    #[error("expected {expected}, found {found}")]
    Expected { expected: String, found: String },
    #[error("no token of a script begins with {found:?}")]
    Letter { found: char },
    #[error("expected a name after $, such as $balance")]
    VariableName,
    #[error("expected a closing quote: the text does not end on its line")]
    TextOpen,
    #[error("expected \\\" or \\\\ after a backslash within quotes")]
    Escape,
    #[error("expected a closing slash: the regular expression does not end on its line")]
    RegexOpen,
    #[error("the regular expression cannot be read: {cause}")]
    Regex { cause: String },
    #[error("expected a status word such as 9000, 61xx or 6A8?, found {found:?}")]
    Status { found: String },
    #[error("{found} is a status word and a tag, {name}")]
    StatusOrTag { found: String, name: &'static str },
    #[error("expected a tag such as 9F79, found {found:?}")]
    Tag { found: String },
    #[error("expected a test such as =, >=, has, like or exists after {subject}, found {found}")]
    Test { subject: String, found: String },
    #[error("{tag} has no bit called {found:?}")]
    Bit { tag: String, found: String },
    #[error("{tag} has no table of bits, or none that is known")]
    NoBits { tag: String },
    #[error("{command} has no parameter called {found:?}")]
    Parameter { command: &'static str, found: String },
    #[error("{command} is missing its {parameter}: {kind}")]
    ParameterMissing { command: &'static str, parameter: &'static str, kind: String },
    #[error("{parameter} is given twice")]
    ParameterTwice { parameter: String },
    #[error("expected {expected} for {parameter}, found {found:?}")]
    ParameterValue { parameter: String, expected: String, found: String },
    #[error("there is no function called {found:?}")]
    Function { found: String },
    #[error("{function} takes {expected}, and is given {found}")]
    FunctionArguments { function: &'static str, expected: String, found: usize },
    #[error("nothing before this line gives ${found} a value")]
    Variable { found: String },
    #[error("{header} stands at the top of a script or right below `case`")]
    HeaderLate { header: &'static str },
    #[error("expected {expected} after {header}, found {found:?}")]
    HeaderValue { header: &'static str, expected: String, found: String },
    #[error("{header} is said twice")]
    HeaderTwice { header: &'static str },
    #[error("expected a name after case")]
    CaseName,
    #[error("there is another case called {name:?}")]
    CaseTwice { name: String },
    #[error("a case begins within `each`")]
    CaseWithin,
    #[error("`end` without `each` or `on`")]
    EndAlone,
    #[error("`each` without `end`")]
    EachOpen,
    #[error("`on` without `end`")]
    OnOpen,
    #[error("`on` stands by itself, not within `each` or another `on`")]
    OnWithin,
    #[error("expected `expect`, `capture`, `let` or what is done to an answer within `on`")]
    WithinOn,
    #[error("what is done to an answer stands within `on`")]
    ActionAlone,
    #[error("expected {expected}, as this is the answer to {kind}")]
    AnswerKind { expected: &'static str, kind: &'static str },
    #[error("{what} is of messages to the host, not of commands")]
    MessageOnly { what: &'static str },
    #[error("a script that plays the {part} sends no commands: the terminal does")]
    PartSends { part: &'static str },
    #[error("{what} as it stands here needs `{needs}` at the top")]
    PartNeeds { what: &'static str, needs: &'static str },
    #[error("there is no kind of message called {found:?}")]
    Message { found: String },
    #[error("there is no outcome called {found:?}")]
    Outcome { found: String },
    #[error("more than {limit} levels of nesting")]
    Depth { limit: usize },
    #[error("a row of a table stands below `case`, `each row` or another row, not here")]
    RowAlone,
    #[error("expected {expected} cells in this row, as in the first, found {found}")]
    RowCells { expected: usize, found: usize },
    #[error("expected | at the end of the row")]
    RowOpen,
    #[error("expected the names of columns in the first row, found {found:?}")]
    Column { found: String },
    #[error("expected at least one row below the names of the columns")]
    TableEmpty,
    #[error("could not read {path:?}: {cause}")]
    Include { path: String, cause: String },
    #[error("{path:?} includes itself")]
    IncludeCycle { path: String },
    #[error("{path:?} has cases of its own: what is included holds steps alone")]
    IncludeCases { path: String },
    #[error("this is no Lua: {cause}")]
    Lua { cause: String },
    #[error("after `---` stands what is said about a script or a case, a row of a table, or include")]
    LuaMark,
    #[error("expected at most {limit} bytes in a script, found {found}")]
    TooLong { limit: usize, found: usize },
}

/// A problem and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParseError {
    pub problem: Box<Problem>,
    pub span: Span,
    pub hint: Option<String>,
}

/// The hint that names a word which is near to what was written.
pub(super) fn did_you_mean(meant: &str) -> String {
    format!("did you mean {meant}?")
}

/// A problem and its hint in one line, for a place that has no room for more.
pub(super) fn in_one_line(problem: &impl fmt::Display, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{problem}; {hint}"),
        None => problem.to_string(),
    }
}

/// A problem of a script, ready to be shown: the line, a caret and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong.
    pub problem: Problem,
    /// Where.
    pub place: Place,
    /// What to do.
    pub hint: Option<String>,
}

impl ParseError {
    /// Without a hint.
    pub(super) fn new(problem: Problem, span: Span) -> Self {
        Self { problem: Box::new(problem), span, hint: None }
    }

    /// With what to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the word that was meant, where one is near.
    #[must_use]
    pub(super) fn meant(mut self, meant: Option<&str>) -> Self {
        if let Some(meant) = meant {
            self.hint = Some(did_you_mean(meant));
        }
        self
    }

    /// With its line.
    pub(super) fn placed(self, sources: &[Source]) -> ScriptError {
        ScriptError { problem: *self.problem, place: Place::of(self.span, sources), hint: self.hint }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n{}", self.place, self.problem, self.place.shown())?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ScriptError {}
