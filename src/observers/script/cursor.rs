//! A line of a script as characters that know where they stand, and the tokens in it.
//! Lines that end in a backslash go on in the next one. What words mean is not known here.

use super::problem::{ParseError, Problem};
use super::source::Span;

/// A character and its place.
#[derive(Debug, Clone, Copy)]
struct Letter {
    letter: char,
    line: usize,
    column: usize,
}

/// A logical line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    source: usize,
    letters: Vec<Letter>,
    /// Where the line ends, for what is expected after its last token.
    end: (usize, usize),
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, digits, `_` and `?`: a word, hexadecimal digits, a number, a pattern.
    Bare,
    /// Digits, a point and digits.
    Decimal,
    /// Text in quotes, the quotes and escapes taken off.
    Text,
    /// `$name`, the sign taken off.
    Variable,
    /// A sign.
    Sign,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub text: String,
    pub span: Span,
}

/// A place in a line, from which tokens are taken.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    line: &'a Line,
    at: usize,
}

/// Signs, the longer ones first.
const SIGNS: &[&str] = &["..", "!=", "<=", ">=", "=", "<", ">", "/", "(", ")", ",", "+", "-", "|", ":"];

/// The logical lines of a text.
pub(super) fn lines(text: &str, source: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (number, text) in (1..).zip(text.lines()) {
        let (text, goes_on) = match text.trim_end().strip_suffix('\\') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut line = open.take().unwrap_or(Line { source, letters: Vec::new(), end: (number, 1) });
        let letters = (1..).zip(text.chars()).map(|(column, letter)| Letter { letter, line: number, column });
        line.letters.extend(letters);
        line.end = (number, text.trim_end().chars().count() + 1);
        if goes_on {
            // What stands on both sides of the break stays two words.
            line.letters.push(Letter { letter: ' ', line: number, column: line.end.1 });
            open = Some(line);
        } else {
            lines.push(line);
        }
    }
    lines.extend(open);
    lines
}

impl Line {
    /// The line as if all of it stood at one place.
    pub(super) fn at(mut self, place: Span) -> Self {
        let Span { line, column, .. } = place;
        self.letters.iter_mut().for_each(|letter| (letter.line, letter.column) = (line, column));
        Self { end: (line, column), ..self }
    }

    /// The beginning of the line.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        let mut cursor = Cursor { line: self, at: 0 };
        cursor.skip_space();
        cursor
    }
}

impl<'a> Cursor<'a> {
    /// Whether nothing more stands here than white space or a comment.
    pub(super) fn is_at_end(&self) -> bool {
        let mut ahead = self.clone();
        ahead.skip_space();
        ahead.letter().is_none_or(|letter| letter == '#')
    }

    /// The comment that the line holds after this place, without its `#`.
    pub(super) fn comment(&self) -> Option<String> {
        let mut ahead = self.clone();
        ahead.skip_space();
        (ahead.letter() == Some('#')).then(|| ahead.letters_from(ahead.at + 1))
    }

    /// The place of the next token, or of the end of the line.
    pub(super) fn span(&self) -> Span {
        let mut ahead = self.clone();
        ahead.skip_space();
        ahead.span_of(ahead.at, ahead.at + 1)
    }

    /// Everything up to the end of the line or a comment, as free text.
    pub(super) fn free_text(&mut self) -> (String, Span) {
        self.skip_space();
        let begin = self.at;
        let mut end = begin;
        while let Some(letter) = self.line.letters.get(end) {
            let is_comment =
                letter.letter == '#' && (end == begin || self.line.letters[end - 1].letter.is_whitespace());
            if is_comment {
                break;
            }
            end += 1;
        }
        let text: String = self.line.letters[begin..end].iter().map(|letter| letter.letter).collect();
        let text = text.trim_end().to_owned();
        let span = self.span_of(begin, begin + text.chars().count());
        self.at = end;
        (text, span)
    }

    /// The next token without taking it.
    pub(super) fn peek(&self) -> Result<Option<Token>, ParseError> {
        self.clone().next()
    }

