//! Tables: rows of cells between `|`. The first row names the columns.

use super::expression::expression;
use crate::observers::script::cursor::{Cursor, Line};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::proof::{CLAUSE, Proof};
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Expression, Table};
use crate::observers::script::value::Value;

/// A row as it was read.
#[derive(Debug, Clone)]
pub(super) struct Row {
    span: Span,
    cells: Vec<Cell>,
}

/// A cell: its text and its value.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    value: Expression,
}

/// Rows that stand below each other, so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    columns: Vec<String>,
    rows: Vec<(Span, Vec<Expression>)>,
}

/// The rest of a row, after its first `|`.
pub(super) fn row(cursor: &mut Cursor<'_>, begin: Span) -> Result<Row, ParseError> {
    let mut cells = Vec::new();
    while !cursor.is_at_end() {
        let (line, text, span, closed) = cursor.cell();
        if !closed {
            return Err(ParseError::new(Problem::RowOpen, span));
        }
        cells.push(Cell { value: value(&line, &text, span)?, text });
    }
    Ok(Row { span: begin, cells })
}

/// A cell is an expression, or free text where it is none that begins like one.
fn value(line: &Line, text: &str, span: Span) -> Result<Expression, ParseError> {
    let mut cursor = line.cursor();
    let read = expression(&mut cursor).and_then(|value| cursor.end().map(|()| value));
    match read {
        Err(error) if text.starts_with(['"', '$']) || text.contains('(') => Err(error),
        Err(_) => Ok(Expression::literal(Value::Text(text.to_owned()), span)),
        Ok(value) => Ok(value),
    }
}

impl Cell {
    /// Its value in a column: what the case says of itself is text, whatever it looks like.
    fn of(self, column: &str) -> Expression {
        match Proof::WORDS.contains(&column) || column == CLAUSE {
            true => Expression::literal(Value::Text(self.text), self.value.span),
            false => self.value,
        }
    }
}

impl Rows {
    /// Takes a row: the first one names the columns.
    pub(super) fn take(&mut self, row: Row) -> Result<(), ParseError> {
        if self.columns.is_empty() {
            for cell in &row.cells {
                let is_name = cell.text.starts_with(|c: char| c.is_alphabetic())
                    && cell.text.chars().all(|c| c.is_alphanumeric() || c == '_')
                    && !self.columns.contains(&cell.text);
                if !is_name {
                    let problem = Problem::Column { found: cell.text.clone() };
                    return Err(ParseError::new(problem, cell.value.span));
                }
                self.columns.push(cell.text.clone());
            }
            return match self.columns.is_empty() {
                true => Err(ParseError::new(Problem::Column { found: String::new() }, row.span)),
                false => Ok(()),
            };
        }
        let (expected, found) = (self.columns.len(), row.cells.len());
        if expected != found {
            return Err(ParseError::new(Problem::RowCells { expected, found }, row.span));
        }
        let cells = self.columns.iter().zip(row.cells).map(|(column, cell)| cell.of(column));
        self.rows.push((row.span, cells.collect()));
        Ok(())
    }

    /// Whether a row was taken.
    pub(super) fn is_begun(&self) -> bool {
        !self.columns.is_empty()
    }

    /// The table, where it has a row below the names.
    pub(super) fn table(self, span: Span) -> Result<Table, ParseError> {
        match self.rows.is_empty() {
            true => Err(ParseError::new(Problem::TableEmpty, span)),
            false => Ok(Table { columns: self.columns, rows: self.rows }),
        }
    }
}
