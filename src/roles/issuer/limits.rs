//! Limits, from a TOML file: what accounts of each class and electronic cash may come
//! to, and who may be the other side. Figures alone; what has been used is in `usage`.

use crate::words::iso4217::{Amount, Currency};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

const BUILT_IN: &str = include_str!("limits.toml");

/// The class of a funding account (PBOC notice 2015 no. 392).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AccountClass {
    /// Does everything.
    #[default]
    I,
    /// Spends within limits, and is fed by an account of class I.
    II,
    /// Small change: its balance has a limit too.
    III,
}

impl AccountClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::I, Self::II, Self::III];

    /// Its number, as people and columns have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::II => "II",
            Self::III => "III",
        }
    }

    /// Reads `I`, `II` or `III`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == text)
    }
}

impl fmt::Display for AccountClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who stands on the other side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The electronic cash of a card that is linked to the account.
    OwnCard,
    /// That of another card.
    OtherCard,
    /// A merchant.
    Merchant,
    /// The holder's own account of class I.
    BoundAccount,
    /// Any other account.
    OtherAccount,
}

impl Party {
    /// Its word for people, as in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OwnCard => "own-card",
            Self::OtherCard => "other-card",
            Self::Merchant => "merchant",
            Self::BoundAccount => "bound-account",
            Self::OtherAccount => "other-account",
        }
    }
}

/// Which way money goes, as the account sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
}

impl Way {
    /// Its word in columns and reasons.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// The figures of a class in one currency, minor units; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What the account may hold.
    pub balance_minor: Option<u64>,
    /// What may leave it on one day.
    pub out_day_minor: Option<u64>,
    /// What may leave it in one year.
    pub out_year_minor: Option<u64>,
    /// What may come in on one day.
    pub in_day_minor: Option<u64>,
    /// What may come in in one year.
    pub in_year_minor: Option<u64>,
}

impl Figures {
    /// The limits of a day and of a year, one way.
    pub(super) const fn sums(&self, way: Way) -> (Option<u64>, Option<u64>) {
        match way {
            Way::Out => (self.out_day_minor, self.out_year_minor),
            Way::In => (self.in_day_minor, self.in_year_minor),
        }
    }
}

/// What accounts of one class may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassLimits {
    /// Whom they may pay.
    pub pays: Vec<Party>,
    /// From whom they may receive.
    pub receives: Vec<Party>,
    /// How much, by currency; in another one, only class I may move money.
    #[serde(default)]
    figures: BTreeMap<Name, Figures>,
}

impl ClassLimits {
    /// The figures of a currency.
    pub fn figures(&self, currency: Currency) -> Option<&Figures> {
        self.figures.get(&Name(currency))
    }

    /// Who may be the other side, one way.
    pub(super) fn parties(&self, way: Way) -> &[Party] {
        match way {
            Way::Out => &self.pays,
            Way::In => &self.receives,
        }
    }
}

/// The limits of electronic cash in one currency, minor units; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcashLimits {
    /// What a card may hold, whatever its own limit (9F77, DF77) says.
    pub balance_minor: Option<u64>,
    /// One load.
    pub load_minor: Option<u64>,
    /// All loads of one card on one day.
    pub load_day_minor: Option<u64>,
    /// One offline sale; one above it is booked and flagged.
    pub sale_minor: Option<u64>,
    /// The overdraft limit of a purse card's deposit (ED).
    pub overdraft_minor: Option<u64>,
}

/// The issuer's limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    class: Classes,
    #[serde(default)]
    ecash: BTreeMap<Name, EcashLimits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    #[serde(rename = "I")]
    first: ClassLimits,
    #[serde(rename = "II")]
    second: ClassLimits,
    #[serde(rename = "III")]
    third: ClassLimits,
}

/// A currency as the file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Name(Currency);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("expected a currency by ISO 4217 letters or number, such as CNY, found {text:?}");
        Currency::parse(&text).map(Self).ok_or_else(wrong)
    }
}

