//! The cases of a set: what each is called, what it proves, and when it applies.

use super::needs::Needs;
use super::question::{BENCH, QUESTIONS};
use super::questionnaire::Questionnaire;
use crate::observers::campaign::error::CampaignError;
use crate::observers::campaign::plan::{Job, plan};
use crate::observers::script::Proof;
use crate::observers::script::part::Part;
use crate::observers::script::tree::Script;
use crate::words::iso7816::Effect;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// A card: the script plays the terminal.
    Card,
    /// A terminal: the script plays the card, the host, or both.
    Terminal,
}

/// How much a case counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// The clause says that it shall be so.
    Mandatory,
    /// The clause says that it should be so.
    Advised,
}

/// A case of a set.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is called for good.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// The clause that it proves.
    pub clause: String,
    /// What it is for.
    pub product: Product,
    /// How much it counts.
    pub criterion: Criterion,
    /// What must be so before.
    pub precondition: Option<String>,
    /// The worst that it does to a card.
    pub effect: Option<Effect>,
    /// The case with its row.
    pub job: Job,
    needs: Option<Needs>,
    seats: Vec<&'static str>,
}

/// The cases of scripts, in their order. Every case must say its id and clause; an id stands once.
pub fn catalogue(scripts: &[Script]) -> Result<Vec<Entry>, CampaignError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut ids = HashSet::new();
    for job in plan(scripts, None, None) {
        let entry = entry(scripts, job)?;
        if !ids.insert(entry.id.clone()) {
            return Err(wrong(&entry.id, "expected an id that stands once, found a second one"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl Entry {
    /// Why the case does not apply to a product; `None` where it does.
    pub fn inapplicable(&self, answers: &Questionnaire) -> Option<String> {
        self.needs.as_ref()?.unmet(&|key| answers.supports(key))
    }

    /// What the case needs at the bench and is not there.
    pub fn missing_seat(&self, answers: &Questionnaire) -> Option<String> {
        let key = self.seats.iter().find(|key| !answers.has(key))?;
        Some(format!("the case needs {key} at the bench, and the questionnaire says that there is none"))
    }
}

impl Product {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Terminal => "terminal",
        }
    }
}

impl Criterion {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Advised => "advised",
        }
    }
}

fn entry(scripts: &[Script], job: Job) -> Result<Entry, CampaignError> {
    let script = &scripts[job.script];
    let case = &script.cases[job.case];
    let header = case.header_of(job.row);
    let file = script.sources.first().map_or("", |source| source.name.as_str());
    let missing =
        |word: &str| wrong(&format!("{file}: {}", job.name), &format!("expected `{word}`, found none"));
    let id = header.proof.id.clone().ok_or_else(|| missing("id"))?;
    // A row's own has been through no parser, and names a folder of the session.
    if let Some(expected) = Proof::unfit("id", &id) {
        return Err(wrong(&id, &format!("expected {expected} as id, found {id:?}")));
    }
    let clause = header.clause.clone().ok_or_else(|| missing("clause"))?;
    let known = |key: &str| QUESTIONS.iter().any(|question| question.key == key);
    let needs = header.proof.needs.as_deref().map(|text| Needs::parse(text, &known)).transpose();
    let seats = header.proof.seats.as_deref().unwrap_or_default().split(',').map(str::trim);
    let seats = seats.filter(|seat| !seat.is_empty()).map(|seat| {
        let row = BENCH.iter().find(|row| row.key == seat);
        row.map(|row| row.key)
            .ok_or_else(|| wrong(&id, &format!("expected a seat of the bench, found {seat:?}")))
    });
    let criterion = match header.proof.criterion.as_deref() {
        None | Some("mandatory") => Criterion::Mandatory,
        Some("advised") => Criterion::Advised,
        Some(found) => return Err(wrong(&id, &format!("expected mandatory or advised, found {found:?}"))),
    };
    Ok(Entry {
        seats: seats.collect::<Result<_, _>>()?,
        needs: needs.map_err(|cause| wrong(&id, &cause))?,
        title: job.name.clone(),
        product: match header.part.unwrap_or_default() {
            Part::Terminal => Product::Card,
            _ => Product::Terminal,
        },
        precondition: header.proof.precondition.clone(),
        effect: header.effect,
        id,
        clause,
        criterion,
        job,
    })
}

fn wrong(case: &str, cause: &str) -> CampaignError {
    CampaignError::Catalogue { case: case.to_owned(), cause: cause.to_owned() }
}
