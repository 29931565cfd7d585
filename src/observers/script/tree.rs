//! A script as it was read: cases, statements, expectations, expressions. Nothing is
//! known here of how they are written or what comes of them.

use super::errand::Errand;
use super::function_row::Function;
use super::part::{Action, Demand, On, OutcomeWord, Part, SentTest};
use super::pattern::{BytePart, StatusPattern};
use super::proof::CLAUSE;
pub use super::proof::Proof;
use super::source::{Source, Span};
use super::value::{Value, View};
use crate::air::link::Interface;
use crate::words::iso7816::{CommandRow, Effect, Parameter};
use crate::words::tlv::Tag;
use crate::world::TomlChange;
use std::sync::Arc;

/// A script.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its text and that of what it includes.
    pub sources: Vec<Source>,
    /// What it is about; `None` where it does not say.
    pub title: Option<String>,
    /// Its cases, at least one.
    pub cases: Vec<Case>,
}

/// A case: what is played on one fresh card.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name; empty where the script has no `case`, and is one as a whole.
    pub name: String,
    /// What is said of it.
    pub header: Header,
    /// Its parameters: the case is played once for each row.
    pub table: Option<Table>,
    /// What stands before the first `case`, and then its own.
    pub statements: Vec<Statement>,
    /// Where it begins.
    pub span: Span,
}

/// What is said of a script or a case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// The clause that it proves.
    pub clause: Option<String>,
    /// The worst that it may do to a card.
    pub effect: Option<Effect>,
    /// The simulated card that it wants.
    pub profile: Option<String>,
    /// How the card is reached.
    pub interface: Option<Interface>,
    /// The seed of its clock and randomness.
    pub seed: Option<u64>,
    /// What a case of a certification set says of itself.
    pub proof: Proof,
    /// Which part it plays; the terminal where nothing is said.
    pub part: Option<Part>,
    /// What is changed in the card's profile.
    pub personalise: Vec<TomlChange>,
    /// What is changed in the terminal's file.
    pub configure: Vec<TomlChange>,
}

/// A table: names of columns, and rows of values.
#[derive(Debug, Clone)]
pub struct Table {
    /// The names.
    pub columns: Vec<String>,
    /// The rows, each with its place.
    pub rows: Vec<(Span, Vec<Expression>)>,
}

/// One line of a script, or a block of them.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where.
    pub span: Span,
    /// What.
    pub step: Step,
}

/// What a statement does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends a command in words.
    Command(Box<CommandCall>),
    /// Sends bytes.
    Raw(Vec<Expression>),
    /// Judges the last answer.
    Expect(Expectation),
    /// Keeps something of the last answer.
    Capture(String, Subject, Option<View>),
    /// Gives a variable a value.
    Let(String, Expression),
    /// Gives a data element of the terminal a value.
    Set(Tag, Expression),
    /// Plays a block several times.
    Each(Box<Each>),
    /// Says what happens when something comes.
    On(Arc<On>),
    /// Does something to an answer.
    Action(Action),
    /// Asks the terminal under test to do something.
    Terminal(Box<Demand>),
    /// Has people or programs do something.
    Errand(Box<Errand>),
    /// Looks for something that the terminal has sent.
    Sent(SentTest),
    /// Resets the card.
    Reset,
    /// Ends the case.
    Exit,
    /// Interprets Lua.
    Lua(Arc<Chunk>),
}

/// A case's text in Lua.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The script's text, other cases left blank, so that lines keep their numbers.
    pub text: String,
    /// The part that the case plays.
    pub part: Option<Part>,
}

/// A command in words.
#[derive(Debug, Clone)]
pub struct CommandCall {
    /// Which.
    pub row: &'static CommandRow,
    /// The values of its parameters; a flag has none.
    pub values: Vec<(&'static Parameter, Option<Expression>)>,
    /// Data elements of the terminal that it sets before; where it is waited for, those that it
    /// must hold.
    pub elements: Vec<(Tag, Expression)>,
    /// Bytes of the header, and Le, that it writes over.
    pub header: Vec<(HeaderPart, Expression)>,
}

/// A part of a command's header that a script may write over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderPart {
    /// Class byte.
    Cla,
    /// Instruction byte.
    Ins,
    /// First parameter.
    P1,
    /// Second parameter.
    P2,
    /// Expected length; the word `none` leaves it out.
    Le,
}

/// What is expected of an answer.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Of what.
    pub subject: Subject,
    /// Seen how, where that is said.
    pub view: Option<View>,
    /// What.
    pub test: Test,
    /// Where the value stands that is compared with.
    pub value_span: Span,
}