/// Why a limits file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// No TOML, or other keys than limits have. Says the line.
    #[error("limits file: {0}")]
    Toml(String),
    /// More than twelve digits.
    #[error("limits file, {place}: expected at most twelve digits of minor units, found {found}")]
    TooLarge {
        /// The table and key.
        place: String,
        /// The figure.
        found: u64,
    },
    /// A day that a year cannot hold.
    #[error("limits file, {place}: expected a day's limit up to the year's {year}, found {day}")]
    DayAboveYear {
        /// The table and which way.
        place: String,
        /// The day's figure.
        day: u64,
        /// The year's.
        year: u64,
    },
}

impl Limits {
    /// Reads a limits file.
    pub fn parse(text: &str) -> Result<Self, LimitsError> {
        let limits: Self = toml::from_str(text).map_err(|error| LimitsError::Toml(error.to_string()))?;
        for class in AccountClass::ALL {
            for (Name(currency), figures) in &limits.class(class).figures {
                check_figures(&format!("[class.{class}.figures.{currency}]"), figures)?;
            }
        }
        for (Name(currency), ecash) in &limits.ecash {
            let EcashLimits { balance_minor, load_minor, load_day_minor, sale_minor, overdraft_minor } =
                *ecash;
            for found in [balance_minor, load_minor, load_day_minor, sale_minor, overdraft_minor] {
                check_size(&format!("[ecash.{currency}]"), found)?;
            }
        }
        Ok(limits)
    }

    /// What accounts of a class may do.
    pub const fn class(&self, class: AccountClass) -> &ClassLimits {
        match class {
            AccountClass::I => &self.class.first,
            AccountClass::II => &self.class.second,
            AccountClass::III => &self.class.third,
        }
    }

    /// The limits of electronic cash in a currency; none where the file has none.
    pub fn ecash(&self, currency: Currency) -> EcashLimits {
        self.ecash.get(&Name(currency)).copied().unwrap_or_default()
    }
}

impl Default for Limits {
    /// The publicly known figures, which are to be checked.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the file is part of the program and read by a test")]
        Self::parse(BUILT_IN).expect("the shipped limits file is sound")
    }
}

fn check_figures(place: &str, figures: &Figures) -> Result<(), LimitsError> {
    check_size(place, figures.balance_minor)?;
    for way in [Way::Out, Way::In] {
        let (day, year) = figures.sums(way);
        check_size(place, day)?;
        check_size(place, year)?;
        if let (Some(day), Some(year)) = (day, year)
            && day > year
        {
            let place = format!("{place} {}", way.word());
            return Err(LimitsError::DayAboveYear { place, day, year });
        }
    }
    Ok(())
}

fn check_size(place: &str, found: Option<u64>) -> Result<(), LimitsError> {
    match found {
        Some(found) if found > Amount::MAX_MINOR => {
            Err(LimitsError::TooLarge { place: place.to_owned(), found })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_limits_are_sound() {
        let limits = Limits::default();
        assert_eq!(limits.class(AccountClass::I).figures(Currency::CNY), None);
        let third = limits.class(AccountClass::III);
        assert_eq!(third.figures(Currency::CNY).unwrap().balance_minor, Some(200_000));
        assert!(!third.receives.contains(&Party::OtherAccount));
        assert_eq!(limits.ecash(Currency::CNY).balance_minor, Some(100_000));
        assert_eq!(limits.ecash(Currency::HKD), EcashLimits::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let number = BUILT_IN.lines().position(|line| line.starts_with("balance_minor")).unwrap() + 1;
        let wrong =
            |from: &str, to: &str| Limits::parse(&BUILT_IN.replace(from, to)).unwrap_err().to_string();
        let error = wrong("\nbalance_minor = 200_000", "\ncolour = 5");
        assert!(error.contains(&format!("line {number}")) && error.contains("expected one of"), "{error}");
        assert!(wrong("= 200_000 ", "= -1 ").contains("-1"));
        assert!(wrong("[ecash.CNY]", "[ecash.XQZ]").contains("ISO 4217 letters"));
        assert!(wrong("\"bound-account\"", "\"nobody\"").contains("own-card"));
        let error = wrong("[class.III", "[class.IV");
        assert!(error.contains("IV"), "{error}");
        assert!(wrong("out_day_minor = 200_000 ", "out_day_minor = 5_000_001 ").contains("up to the year's"));
        assert!(
            wrong("out_day_minor = 200_000 ", "out_day_minor = 1_000_000_000_000 ").contains("twelve digits")
        );
    }
}
