//! What is put into the store of shared jobs: everything that an agent needs to play it on
//! another machine, scripts and files as text. Readers and cards stay where they are.

use super::error::CampaignError;
use super::plan::Job;
use super::suite::wanted;
use crate::air::link::Interface;
use crate::observers::script::parse;
use crate::observers::script::tree::Script;
use crate::roles::terminal::{TerminalConfig, Trust};
use crate::words::iso7816::Effect;
use crate::world::seeds::{Flaws, Plant, SeedSettings, Selection};
use crate::world::{CardName, FreshCards, ReaderAddress, Rule, read_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version of scripts, plans and reports: agents play the jobs of their own alone.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A file's path and its text.
pub type NamedText = (String, String);

/// What all jobs of a campaign need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// Scripts.
    Suite(Box<SuiteOrder>),
    /// Random worlds.
    Seeds(SeedOrder),
}

/// Scripts, and how they are played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SuiteOrder {
    /// Each script with what it includes, the script first.
    scripts: Vec<Vec<NamedText>>,
    profiles: Vec<NamedText>,
    /// The terminal's file, then its files of public keys; none for the built-in one.
    terminal: Vec<NamedText>,
    /// The fresh card of all cases.
    card: Option<String>,
    contactless: Option<bool>,
    pub(super) allowed: Effect,
    pub(super) wait_ms: Option<u64>,
    pub(super) retries: u32,
    pub(super) fail_fast: bool,
    pub(super) seed: Option<u64>,
    pub(super) detail: bool,
}

/// Random worlds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeedOrder {
    steps: Option<BTreeSet<usize>>,
    dropped: BTreeSet<usize>,
    without: Option<String>,
    plant: Option<String>,
    twice: bool,
    most_failures: usize,
}

/// A run of seeds: one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeedRange {
    pub(super) first: u64,
    pub(super) count: u64,
}

/// How a suite is to be played by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteTerms {
    /// A fresh card for each case; `None` is each case's own.
    pub card: Option<CardName>,
    /// The readers of which each case wants one; none for fresh cards.
    pub readers: Vec<String>,
    /// How simulated cards are reached, whatever a case says.
    pub interface: Option<Interface>,
    /// The worst that may be done to a real card, where its agent allows that too.
    pub allowed: Effect,
    /// How long to wait for a card, milliseconds.
    pub wait_ms: Option<u64>,
    /// The terminal's file, then its files of public keys; none for the built-in one.
    pub terminal: Vec<NamedText>,
    /// How often a case that failed is played again.
    pub retries: u32,
    /// Whether the first case that fails ends the suite.
    pub fail_fast: bool,
    /// The seed of cases that name none.
    pub seed: Option<u64>,
    /// Whether what was said is told of cases that passed, too.
    pub detail: bool,
}

/// A suite that an agent has read.
pub(super) struct Loaded {
    pub(super) order: SuiteOrder,
    pub(super) scripts: Vec<Script>,
    pub(super) config: TerminalConfig,
    pub(super) card: Option<CardName>,
    pub(super) fresh: FreshCards,
}

impl SuiteOrder {
    /// The order of scripts; profiles that are files are read.
    pub(super) fn of(scripts: &[Script], jobs: &[Job], terms: &SuiteTerms) -> Result<Self, CampaignError> {
        let mut profiles: Vec<NamedText> = Vec::new();
        let of_jobs = jobs.iter().map(|job| wanted(&scripts[job.script].cases[job.case]));
        let named: Vec<CardName> = match &terms.card {
            Some(card) => vec![card.clone()],
            None if terms.readers.is_empty() => of_jobs.collect(),
            None => Vec::new(),
        };
        for card in named {
            let CardName::ProfileFile(path) = &card else { continue };
            let name = path.display().to_string();
            if !profiles.iter().any(|known| known.0 == name) {
                let text = read_text(path);
                let failed = |cause: std::io::Error| CampaignError::File {
                    path: name.clone(),
                    cause: cause.to_string(),
                };
                profiles.push((name.clone(), text.map_err(failed)?));
            }
        }
        let sources = |script: &Script| {
            script.sources.iter().map(|source| (source.name.clone(), source.text.clone())).collect()
        };
        Ok(Self {
            scripts: scripts.iter().map(sources).collect(),
            profiles,
            terminal: terms.terminal.clone(),
            card: terms.card.as_ref().map(CardName::to_string),
            contactless: terms.interface.map(|interface| interface == Interface::Contactless),
            allowed: terms.allowed,
            wait_ms: terms.wait_ms,
            retries: terms.retries,
            fail_fast: terms.fail_fast,
            seed: terms.seed,
            detail: terms.detail,
        })
    }

