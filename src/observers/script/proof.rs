//! What a case of a certification set says of itself beside its clause: id, when it
//! applies, what must be at the bench. What becomes of it is decided by who runs the set.

/// The column of a table that says the clause of its row.
pub(super) const CLAUSE: &str = "clause";

/// The words of a case by which a set selects it and counts it. A column of the case's
/// table that has the name of one of these words says it for its row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// What the case is called for good: letters, digits and points, `C.SEL.01`.
    pub id: Option<String>,
    /// What the product must support for the case to apply: keys of the questionnaire with
    /// `and`, `or`, `not` and parentheses. Without it the case always applies.
    pub needs: Option<String>,
    /// What must be at the bench, names with commas between them; without it a case needs
    /// the card alone.
    pub seats: Option<String>,
    /// `mandatory` or `advised`; a case that does not say is mandatory.
    pub criterion: Option<String>,
    /// What must be so before the first step, for people.
    pub precondition: Option<String>,
    /// The planted fault that makes the case fail: a case that no fault fails proves nothing.
    pub fault: Option<String>,
}

impl Proof {
    /// The words, as they stand in a script.
    pub const WORDS: &'static [&'static str] =
        &["id", "needs", "seats", "criterion", "precondition", "fault"];

    /// What is said by one of the words.
    pub fn said(&self, word: &str) -> Option<&str> {
        match word {
            "id" => self.id.as_deref(),
            "needs" => self.needs.as_deref(),
            "seats" => self.seats.as_deref(),
            "criterion" => self.criterion.as_deref(),
            "precondition" => self.precondition.as_deref(),
            "fault" => self.fault.as_deref(),
            _ => None,
        }
    }

    /// Says something by one of the words; what was said before is returned.
    pub fn put(&mut self, word: &str, text: String) -> Option<String> {
        let place = match word {
            "id" => &mut self.id,
            "needs" => &mut self.needs,
            "seats" => &mut self.seats,
            "criterion" => &mut self.criterion,
            "precondition" => &mut self.precondition,
            _ => &mut self.fault,
        };
        place.replace(text)
    }

    /// What a word must be followed by, where it is not.
    pub fn unfit(word: &str, text: &str) -> Option<&'static str> {
        let letters = |more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        match word {
            "id" if !letters(".") => Some("letters, digits and points, such as C.SEL.01,"),
            "criterion" if !["mandatory", "advised"].contains(&text) => Some("mandatory or advised"),
            "fault" if !letters("-") => Some("the name of a planted fault, such as no-dedicated-file-name,"),
            _ => None,
        }
    }

    /// What a case says, and what its script says where the case does not.
    #[must_use]
    pub fn over(self, script: &Self) -> Self {
        let mut all = script.clone();
        for word in Self::WORDS {
            if let Some(text) = self.said(word) {
                all.put(word, text.to_owned());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_kept_and_the_case_counts_before_its_script() {
        let (mut script, mut case) = (Proof::default(), Proof::default());
        for word in Proof::WORDS {
            assert_eq!(script.put(word, format!("script {word}")), None);
        }
        case.put("fault", "case".into());
        let both = case.over(&script);
        assert_eq!(both.said("fault"), Some("case"));
        for word in Proof::WORDS.iter().filter(|word| **word != "fault") {
            assert_eq!(both.said(word), Some(format!("script {word}").as_str()));
        }
    }
}