/// What is looked at.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The status word.
    Status,
    /// The answer's data.
    Data,
    /// The answer's data and status word.
    Answer,
    /// How long the exchange took, in milliseconds.
    Time,
    /// A data object: by one tag wherever it is, by several from the top.
    Path(Vec<Tag>),
    /// A field of a message.
    Field(u8),
    /// The PIN that a message brings.
    Pin,
    /// What a transaction came to.
    Outcome,
    /// Why.
    Reason,
    /// What the cardholder was shown.
    Shown,
    /// What the terminal says that it did.
    Told,
    /// The card's balance after it.
    Balance,
    /// The exit code of a program.
    Exit,
    /// What a program wrote.
    Output,
    /// Anything else.
    Value(Expression),
}

/// What must be so.
#[derive(Debug, Clone)]
pub enum Test {
    /// The status word fits one of these.
    Status(Vec<StatusPattern>),
    /// The status word fits a value, which is one when the script is played.
    StatusOf(Expression),
    /// Compares.
    Compare(Comparison, Expression),
    /// Lies between, both ends included.
    Between(Expression, Expression),
    /// Is one of these.
    OneOf(Vec<Expression>),
    /// The bytes fit a pattern.
    Like(Vec<PatternPart>),
    /// A regular expression fits the text, or the bytes in hexadecimal.
    Matches(regex_lite::Regex),
    /// A bit is set, or is not.
    Bit {
        /// Byte, from 1.
        byte: u8,
        /// Bit, 8 to 1.
        bit: u8,
        /// What it says.
        words: String,
        /// Whether it must be set.
        set: bool,
    },
    /// It is one of these ends.
    Outcome(Vec<&'static OutcomeWord>),
    /// It is there, or is not.
    Exists(bool),
}

/// A part of a byte pattern.
#[derive(Debug, Clone)]
pub enum PatternPart {
    /// Bytes or a gap.
    Fixed(BytePart),
    /// The bytes of a value.
    Value(Expression),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A block that is played several times.
#[derive(Debug, Clone)]
pub struct Each {
    /// Over what.
    pub over: Over,
    /// What is played.
    pub statements: Vec<Statement>,
}

/// What a block is played for.
#[derive(Debug, Clone)]
pub enum Over {
    /// The records of an AFL or a log entry: `$sfi`, `$record`, `$signed`.
    Records(Expression),
    /// The rows of a table.
    Rows(Table),
    /// The numbers from one to another, under this name.
    Numbers(String, Expression, Expression),
}

/// A value, or how it is worked out.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Where.
    pub span: Span,
    /// What.
    pub node: Node,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum Node {
    /// As it stands.
    Literal(Value),
    /// The value of a variable, or of a data element that was seen.
    Variable(String),
    /// What a function makes of its arguments.
    Call(&'static Function, Vec<Expression>),
    /// A sum.
    Add(Box<Expression>, Box<Expression>),
    /// A difference.
    Subtract(Box<Expression>, Box<Expression>),
}

impl Case {
    /// What is said of the case with one row of its table: a column that is called like a
    /// word of [`Proof`], or `clause`, counts before what the case says.
    pub fn header_of(&self, row: Option<usize>) -> Header {
        let mut header = self.header.clone();
        let Some((table, row)) = self.table.as_ref().zip(row) else { return header };
        let cells = table.rows.get(row).map_or(&[][..], |(_, cells)| cells);
        for (column, cell) in table.columns.iter().zip(cells) {
            let Node::Literal(value) = &cell.node else { continue };
            if Proof::WORDS.contains(&column.as_str()) {
                header.proof.put(column, value.text());
            } else if column == CLAUSE {
                header.clause = Some(value.text());
            }
        }
        header
    }
}

impl HeaderPart {
    /// The parts by name.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("cla", Self::Cla), ("ins", Self::Ins), ("p1", Self::P1), ("p2", Self::P2), ("le", Self::Le)];
}

impl Comparison {
    /// The signs.
    pub const SIGNS: &'static [(&'static str, Self)] = &[
        ("=", Self::Equal),
        ("!=", Self::Unequal),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::More),
        (">=", Self::AtLeast),
    ];

    /// Its sign.
    pub fn sign(self) -> &'static str {
        Self::SIGNS.iter().find(|row| row.1 == self).map_or("=", |row| row.0)
    }

    /// Whether two values that compare so satisfy it.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

impl Expression {
    /// A value as it stands.
    pub fn literal(value: Value, span: Span) -> Self {
        Self { span, node: Node::Literal(value) }
    }
}
