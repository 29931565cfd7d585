//! The lines of a script as cases and blocks, with what it includes.

use super::header::{HeaderLine, merged};
use super::line::{Item, item};
use super::lua;
use super::names;
use super::part_check;
use super::table::Rows;
use crate::observers::script::cursor::lines;
use crate::observers::script::parse::each::OverHead;
use crate::observers::script::part::{On, Part};
use crate::observers::script::problem::{ParseError, Problem, ScriptError};
use crate::observers::script::source::{Source, Span};
use crate::observers::script::tree::{Case, Each, Expectation, Header, Over, Script, Statement, Step};
use std::borrow::Cow;
use std::sync::Arc;

/// Reads a file that a script includes: given the script's name and the file's, its name
/// as it is shown and its text.
pub type Loader<'a> = dyn Fn(&str, &str) -> Result<(String, String), String> + 'a;

/// Longest script, in bytes.
const LENGTH_LIMIT: usize = 1 << 20;
/// Deepest nesting of blocks, and of files that include others.
const DEPTH_LIMIT: usize = 8;

/// Reads a script: in Lua where its name ends so, else lines of text. Every line that cannot
/// be read is told.
pub fn parse(name: &str, text: &str, load: &Loader<'_>) -> Result<Script, Vec<ScriptError>> {
    let mut reader = Reader::new(load);
    if !lua::is_lua(name) {
        reader.read(name, text);
        return reader.finish();
    }
    reader.marks = Some(0);
    reader.read(name, text);
    lua::with_chunks(reader.finish()?)
}

/// Reads lines that a script in Lua plays, for the part that its case plays: steps, and no
/// cases. `text` has them where they stand in the script, unless they all stand at `place`.
pub(in crate::observers::script) fn steps(
    text: &str,
    part: Option<Part>,
    place: Option<Span>,
) -> Result<Vec<Statement>, Vec<ScriptError>> {
    let none = |_: &str, _: &str| Err("`include` stands at the top of a script in Lua".to_owned());
    let mut reader = Reader::new(&none);
    reader.header.part = part;
    reader.knows_names = true;
    reader.place = place;
    // As of a file that is included: a case or a header stands elsewhere.
    reader.open.push(String::new());
    reader.read("lines", text);
    Ok(reader.finish()?.cases.into_iter().flat_map(|case| case.statements).collect())
}

/// A block that is open.
struct Block {
    head: Head,
    rows: Rows,
    span: Span,
    statements: Vec<Statement>,
}

/// What a block is there for.
enum Head {
    Each(OverHead),
    On(On),
    /// Its line could not be read, which was told; its `end` is no other mistake.
    Unread,
}

/// A case that is open.
struct OpenCase {
    name: String,
    span: Span,
    header: Header,
    rows: Rows,
    statements: Vec<Statement>,
}

struct Reader<'a> {
    load: &'a Loader<'a>,
    sources: Vec<Source>,
    errors: Vec<ParseError>,
    title: Option<String>,
    header: Header,
    before: Vec<Statement>,
    cases: Vec<OpenCase>,
    blocks: Vec<Block>,
    /// Files that are being read, the outermost first.
    open: Vec<String>,
    /// What a comment expects of the next command.
    pending: Option<(Span, Expectation)>,
    /// The source that is Lua, in which a script's own lines are marked.
    marks: Option<usize>,
    /// Whether variables may have their values from elsewhere.
    knows_names: bool,
    /// Where all lines stand; none where they stand as the text has them.
    place: Option<Span>,
}

impl<'a> Reader<'a> {
    fn new(load: &'a Loader<'a>) -> Self {
        Self {
            load,
            sources: Vec::new(),
            errors: Vec::new(),
            title: None,
            header: Header::default(),
            before: Vec::new(),
            cases: Vec::new(),
            blocks: Vec::new(),
            open: Vec::new(),
            pending: None,
            marks: None,
            knows_names: false,
            place: None,
        }
    }

