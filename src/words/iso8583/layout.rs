//! Field 60 as a dialect lays it out: its parts in their order, and what each holds.

use super::Dialect;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a part holds, where that is not always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// The type code of the transaction, two digits.
    Type,
    /// The batch, six digits.
    Batch,
    /// The network management code, three digits.
    Management,
    /// How the terminal reads cards, one digit: 5 chip, 6 contactless too.
    ReadCapability,
}

/// A part of field 60.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How many digits it has.
    pub digits: usize,
    /// What it holds; where it always holds the same, nothing.
    pub holds: Option<Holds>,
    /// What it holds where nothing else is named.
    pub value: Option<String>,
    /// What its values say, where that is known.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

impl Part {
    /// What is wrong with it, if anything.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let fits = |text: &String| text.len() == self.digits && text.bytes().all(|b| b.is_ascii_digit());
        match (self.holds, &self.value) {
            (Some(_), None) => None,
            (None, Some(value)) if fits(value) => None,
            _ => Some("either what it holds or a value of as many digits"),
        }
    }
}

impl Dialect {
    /// Whether field 60 has a part that holds this.
    pub fn f60_has(&self, what: Holds) -> bool {
        self.f60.iter().any(|part| part.holds == Some(what))
    }

    /// Field 60; `told` says what its parts hold, in as many digits as they have.
    pub fn f60(&self, told: impl Fn(Holds) -> String) -> String {
        let part = |part: &Part| match part.holds {
            Some(holds) => told(holds),
            None => part.value.clone().unwrap_or_default(),
        };
        self.f60.iter().map(part).collect()
    }

    /// What a part of field 60 holds; none where there is no such part, or the field ends
    /// before it.
    pub fn f60_part<'a>(&self, field: &'a str, what: Holds) -> Option<&'a str> {
        let found = self.f60_parts(field).find(|(part, ..)| part.holds == Some(what));
        found.map(|(_, _, digits)| digits)
    }

    /// The parts that a field 60 has, each with its place and its digits. Of one that is
    /// longer or shorter than the layout, those that are whole.
    pub fn f60_parts<'a>(&self, field: &'a str) -> impl Iterator<Item = (&Part, usize, &'a str)> {
        let mut at = 0;
        self.f60.iter().map_while(move |part| {
            let from = at;
            at += part.digits;
            Some((part, from, field.get(from..at)?))
        })
    }
}
