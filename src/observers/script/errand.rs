//! What a script asks of people and of the bench around a card: to do something, to say
//! what they see, to run a program. Who asks them, and how, is a door's matter.

use super::lua::Interpreter;
use super::tree::Expression;
use std::time::Duration;

/// Something that is asked.
#[derive(Debug, Clone)]
pub struct Errand {
    /// What kind of thing.
    pub kind: ErrandKind,
    /// The words, or the program and its arguments.
    pub text: Expression,
    /// How many seconds it may take.
    pub within: Option<Expression>,
}

/// What kind of thing is asked.
#[derive(Debug, Clone)]
pub enum ErrandKind {
    /// A person does something.
    Prompt,
    /// A person says what is to be seen: yes or no, or one of these, under a name.
    Verdict(Option<(String, Vec<Expression>)>),
    /// A program is run.
    Run,
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on standard output.
    pub output: String,
}

/// Who carries errands out. An error says why nobody has.
pub trait Attendant: Sync {
    /// Asks a person to take one of some choices; gives its place.
    fn ask(&self, question: &str, choices: &[String], within: Duration) -> Result<usize, String>;

    /// Runs a program.
    fn run(&self, command: &str, within: Duration) -> Result<Ran, String>;

    /// The program that interprets Lua, in a process of its own for each case.
    fn interpreter(&self) -> Result<&Interpreter, String>;

    /// Tells a person what a terminal elsewhere is waited for. Nobody has to hear it: whether
    /// it was done is seen at the card and at the host.
    fn tell(&self, _what: &str) {}
}

/// Nobody is there, and no program may be run but what interprets Lua.
#[derive(Debug, Clone, Default)]
pub struct Unattended {
    /// What interprets Lua; without it cases in Lua are not run.
    pub lua: Option<Interpreter>,
}

impl Attendant for Unattended {
    fn ask(&self, _: &str, _: &[String], _: Duration) -> Result<usize, String> {
        Err("nobody is there who could be asked".into())
    }

    fn run(&self, _: &str, _: Duration) -> Result<Ran, String> {
        Err("programs are run with --allow-run alone".into())
    }

    fn interpreter(&self) -> Result<&Interpreter, String> {
        self.lua.as_ref().ok_or_else(|| "no program that interprets Lua is named here".into())
    }
}
