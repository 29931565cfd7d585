//! A script's text and places in it. What a line means is not known here.

use std::fmt;

/// One file of a script: the script itself, or one that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path, as it is shown.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A place in a script: part of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Which of the script's sources.
    pub source: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Characters, at least 1 where it is shown.
    pub width: usize,
}

/// A place with its line, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Characters.
    pub width: usize,
    /// The line's text.
    pub text: String,
}

/// Columns of a line that is shown; what stands behind them is cut.
const SHOWN_COLUMNS: usize = 160;

impl Span {
    /// The whole of a line of a source's text, the blanks around it left out.
    pub fn of_line(source: usize, line: usize, text: &str) -> Self {
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let blanks = text.chars().take_while(|letter| letter.is_whitespace()).count();
        Self { source, line, column: blanks + 1, width: text.trim().chars().count().max(1) }
    }

    /// From this place to the end of another one on the same line.
    #[must_use]
    pub fn to(self, end: Self) -> Self {
        if end.line != self.line || end.column < self.column {
            return self;
        }
        Self { width: end.column + end.width - self.column, ..self }
    }
}

impl Place {
    /// The place of a span among a script's sources.
    pub fn of(span: Span, sources: &[Source]) -> Self {
        let source = sources.get(span.source);
        let line = source.and_then(|source| source.text.lines().nth(span.line.saturating_sub(1)));
        Self {
            file: source.map_or_else(String::new, |source| source.name.clone()),
            line: span.line,
            column: span.column,
            width: span.width,
            text: line.unwrap_or_default().chars().take(SHOWN_COLUMNS).collect(),
        }
    }

    /// The line with a caret below the place, indented; no line feed at the end.
    pub fn shown(&self) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // A tab stays one, so that the caret stands where the eye looks.
        let before = self.text.chars().take(self.column.saturating_sub(1));
        let pad: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let room = self.text.chars().count().saturating_sub(self.column.saturating_sub(1)).max(1);
        let carets = "^".repeat(self.width.clamp(1, room));
        format!("  {number} | {}\n  {margin} | {pad}{carets}", self.text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_below_its_place() {
        let source = Source { name: "a.apdu".into(), text: "SELECT A0\n\texpect 900\n".into() };
        let span = Span { source: 0, line: 2, column: 9, width: 3 };
        let place = Place::of(span, &[source]);
        assert_eq!(place.to_string(), "a.apdu:2:9");
        assert_eq!(place.shown(), "  2 | \texpect 900\n    | \t       ^^^");
        let nowhere = Place::of(Span { line: 9, column: 40, ..span }, &[]);
        assert_eq!(nowhere.shown(), "  9 | \n    | ^");
    }
}
