//! What stands at the top of a script or of a case: title, clause, effect, profile,
//! interface, seed, and what a case of a certification set says of itself.

use crate::air::link::Interface;
use crate::observers::script::cursor::Cursor;
use crate::observers::script::part::Part;
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Header, Proof};
use crate::words::iso7816::Effect;
use crate::world::TomlChange;

/// The words that begin a line of a header.
pub(super) const HEADER_WORDS: &[&str] = &[
    "title",
    "clause",
    "effect",
    "profile",
    "interface",
    "seed",
    "role",
    "personalise",
    "configure",
    "id",
    "needs",
    "seats",
    "criterion",
    "precondition",
    "fault",
];

/// One line of a header.
#[derive(Debug, Clone)]
pub(super) enum HeaderLine {
    Title(String),
    Clause(String),
    Effect(Effect),
    Profile(String),
    Interface(Interface),
    Seed(u64),
    /// A word of [`Proof::WORDS`] and what follows it.
    Proof(&'static str, String),
    Part(Part),
    Personalise(TomlChange),
    Configure(TomlChange),
}

/// The rest of a header's line, after its word.
pub(super) fn header(word: &'static str, cursor: &mut Cursor<'_>) -> Result<HeaderLine, ParseError> {
    let (text, span) = cursor.free_text();
    let value = |expected: &str| {
        let problem =
            Problem::HeaderValue { header: word, expected: expected.to_owned(), found: text.clone() };
        ParseError::new(problem, span)
    };
    if text.is_empty() {
        return Err(value("something"));
    }
    match word {
        "title" => Ok(HeaderLine::Title(text)),
        "clause" => Ok(HeaderLine::Clause(text)),
        "effect" => {
            let words = Effect::ALL.iter().map(|effect| effect.word());
            let effect = Effect::ALL.iter().find(|effect| effect.word() == text).copied();
            effect
                .map(HeaderLine::Effect)
                .ok_or_else(|| value("reads, spends, changes or destroys").meant(nearest(&text, words)))
        }
        "interface" => match text.as_str() {
            "contact" => Ok(HeaderLine::Interface(Interface::Contact)),
            "contactless" => Ok(HeaderLine::Interface(Interface::Contactless)),
            _ => Err(value("contact or contactless").meant(nearest(&text, ["contact", "contactless"]))),
        },
        "seed" => text.parse().map(HeaderLine::Seed).map_err(|_| value("a number")),
        _ if Proof::WORDS.contains(&word) => match Proof::unfit(word, &text) {
            Some(expected) => Err(value(expected)),
            None => Ok(HeaderLine::Proof(word, text)),
        },
        "role" => {
            let words = Part::NAMES.iter().map(|row| row.0);
            let part = Part::NAMES.iter().find(|row| row.0 == text).map(|row| row.1);
            part.map(HeaderLine::Part)
                .ok_or_else(|| value("terminal, card, host or card and host").meant(nearest(&text, words)))
        }
        "personalise" => change(&text).map(HeaderLine::Personalise).map_err(|why| value(&why)),
        "configure" => change(&text).map(HeaderLine::Configure).map_err(|why| value(&why)),
        _ => Ok(HeaderLine::Profile(text)),
    }
}

/// A key of a TOML file and its value, or `absent`.
fn change(text: &str) -> Result<TomlChange, String> {
    let shape = || "a key and its value, such as risk.floor_limit_minor = 0, or a key and absent".to_owned();
    if let Some(key) = text.strip_suffix(" absent") {
        return TomlChange::parse(key.trim(), None).map_err(|_| shape());
    }
    let (key, value) = text.split_once('=').ok_or_else(shape)?;
    TomlChange::parse(key.trim(), Some(value.trim())).map_err(|_| shape())
}

/// The effect that a comment of a scriptor file tells: `# Effect: reads. ...`.
pub(super) fn effect_comment(comment: &str) -> Option<Effect> {
    let (word, rest) = comment.trim_start().split_once([' ', ':'])?;
    let effect = rest.trim_start_matches([' ', ':']);
    let effect = effect.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let is_effect = word.eq_ignore_ascii_case("effect");
    Effect::ALL.iter().copied().find(|known| is_effect && known.word() == effect)
}

impl HeaderLine {
    /// Its word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Title(_) => "title",
            Self::Clause(_) => "clause",
            Self::Effect(_) => "effect",
            Self::Profile(_) => "profile",
            Self::Interface(_) => "interface",
            Self::Seed(_) => "seed",
            Self::Proof(word, _) => word,
            Self::Part(_) => "role",
            Self::Personalise(_) => "personalise",
            Self::Configure(_) => "configure",
        }
    }

    /// Puts it into a header, where it must not stand yet. A title belongs to the script.
    pub(super) fn put(
        self,
        header: &mut Header,
        title: Option<&mut Option<String>>,
        span: Span,
    ) -> Result<(), ParseError> {
        let word = self.word();
        let is_there = match self {
            Self::Title(text) => match title {
                Some(title) => title.replace(text).is_some(),
                None => return Err(ParseError::new(Problem::HeaderLate { header: word }, span)),
            },
            Self::Clause(text) => header.clause.replace(text).is_some(),
            Self::Effect(effect) => header.effect.replace(effect).is_some(),
            Self::Profile(name) => header.profile.replace(name).is_some(),
            Self::Interface(interface) => header.interface.replace(interface).is_some(),
            Self::Seed(seed) => header.seed.replace(seed).is_some(),
            Self::Proof(word, text) => header.proof.put(word, text).is_some(),
            Self::Part(part) => header.part.replace(part).is_some(),
            Self::Personalise(change) => add(&mut header.personalise, change),
            Self::Configure(change) => add(&mut header.configure, change),
        };
        match is_there {
            true => Err(ParseError::new(Problem::HeaderTwice { header: word }, span)),
            false => Ok(()),
        }
    }
}

/// One more change; there may be as many as are wanted.
fn add(list: &mut Vec<TomlChange>, change: TomlChange) -> bool {
    list.push(change);
    false
}

/// A case's header over that of its script.
pub(super) fn merged(script: &Header, case: Header) -> Header {
    Header {
        clause: case.clause.or_else(|| script.clause.clone()),
        effect: case.effect.or(script.effect),
        profile: case.profile.or_else(|| script.profile.clone()),
        interface: case.interface.or(script.interface),
        seed: case.seed.or(script.seed),
        proof: case.proof.over(&script.proof),
        part: case.part.or(script.part),
        // Those of the case come later, and count.
        personalise: [script.personalise.as_slice(), &case.personalise].concat(),
        configure: [script.configure.as_slice(), &case.configure].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_may_tell_the_effect() {
        assert_eq!(effect_comment(" Effect: reads. No GPO is sent."), Some(Effect::Reads));
        assert_eq!(effect_comment("effect spends"), Some(Effect::Spends));
        assert_eq!(effect_comment(" Effect of it"), None);
        assert_eq!(effect_comment("effects: reads"), None);
    }
}