    /// Reads the scripts and files of an order.
    pub(super) fn load(self) -> Result<Loaded, CampaignError> {
        let mut scripts = Vec::new();
        for sources in &self.scripts {
            let Some((name, text)) = sources.first() else { continue };
            let included = |from: &str, path: &str| {
                let file = std::path::Path::new(from).parent().unwrap_or(std::path::Path::new("")).join(path);
                let file = file.display().to_string();
                let found = sources.iter().find(|known| known.0 == file);
                found.cloned().ok_or_else(|| format!("{file} was not sent with the script"))
            };
            scripts.push(parse(name, text, &included).map_err(CampaignError::Scripts)?);
        }
        let card = match self.card.as_deref().map(ReaderAddress::parse) {
            Some(Ok(ReaderAddress::Simulated(name))) => Some(name),
            _ => None,
        };
        let (config, fresh) = (terminal(&self.terminal)?, FreshCards::with_profiles(self.profiles.clone()));
        Ok(Loaded { order: self, scripts, config, card, fresh })
    }

    pub(super) fn interface(&self) -> Option<Interface> {
        self.contactless.map(|radio| if radio { Interface::Contactless } else { Interface::Contact })
    }
}

impl SeedOrder {
    /// The order of these settings; which seeds is a job's own.
    pub(super) fn of(settings: &SeedSettings) -> Self {
        Self {
            steps: settings.selection.steps.clone(),
            dropped: settings.selection.dropped.clone(),
            without: settings.flaws.without.map(|rule| rule.word().to_owned()),
            plant: settings.flaws.plant.map(|plant| plant.word().to_owned()),
            twice: settings.twice,
            most_failures: settings.most_failures,
        }
    }

    /// What is wrong on purpose.
    pub(super) fn flaws(&self) -> Flaws {
        Flaws {
            without: self.without.as_deref().and_then(Rule::from_word),
            plant: self.plant.as_deref().and_then(Plant::from_word),
        }
    }

    /// The settings of one job.
    pub(super) fn settings(&self, range: SeedRange) -> SeedSettings {
        SeedSettings {
            first: range.first,
            count: range.count,
            jobs: 1,
            selection: Selection { steps: self.steps.clone(), dropped: self.dropped.clone() },
            flaws: self.flaws(),
            twice: self.twice,
            most_failures: self.most_failures,
        }
    }
}

/// The terminal of its files.
fn terminal(files: &[NamedText]) -> Result<TerminalConfig, CampaignError> {
    let Some(((path, text), keys)) = files.split_first() else { return Ok(TerminalConfig::default()) };
    let wrong = |path: &String, cause: &dyn std::fmt::Display| CampaignError::File {
        path: path.clone(),
        cause: cause.to_string(),
    };
    let mut config = TerminalConfig::parse(text).map_err(|cause| wrong(path, &cause))?;
    config.trust_files.clear();
    for (path, text) in keys {
        config.trust.extend(Trust::parse(text).map_err(|cause| wrong(path, &cause))?);
    }
    Ok(config)
}

/// The text of the seat that a job needs: the readers of which it wants one, or none for a
/// fresh card or a world, which every agent's cores can play.
pub(super) fn seat_of(readers: &[String]) -> String {
    serde_json::json!(readers).to_string()
}

/// Whether an agent's reader is one that a job wants: the same address, or one of which the
/// job names a part, as `pcsc:ACS` of `pcsc:ACS ACR122U 00 00`.
pub(super) fn fits(seat: &str, own: &str) -> bool {
    let wanted: Vec<String> = serde_json::from_str(seat).unwrap_or_default();
    wanted.iter().any(|wanted| {
        let part = |text: &str| {
            let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
            matches!(ReaderAddress::parse(text), Ok(ReaderAddress::Driver { .. }))
                .then(|| (scheme.to_owned(), rest.to_owned()))
        };
        let is_part = part(wanted).zip(part(own)).is_some_and(|(a, b)| a.0 == b.0 && b.1.contains(&a.1));
        wanted == own || is_part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_fits_by_its_name_or_a_part_of_it() {
        let fits = |wanted: &[&str], own| {
            let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
            super::fits(&seat_of(&wanted), own)
        };
        assert!(fits(&["pcsc:ACS"], "pcsc:ACS ACR122U 00 00"));
        assert!(fits(&["sim:a.card", "pcsc"], "pcsc:Virtual"));
        assert!(fits(&["sim:a.card"], "sim:a.card"));
        for (wanted, own) in
            [("pcsc:ACS ACR122U", "pcsc:ACS"), ("pcsc", "pn532:/dev/x"), ("sim:a.card", "sim:aa.card")]
        {
            assert!(!fits(&[wanted], own), "{wanted} {own}");
        }
        assert!(!fits(&[], "pcsc"), "fresh cards are for cores");
    }
}
