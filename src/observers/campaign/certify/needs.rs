//! When a case applies: keys of the questionnaire, joined as in a filter.

use crate::observers::campaign::filter::Filter;

/// An expression over the questionnaire's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs(Filter);

impl Needs {
    /// Reads `contact and not cda`. `known` says which keys there are.
    pub(super) fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let filter = Filter::parse(text).map_err(|cause| cause.to_string())?;
        let mut unknown = Vec::new();
        keys(&filter, &mut |key| {
            if !known(key) {
                unknown.push(key.to_owned());
            }
        });
        match unknown.first() {
            None => Ok(Self(filter)),
            Some(key) => Err(format!("expected a key of the questionnaire, found {key:?}")),
        }
    }

    /// Whether it holds; else the keys that it rests on.
    pub(super) fn unmet(&self, answer: &dyn Fn(&str) -> bool) -> Option<String> {
        if holds(&self.0, answer) {
            return None;
        }
        let mut rests = Vec::new();
        keys(&self.0, &mut |key| rests.push(format!("{key} = {}", answer(key))));
        Some(rests.join(", "))
    }
}

fn holds(filter: &Filter, answer: &dyn Fn(&str) -> bool) -> bool {
    match filter {
        Filter::Holds(key) => answer(key),
        Filter::Property(..) | Filter::Is(..) => false,
        Filter::Not(inner) => !holds(inner, answer),
        Filter::And(a, b) => holds(a, answer) && holds(b, answer),
        Filter::Or(a, b) => holds(a, answer) || holds(b, answer),
    }
}

fn keys(filter: &Filter, hear: &mut dyn FnMut(&str)) {
    match filter {
        Filter::Holds(key) | Filter::Property(_, key) | Filter::Is(_, key) => hear(key),
        Filter::Not(inner) => keys(inner, hear),
        Filter::And(a, b) | Filter::Or(a, b) => {
            keys(a, hear);
            keys(b, hear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_joined_and_unknown_ones_are_told() {
        let known = |key: &str| ["contact", "cda"].contains(&key);
        let needs = Needs::parse("contact and not cda", &known).unwrap();
        assert_eq!(needs.unmet(&|key| key == "contact"), None);
        assert_eq!(needs.unmet(&|_| true).unwrap(), "contact = true, cda = true");
        assert!(Needs::parse("contakt", &known).unwrap_err().contains("contakt"));
        assert!(Needs::parse("effect=reads", &known).is_err());
        assert!(Needs::parse("contact and", &known).is_err());
    }
}