    /// Takes the next token; none at the end of the line.
    pub(super) fn next(&mut self) -> Result<Option<Token>, ParseError> {
        self.skip_space();
        let begin = self.at;
        let Some(letter) = self.letter().filter(|letter| *letter != '#') else { return Ok(None) };
        if letter == '"' {
            return self.text().map(Some);
        }
        if letter == '$' {
            self.at += 1;
            let text = self.run(is_word);
            let span = self.span_of(begin, self.at);
            return match text.is_empty() {
                true => Err(ParseError::new(Problem::VariableName, span)),
                false => Ok(Some(Token { kind: Kind::Variable, text, span })),
            };
        }
        if is_word(letter) {
            let mut text = self.run(is_word);
            let mut kind = Kind::Bare;
            let digits = text.chars().all(|c| c.is_ascii_digit());
            let fraction = self.line.letters.get(self.at + 1).is_some_and(|l| l.letter.is_ascii_digit());
            if digits && self.letter() == Some('.') && fraction {
                self.at += 1;
                text = format!("{text}.{}", self.run(|c| c.is_ascii_digit()));
                kind = Kind::Decimal;
            }
            return Ok(Some(Token { kind, text, span: self.span_of(begin, self.at) }));
        }
        for sign in SIGNS {
            if sign.chars().enumerate().all(|(i, c)| self.at(begin + i) == Some(c)) {
                self.at += sign.chars().count();
                let span = self.span_of(begin, self.at);
                return Ok(Some(Token { kind: Kind::Sign, text: (*sign).to_owned(), span }));
            }
        }
        let error = ParseError::new(Problem::Letter { found: letter }, self.span_of(begin, begin + 1));
        // What has one within it, and is no amount, is a name.
        Err(if letter == '.' { error.hint("text stands in quotes: \"2PAY.SYS.DDF01\"") } else { error })
    }

    /// Takes a sign, if it stands here.
    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        self.take_if(|token| token.kind == Kind::Sign && token.text == sign).is_some()
    }

    /// Takes a word, if it stands here.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.take_if(|token| token.kind == Kind::Bare && token.text == word).is_some()
    }

    /// Takes the next token where it is one of these.
    pub(super) fn take_if(&mut self, wanted: impl FnOnce(&Token) -> bool) -> Option<Token> {
        let mut ahead = self.clone();
        let token = ahead.next().ok().flatten().filter(wanted)?;
        *self = ahead;
        Some(token)
    }

    /// What stands in the comment here, as a place of its own.
    pub(super) fn commented(&self) -> Self {
        let mut ahead = self.clone();
        ahead.skip_space();
        ahead.at += 1;
        ahead
    }

    /// Takes a cell of a table, up to the next `|`, which is taken too: the cell as a line
    /// of its own, its text and place, and whether the `|` was there.
    pub(super) fn cell(&mut self) -> (Line, String, Span, bool) {
        self.skip_space();
        let begin = self.at;
        let mut quoted = false;
        while let Some(letter) = self.letter().filter(|letter| *letter != '|' || quoted) {
            quoted ^= letter == '"';
            self.at += 1;
        }
        let text: String = self.line.letters[begin..self.at].iter().map(|letter| letter.letter).collect();
        let text = text.trim_end().to_owned();
        let end = begin + text.chars().count();
        let span = self.span_of(begin, end.max(begin + 1));
        let letters = self.line.letters[begin..end].to_vec();
        let line = Line { source: self.line.source, letters, end: (span.line, span.column + span.width) };
        let closed = self.letter().is_some();
        self.at += usize::from(closed);
        (line, text, span, closed)
    }

    /// Takes `/.../`: a regular expression. A slash within it is written `\/`.
    pub(super) fn regex(&mut self) -> Result<Token, ParseError> {
        self.skip_space();
        let begin = self.at;
        let found = self.clone();
        if self.letter() != Some('/') {
            return Err(found.expected("a regular expression such as /^62/"));
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            match (self.letter(), self.at(self.at + 1)) {
                (Some('\\'), Some('/')) => {
                    text.push('/');
                    self.at += 2;
                }
                (Some('/'), _) => break,
                (Some(letter), _) => {
                    text.push(letter);
                    self.at += 1;
                }
                (None, _) => {
                    return Err(ParseError::new(Problem::RegexOpen, self.span_of(begin, begin + 1)));
                }
            }
        }
        self.at += 1;
        Ok(Token { kind: Kind::Text, text, span: self.span_of(begin, self.at) })
    }

    /// The error of what stands here, where something else must.
    pub(super) fn expected(&self, expected: impl Into<String>) -> ParseError {
        let found = match self.peek() {
            Err(error) => return error,
            Ok(None) => "the end of the line".to_owned(),
            Ok(Some(token)) => format!("{:?}", token.shown()),
        };
        let span = self.peek().ok().flatten().map_or_else(|| self.span(), |token| token.span);
        ParseError::new(Problem::Expected { expected: expected.into(), found }, span)
    }

    /// That the line ends here.
    pub(super) fn end(&self) -> Result<(), ParseError> {
        if self.is_at_end() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    /// Text in quotes.
    fn text(&mut self) -> Result<Token, ParseError> {
        let begin = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let letter = self.letter();
            self.at += 1;
            match letter {
                None => return Err(ParseError::new(Problem::TextOpen, self.span_of(begin, begin + 1))),
                Some('"') => break,
                Some('\\') => {
                    let escaped = self.letter();
                    let span = self.span_of(self.at - 1, self.at + 1);
                    self.at += 1;
                    match escaped {
                        Some(letter @ ('"' | '\\')) => text.push(letter),
                        _ => return Err(ParseError::new(Problem::Escape, span)),
                    }
                }
                Some(letter) => text.push(letter),
            }
        }
        Ok(Token { kind: Kind::Text, text, span: self.span_of(begin, self.at) })
    }

    fn run(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.letter().filter(|letter| wanted(*letter)) {
            text.push(letter);
            self.at += 1;
        }
        text
    }

    fn skip_space(&mut self) {
        while self.letter().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn letter(&self) -> Option<char> {
        self.at(self.at)
    }

    fn at(&self, at: usize) -> Option<char> {
        self.line.letters.get(at).map(|letter| letter.letter)
    }

    fn letters_from(&self, at: usize) -> String {
        self.line.letters.iter().skip(at).map(|letter| letter.letter).collect()
    }

    fn span_of(&self, begin: usize, end: usize) -> Span {
        let source = self.line.source;
        let letters = &self.line.letters;
        let Some(first) = letters.get(begin) else {
            let (line, column) = self.line.end;
            return Span { source, line, column, width: 1 };
        };
        let last = letters.get(end.saturating_sub(1)).filter(|last| last.line == first.line);
        let width = last.map_or(1, |last| last.column + 1 - first.column);
        Span { source, line: first.line, column: first.column, width }
    }
}