    fn read(&mut self, name: &str, text: &str) {
        let source = self.sources.len();
        self.sources.push(Source { name: name.to_owned(), text: text.to_owned() });
        if text.len() > LENGTH_LIMIT {
            let problem = Problem::TooLong { limit: LENGTH_LIMIT, found: text.len() };
            self.errors.push(ParseError::new(problem, Span { source, line: 1, column: 1, width: 1 }));
            return;
        }
        self.open.push(name.to_owned());
        let is_marked = self.marks == Some(source);
        let text = if is_marked { Cow::Owned(lua::marked(text)) } else { Cow::Borrowed(text) };
        for line in lines(&text, source) {
            let line = match self.place {
                Some(place) => line.at(place),
                None => line,
            };
            let read = item(&mut line.cursor());
            let read = if is_marked { lua::fit(read) } else { read };
            let taken = read.and_then(|(item, span)| self.take(item, span));
            if let Err(error) = taken {
                let mut cursor = line.cursor();
                if cursor.take_word("on") || cursor.take_word("each") {
                    self.open_block(Head::Unread, error.span);
                }
                self.errors.push(error);
            }
        }
        self.open.pop();
    }

    fn take(&mut self, item: Item, span: Span) -> Result<(), ParseError> {
        match item {
            Item::Empty => Ok(()),
            Item::Header(line) => self.header(line, span),
            Item::EffectComment(effect) => {
                // A comment never fails: one that stands elsewhere is prose.
                if self.cases.is_empty() && self.header.effect.is_none() {
                    self.header.effect = Some(effect);
                }
                Ok(())
            }
            Item::Expects(expectation) => {
                self.pending = Some((span, expectation));
                Ok(())
            }
            Item::Case(name) => self.case(name, span),
            Item::Row(row) => {
                let rows = match (self.blocks.last_mut(), self.cases.last_mut()) {
                    (Some(block), _)
                        if matches!(block.head, Head::Each(OverHead::Rows))
                            && block.statements.is_empty() =>
                    {
                        &mut block.rows
                    }
                    (None, Some(case)) if case.statements.is_empty() => &mut case.rows,
                    _ => return Err(ParseError::new(Problem::RowAlone, span)),
                };
                rows.take(row)
            }
            Item::Each(over) => {
                if self.blocks.len() >= DEPTH_LIMIT {
                    return Err(ParseError::new(Problem::Depth { limit: DEPTH_LIMIT }, span));
                }
                self.open_block(Head::Each(over), span);
                Ok(())
            }
            Item::On(_) if !self.blocks.is_empty() => Err(part_check::within(span)),
            Item::On(on) => {
                self.open_block(Head::On(on), span);
                Ok(())
            }
            Item::End => self.end(span),
            Item::Include(path) => self.include(&path, span),
            Item::Step(step) => {
                let sends = matches!(step, Step::Command(_) | Step::Raw(_));
                self.put(Statement { span, step });
                if let Some((span, expectation)) = self.pending.take_if(|_| sends) {
                    self.put(Statement { span, step: Step::Expect(expectation) });
                }
                Ok(())
            }
        }
    }

    fn open_block(&mut self, head: Head, span: Span) {
        self.blocks.push(Block { head, rows: Rows::default(), span, statements: Vec::new() });
    }

    fn put(&mut self, statement: Statement) {
        match (self.blocks.last_mut(), self.cases.last_mut()) {
            (Some(block), _) => block.statements.push(statement),
            (None, Some(case)) => case.statements.push(statement),
            (None, None) => self.before.push(statement),
        }
    }

    fn header(&mut self, line: HeaderLine, span: Span) -> Result<(), ParseError> {
        let late = |line: &HeaderLine| ParseError::new(Problem::HeaderLate { header: line.word() }, span);
        let is_included = self.open.len() > 1;
        match self.cases.last_mut() {
            _ if !self.blocks.is_empty() || is_included => Err(late(&line)),
            Some(case) if case.statements.is_empty() => line.put(&mut case.header, None, span),
            None if self.before.is_empty() => line.put(&mut self.header, Some(&mut self.title), span),
            _ => Err(late(&line)),
        }
    }

