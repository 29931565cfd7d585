//! Plays what a session still wants of a set, and keeps what came of each case at once, so
//! that it can go on tomorrow.

use super::catalogue::{Criterion, Entry};
use super::evidence::{entry_json, files};
use super::session::{Kept, Session};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::observers::campaign::error::CampaignError;
use crate::observers::campaign::suite::{SuiteSettings, play_suite};
use crate::observers::report::suite::CaseVerdict;
use crate::observers::script::tree::Script;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// What a sitting plays, and under which circumstances.
#[derive(Debug, Clone, Default)]
pub struct Sitting {
    /// Only these cases; none: all that have no result.
    pub ids: Vec<String>,
    /// Why cases that have a result are played again.
    pub reason: Option<String>,
    /// Reader, host, terminal, loaded keys: whatever is written down beside the results.
    pub circumstances: Value,
}

/// What became of a case in a sitting.
#[derive(Debug)]
pub struct Told<'a> {
    /// The case.
    pub entry: &'a Entry,
    /// How it ended; none where it does not apply.
    pub verdict: Option<CaseVerdict>,
    /// Why it did not run, does not apply, or was not passed.
    pub reason: String,
}

/// Plays what a session still wants. `hear` is told of each case. What applies is decided by
/// the session's questionnaire.
pub fn certify(
    session: &mut Session,
    scripts: &[Script],
    entries: &[Entry],
    settings: &SuiteSettings<'_>,
    sitting: &Sitting,
    hear: &mut dyn FnMut(&Told<'_>),
) -> Result<(), CampaignError> {
    let clock = Context::system(Discard);
    let chosen = chosen(session, entries, sitting)?;
    let what = json!({
        "cardwright": env!("CARGO_PKG_VERSION"),
        "system": std::env::consts::OS,
        "machine": std::env::consts::ARCH,
        "circumstances": sitting.circumstances,
        "set": scripts.iter().flat_map(|script| script.sources.first()).map(|source| {
            json!({ "file": source.name, "sha256": super::chain::sha256_hex(source.text.as_bytes()) })
        }).collect::<Vec<Value>>(),
        "cases": chosen.iter().map(|entry| &entry.id).collect::<Vec<_>>(),
    });
    let number = session.add("sitting", what, "", Vec::new(), clock.now())?;
    let mut jobs = Vec::new();
    let mut played: Vec<&Entry> = Vec::new();
    for entry in chosen {
        if let Some(reason) = entry.inapplicable(&session.questionnaire) {
            let reason = format!("does not apply: {reason}");
            hear(&Told { entry, verdict: None, reason });
        } else if let Some(reason) = entry.missing_seat(&session.questionnaire) {
            keep_absent(session, entry, &reason, number, &clock)?;
            hear(&Told { entry, verdict: Some(CaseVerdict::NotRun), reason });
        } else {
            jobs.push(entry.job.clone());
            played.push(entry);
        }
    }
    let mut failure = None;
    play_suite(scripts, &jobs, settings, &mut |ended| {
        let entry = played[ended.job];
        let kept = files(entry, ended).and_then(|files| {
            let verdict = ended.report.verdict;
            if verdict == CaseVerdict::NotRun {
                return keep_absent(session, entry, &ended.report.reason, number, &clock);
            }
            let place = format!("results/{:04}-{}", session.next(), entry.id);
            let what = result(entry, verdict, &ended.report.cause(), sitting.reason.as_deref(), number);
            session.add("result", what, &place, files, clock.now()).map(|_| ())
        });
        hear(&Told { entry, verdict: Some(ended.report.verdict), reason: ended.report.cause() });
        match kept {
            Ok(()) => ControlFlow::Continue(()),
            // What cannot be kept is not played: a card would be worn for nothing.
            Err(cause) => {
                failure = Some(cause);
                ControlFlow::Break(())
            }
        }
    })?;
    failure.map_or(Ok(()), Err)
}

/// The cases of this sitting: the named ones, else those without a result.
fn chosen<'a>(
    session: &Session,
    entries: &'a [Entry],
    sitting: &Sitting,
) -> Result<Vec<&'a Entry>, CampaignError> {
    let of_product = entries.iter().filter(|entry| entry.product == session.questionnaire.product);
    let decided = |entry: &Entry| session.last(&entry.id).filter(Kept::is_decided);
    if sitting.ids.is_empty() {
        return Ok(of_product.filter(|entry| decided(entry).is_none()).collect());
    }
    let mut chosen = Vec::new();
    for id in &sitting.ids {
        let entry = of_product.clone().find(|entry| entry.id == *id);
        let entry = entry.ok_or_else(|| CampaignError::NoCase {
            id: id.clone(),
            product: session.questionnaire.product.word(),
        })?;
        if let Some(kept) = decided(entry).filter(|_| sitting.reason.is_none()) {
            return Err(CampaignError::Rerun { id: id.clone(), verdict: kept.verdict });
        }
        chosen.push(entry);
    }
    Ok(chosen)
}

/// A case that did not run is kept once for each cause, not with every sitting.
fn keep_absent(
    session: &mut Session,
    entry: &Entry,
    reason: &str,
    sitting: u64,
    clock: &Context,
) -> Result<(), CampaignError> {
    let is_kept = session.last(&entry.id).is_some_and(|kept| kept.reason == reason);
    if is_kept {
        return Ok(());
    }
    let what = result(entry, CaseVerdict::NotRun, reason, None, sitting);
    session.add("result", what, "", Vec::new(), clock.now()).map(|_| ())
}

fn result(entry: &Entry, verdict: CaseVerdict, reason: &str, rerun: Option<&str>, sitting: u64) -> Value {
    let mut what = entry_json(entry);
    what["verdict"] = json!(verdict.word());
    what["reason"] = json!(reason);
    what["rerun"] = json!(rerun);
    what["sitting"] = json!(sitting);
    what
}

impl Told<'_> {
    /// Whether something that the clause demands was not so.
    pub fn is_against(&self) -> bool {
        self.entry.criterion == Criterion::Mandatory
            && self.verdict.is_some_and(|verdict| !verdict.is_success())
    }
}