impl Token {
    /// As it stands in the line, or nearly so.
    pub(super) fn shown(&self) -> String {
        if self.kind == Kind::Variable { format!("${}", self.text) } else { self.text.clone() }
    }

    /// Whether it is this sign.
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '?'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Kind, String, usize)> {
        let lines = lines(text, 0);
        let mut cursor = lines[0].cursor();
        let mut tokens = Vec::new();
        while let Some(token) = cursor.next().unwrap() {
            tokens.push((token.kind, token.text, token.span.column));
        }
        tokens
    }

    #[test]
    fn a_line_is_taken_apart() {
        let found = tokens("expect 6F/A5 >= 10.00 \"a \\\" b\" $x 1..5 # why");
        let expected = [
            (Kind::Bare, "expect", 1),
            (Kind::Bare, "6F", 8),
            (Kind::Sign, "/", 10),
            (Kind::Bare, "A5", 11),
            (Kind::Sign, ">=", 14),
            (Kind::Decimal, "10.00", 17),
            (Kind::Text, "a \" b", 23),
            (Kind::Variable, "x", 32),
            (Kind::Bare, "1", 35),
            (Kind::Sign, "..", 36),
            (Kind::Bare, "5", 38),
        ];
        assert_eq!(found, expected.map(|(kind, text, column)| (kind, text.to_owned(), column)));
    }

    #[test]
    fn a_backslash_joins_lines_and_places_stay() {
        let lines = lines("00 A4 \\\n  04 00\nexit", 0);
        assert_eq!(lines.len(), 2);
        let mut cursor = lines[0].cursor();
        let tokens: Vec<_> = std::iter::from_fn(|| cursor.next().unwrap()).collect();
        assert_eq!(tokens.len(), 4);
        assert_eq!((tokens[2].span.line, tokens[2].span.column), (2, 3));
    }

    #[test]
    fn free_text_ends_before_a_comment() {
        let lines = lines("case Balance #1 is there # why", 0);
        let mut cursor = lines[0].cursor();
        cursor.next().unwrap();
        assert_eq!(cursor.free_text().0, "Balance");
        assert_eq!(cursor.comment().unwrap().trim(), "1 is there # why");
    }
}