    fn case(&mut self, name: String, span: Span) -> Result<(), ParseError> {
        if let Some(path) = self.open.get(1..).and_then(|inner| inner.last()) {
            return Err(ParseError::new(Problem::IncludeCases { path: path.clone() }, span));
        }
        if !self.blocks.is_empty() {
            return Err(ParseError::new(Problem::CaseWithin, span).hint("close it with `end` first"));
        }
        let twice = self.cases.iter().any(|case| case.name == name);
        let problem = Problem::CaseTwice { name: name.clone() };
        self.cases.push(OpenCase {
            name,
            span,
            header: Header::default(),
            rows: Rows::default(),
            statements: Vec::new(),
        });
        if twice { Err(ParseError::new(problem, span)) } else { Ok(()) }
    }

    fn end(&mut self, span: Span) -> Result<(), ParseError> {
        let block = self.blocks.pop().ok_or_else(|| ParseError::new(Problem::EndAlone, span))?;
        let (rows, statements) = (block.rows, block.statements);
        let each = |over, statements| Step::Each(Box::new(Each { over, statements }));
        let step = match block.head {
            Head::Each(OverHead::Records(value)) => each(Over::Records(value), statements),
            Head::Each(OverHead::Numbers(name, from, to)) => each(Over::Numbers(name, from, to), statements),
            Head::Each(OverHead::Rows) => each(Over::Rows(rows.table(block.span)?), statements),
            Head::Unread => return Ok(()),
            Head::On(on) => Step::On(Arc::new(On { statements, ..on })),
        };
        self.put(Statement { span: block.span, step });
        Ok(())
    }

    fn include(&mut self, path: &str, span: Span) -> Result<(), ParseError> {
        if self.open.len() > DEPTH_LIMIT {
            return Err(ParseError::new(Problem::Depth { limit: DEPTH_LIMIT }, span));
        }
        let from = self.open.last().cloned().unwrap_or_default();
        let (name, text) = (self.load)(&from, path)
            .map_err(|cause| ParseError::new(Problem::Include { path: path.to_owned(), cause }, span))?;
        if self.open.contains(&name) {
            return Err(ParseError::new(Problem::IncludeCycle { path: name }, span));
        }
        self.read(&name, &text);
        Ok(())
    }

    fn finish(mut self) -> Result<Script, Vec<ScriptError>> {
        for block in std::mem::take(&mut self.blocks) {
            let problem = match block.head {
                Head::On(_) => Problem::OnOpen,
                Head::Each(_) => Problem::EachOpen,
                Head::Unread => continue,
            };
            let error = ParseError::new(problem, block.span);
            self.errors.push(error.hint("close it with a line that says `end`"));
        }
        let whole = Span { source: 0, line: 1, column: 1, width: 1 };
        let mut cases = Vec::new();
        if self.cases.is_empty() {
            let statements = std::mem::take(&mut self.before);
            let header = self.header.clone();
            cases.push(Case { name: String::new(), header, table: None, statements, span: whole });
        }
        for case in std::mem::take(&mut self.cases) {
            let table = match case.rows.is_begun() {
                false => None,
                true => match case.rows.table(case.span) {
                    Ok(table) => Some(table),
                    Err(error) => {
                        // A row that could not be read was told already.
                        if self.errors.is_empty() {
                            self.errors.push(error);
                        }
                        None
                    }
                },
            };
            cases.push(Case {
                name: case.name,
                header: merged(&self.header, case.header),
                table,
                statements: [self.before.as_slice(), &case.statements].concat(),
                span: case.span,
            });
        }
        // A line that was not read may have been the one that names a variable.
        if self.errors.is_empty() {
            if !self.knows_names {
                self.errors.extend(cases.iter().flat_map(names::check));
            }
            self.errors.extend(cases.iter().flat_map(part_check::check));
            self.errors.dedup();
        }
        let sources = self.sources;
        match self.errors.is_empty() {
            true => Ok(Script { sources, title: self.title, cases }),
            false => Err(self.errors.into_iter().map(|error| error.placed(&sources)).collect()),
        }
    }
}
