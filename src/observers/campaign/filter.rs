//! Filters: which cases are wanted, by file, name, clause, effect and profile, joined by
//! `and`, `or`, `not` and parentheses.

use crate::observers::script::tree::Header;

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// File or name hold this text; capital and small letters are alike.
    Holds(String),
    /// A property holds this text.
    Property(Property, String),
    /// A property is this text.
    Is(Property, String),
    /// The other way round.
    Not(Box<Filter>),
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
}

/// What can be asked of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Its script's path.
    File,
    /// Its name, with that of its row.
    Name,
    /// The clause that it proves.
    Clause,
    /// Its declared effect.
    Effect,
    /// The simulated card that it wants.
    Profile,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected {expected} at character {at} of the filter, found {found}; a filter is a text such as balance, a \
     property such as effect=reads or name~balance (of file, name, clause, effect, profile), or some of them with \
     and, or, not and parentheses"
)]
pub struct FilterError {
    /// What was expected.
    pub expected: &'static str,
    /// Where, from 1.
    pub at: usize,
    /// What stood there.
    pub found: String,
}

/// Deepest nesting.
const DEPTH_LIMIT: usize = 32;

const PROPERTIES: &[(&str, Property)] = &[
    ("file", Property::File),
    ("name", Property::Name),
    ("clause", Property::Clause),
    ("effect", Property::Effect),
    ("profile", Property::Profile),
];

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { tokens: tokens(text), at: 0, end: text.chars().count() + 1 };
        let filter = reader.either(0)?;
        match reader.peek() {
            None => Ok(filter),
            Some(_) => Err(reader.expected("and, or, or the end")),
        }
    }

    /// Whether a case fits.
    pub fn fits(&self, file: &str, name: &str, header: &Header) -> bool {
        let value = |property: &Property| match property {
            Property::File => file.to_owned(),
            Property::Name => name.to_owned(),
            Property::Clause => header.clause.clone().unwrap_or_default(),
            Property::Effect => header.effect.map_or_else(String::new, |effect| effect.word().to_owned()),
            Property::Profile => header.profile.clone().unwrap_or_default(),
        };
        let holds = |value: &str, text: &str| value.to_lowercase().contains(&text.to_lowercase());
        match self {
            Self::Holds(text) => holds(file, text) || holds(name, text),
            Self::Property(property, text) => holds(&value(property), text),
            Self::Is(property, text) => value(property).eq_ignore_ascii_case(text),
            Self::Not(inner) => !inner.fits(file, name, header),
            Self::And(a, b) => a.fits(file, name, header) && b.fits(file, name, header),
            Self::Or(a, b) => a.fits(file, name, header) || b.fits(file, name, header),
        }
    }
}

/// A token: where it stands, its text, and whether it stood in quotes.
struct Token {
    at: usize,
    text: String,
    quoted: bool,
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
}

impl Reader {
    fn either(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut left = self.both(depth)?;
        while self.take("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut left = self.one(depth)?;
        while self.take("and") {
            left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if depth > DEPTH_LIMIT {
            return Err(self.expected("fewer parentheses"));
        }
        if self.take("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.either(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err(self.expected(")")) };
        }
        let text = self.text("a text or a property")?;
        let property = PROPERTIES.iter().find(|row| row.0 == text).map(|row| row.1);
        match property {
            Some(property) if self.take("=") => Ok(Filter::Is(property, self.text("a text")?)),
            Some(property) if self.take("~") => Ok(Filter::Property(property, self.text("a text")?)),
            _ => Ok(Filter::Holds(text)),
        }
    }

    fn text(&mut self, expected: &'static str) -> Result<String, FilterError> {
        let is_text =
            |token: &Token| token.quoted || !["(", ")", "=", "~", "and", "or"].contains(&token.text.as_str());
        match self.tokens.get(self.at).filter(|token| is_text(token)) {
            Some(token) => {
                self.at += 1;
                Ok(token.text.clone())
            }
            None => Err(self.expected(expected)),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| !token.quoted && token.text == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn expected(&self, expected: &'static str) -> FilterError {
        match self.peek() {
            Some(token) => FilterError { expected, at: token.at, found: format!("{:?}", token.text) },
            None => FilterError { expected, at: self.end, found: "the end".into() },
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut letters = (1..).zip(text.chars()).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter.is_whitespace() => {}
            '(' | ')' | '=' | '~' => tokens.push(Token { at, text: letter.to_string(), quoted: false }),
            '"' => {
                let text =
                    letters.by_ref().map(|(_, letter)| letter).take_while(|letter| *letter != '"').collect();
                tokens.push(Token { at, text, quoted: true });
            }
            letter => {
                let mut text = letter.to_string();
                let is_more = |c: &(usize, char)| !c.1.is_whitespace() && !"()=~\"".contains(c.1);
                while let Some((_, letter)) = letters.next_if(is_more) {
                    text.push(letter);
                }
                tokens.push(Token { at, text, quoted: false });
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::iso7816::Effect;
    use proptest::prelude::*;

    #[test]
    fn a_filter_lets_through_what_it_names() {
        let header = Header {
            clause: Some("EMV Book 3 6.5.7".into()),
            effect: Some(Effect::Reads),
            profile: Some("ecash".into()),
            ..Header::default()
        };
        let fits =
            |text: &str| Filter::parse(text).unwrap().fits("a/balance.apdu", "The Balance [low]", &header);
        for text in [
            "balance",
            "\"balance [low]\"",
            "effect=reads and profile=ecash",
            "not effect=changes",
            "clause~6.5.7 and (nothing or name~low)",
            "file~balance or nothing",
        ] {
            assert!(fits(text), "{text}");
        }
        for text in ["nothing", "effect=read", "not balance", "balance and nothing"] {
            assert!(!fits(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_says_where() {
        for (text, at) in [("", 1), ("a b", 3), ("(a", 3), ("and", 1), ("effect=", 8), ("a or", 5)] {
            assert_eq!(Filter::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error(text in ".{0,60}") {
            let _ = Filter::parse(&text);
        }
    }
}
