//! The rules of recovery by name, terminal's and issuer's in one list, so that one
//! can be switched off to see what it is for.

use crate::roles::issuer::Recovery;
use crate::roles::terminal::{RecoveryRule, RecoveryRules};

/// A rule of recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// One of the terminal's.
    Terminal(RecoveryRule),
    /// [`Recovery::settle_by_evidence`].
    SettleByEvidence,
    /// [`Recovery::return_on_refusal`].
    ReturnOnRefusal,
    /// [`Recovery::bar_unknown_originals`].
    BarUnknownOriginals,
}

impl Rule {
    /// Every rule.
    pub fn all() -> impl Iterator<Item = Self> {
        let issuer = [Self::SettleByEvidence, Self::ReturnOnRefusal, Self::BarUnknownOriginals];
        RecoveryRule::ALL.iter().copied().map(Self::Terminal).chain(issuer)
    }

    /// Its name: `prove-by-log`, `settle-by-evidence` ...
    pub const fn word(self) -> &'static str {
        match self {
            Self::Terminal(rule) => rule.word(),
            Self::SettleByEvidence => "settle-by-evidence",
            Self::ReturnOnRefusal => "return-on-refusal",
            Self::BarUnknownOriginals => "bar-unknown-originals",
        }
    }

    /// The rule of a name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|rule| rule.word() == word)
    }

    /// The terminal's rules without `off`.
    pub(super) fn terminal_without(off: Option<Self>) -> RecoveryRules {
        match off {
            Some(Self::Terminal(rule)) => RecoveryRules::without(rule),
            _ => RecoveryRules::ALL,
        }
    }

    /// The issuer's rules without `off`.
    pub(super) fn issuer_without(off: Option<Self>) -> Recovery {
        let on = Recovery::default();
        match off {
            Some(Self::SettleByEvidence) => Recovery { settle_by_evidence: false, ..on },
            Some(Self::ReturnOnRefusal) => Recovery { return_on_refusal: false, ..on },
            Some(Self::BarUnknownOriginals) => Recovery { bar_unknown_originals: false, ..on },
            Some(Self::Terminal(_)) | None => on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        for rule in Rule::all() {
            assert_eq!(Rule::from_word(rule.word()), Some(rule));
        }
        assert_eq!(Rule::from_word("guess"), None);
    }
}
