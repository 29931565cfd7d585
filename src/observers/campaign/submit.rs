//! Submits a campaign and waits for it: what comes is what a run on this machine would give.

use super::error::CampaignError;
use super::order::{Order, SeedOrder, SeedRange, SuiteOrder, SuiteTerms, VERSION, seat_of};
use super::plan::Job;
use super::queue::{Counts, Ended, JobState, Keeper, NewCampaign, NewJob, Queue};
use super::suite::{again, unplayed};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::observers::report::suite::{CaseReport, CaseVerdict, SuiteReport};
use crate::observers::script::tree::Script;
use crate::world::seeds::{SeedReport, SeedSettings};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

/// How often the store is asked.
const POLL: Duration = Duration::from_millis(100);
/// Looks between two signs of life.
const POLLS_A_SIGN: u32 = 10;
/// For how long a submitter may give no sign before nobody wants its jobs.
const SUBMITTER_PATIENCE_MS: i64 = 60_000;
/// Most parts that a campaign on fresh cards or of seeds is cut into, and the largest part.
const PARTS: usize = 64;
const LARGEST_PART: usize = 250;

/// How a submitter waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Who submits, for people who look into the store.
    pub submitter: String,
    /// How long no agent may play anything before the campaign is given up.
    pub idle: Duration,
}

/// What a submitter is told while he waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting<'a> {
    /// A case has ended.
    Case(&'a CaseReport),
    /// Seeds are done: how many, of how many, and how many failed.
    Seeds(u64, u64, usize),
    /// How many jobs stand where.
    Jobs(Counts),
    /// A job that has ended was lost by an agent before: how.
    TakenUp(&'a str),
}

/// Has jobs of scripts played by agents.
pub fn submit_suite(
    queue: &mut Queue,
    scripts: &[Script],
    jobs: &[Job],
    terms: &SuiteTerms,
    patience: &Patience,
    tell: &mut dyn FnMut(Waiting<'_>),
) -> Result<SuiteReport, CampaignError> {
    let mut context = Context::system(Discard);
    let begin = context.now();
    let order = Order::Suite(Box::new(SuiteOrder::of(scripts, jobs, terms)?));
    // A reader plays one case at a time, and each may be its last.
    let size = if terms.readers.is_empty() { part_size(jobs.len()) } else { 1 };
    let parts: Vec<&[Job]> = jobs.chunks(size).collect();
    let seat = seat_of(&terms.readers);
    let new = campaign(&order, parts.iter().map(|part| (seat.clone(), text(part))), patience, &mut context);
    queue.submit(&new, &mut context)?;
    let mut cases: Vec<(i64, Vec<CaseReport>)> = Vec::new();
    let collected = collect(queue, &new, patience, &mut context, &mut |event| match event {
        Event::Counts(counts) => {
            tell(Waiting::Jobs(counts));
            Ok(ControlFlow::Continue(()))
        }
        Event::Ended(ended) => {
            let part = usize::try_from(ended.number).ok().and_then(|number| parts.get(number)).copied();
            let reports = match (ended.state, &ended.result) {
                (JobState::Done, Some(result)) => read_result(result)?,
                _ => lost(scripts, part.unwrap_or_default(), terms, &ended),
            };
            if let Some(loss) = ended.reason.as_deref().filter(|_| ended.state == JobState::Done) {
                tell(Waiting::TakenUp(loss));
            }
            reports.iter().for_each(|case| tell(Waiting::Case(case)));
            let is_end = terms.fail_fast && reports.iter().any(|case| !case.verdict.is_success());
            cases.push((ended.number, reports));
            Ok(if is_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        }
    });
    collected?;
    cases.sort_by_key(|(number, _)| *number);
    let cases: Vec<CaseReport> = cases.into_iter().flat_map(|(_, cases)| cases).collect();
    let micros = u64::try_from(context.now().micros() - begin.micros()).unwrap_or(0);
    let left_out = jobs.len().saturating_sub(cases.len());
    Ok(SuiteReport { cases, micros, started: begin.to_string(), left_out })
}

/// Has seeds played by agents.
pub fn submit_seeds(
    queue: &mut Queue,
    settings: &SeedSettings,
    patience: &Patience,
    tell: &mut dyn FnMut(Waiting<'_>),
) -> Result<SeedReport, CampaignError> {
    let mut context = Context::system(Discard);
    let order = SeedOrder::of(settings);
    let size = part_size(usize::try_from(settings.count).unwrap_or(usize::MAX)) as u64;
    let ranges = (0..settings.count.div_ceil(size)).map(|part| SeedRange {
        first: settings.first.wrapping_add(part * size),
        count: size.min(settings.count - part * size),
    });
    let seat = seat_of(&[]);
    let jobs = ranges.map(|range| (seat.clone(), text(&range)));
    let new = campaign(&Order::Seeds(order.clone()), jobs, patience, &mut context);
    queue.submit(&new, &mut context)?;
    let mut report = SeedReport::default();
    collect(queue, &new, patience, &mut context, &mut |event| match event {
        Event::Counts(counts) => {
            tell(Waiting::Jobs(counts));
            Ok(ControlFlow::Continue(()))
        }
        Event::Ended(ended) => {
            let (JobState::Done, Some(result)) = (ended.state, &ended.result) else {
                return Err(CampaignError::Lost { reason: ended.reason.unwrap_or_default() });
            };
            let part = SeedReport::of_text(result, order.flaws());
            report.add(part.map_err(|cause| CampaignError::Result { cause: cause.to_string() })?);
            if let Some(loss) = &ended.reason {
                tell(Waiting::TakenUp(loss));
            }
            tell(Waiting::Seeds(report.seeds, settings.count, report.failed.len()));
            let enough = report.failed.len() >= settings.most_failures;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        }
    })?;
    Ok(report)
}

/// What is heard of a campaign.
enum Event {
    Counts(Counts),
    Ended(Ended),
}

/// Waits for every job of a campaign, gives signs of life, and closes it at its end.
fn collect(
    queue: &mut Queue,
    new: &NewCampaign,
    patience: &Patience,
    context: &mut Context,
    hear: &mut dyn FnMut(Event) -> Result<ControlFlow<()>, CampaignError>,
) -> Result<(), CampaignError> {
    let (mut keeper, mut known) = (Keeper::default(), BTreeSet::new());
    let mut last = (Counts::default(), context.now().micros());
    let mut outcome = Ok(());
    'waiting: for poll in 0_u32.. {
        if poll % POLLS_A_SIGN == 0 {
            queue.beat_campaign(&new.id)?;
            keeper.look(queue, &[], context)?;
        }
        let ended = queue.ended(&new.id, &known)?;
        known.extend(ended.iter().map(|ended| ended.number));
        let counts = queue.counts(&new.id)?;
        for event in ended.into_iter().map(Event::Ended).chain([Event::Counts(counts)]) {
            match hear(event) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break 'waiting,
                Err(cause) => {
                    outcome = Err(cause);
                    break 'waiting;
                }
            }
        }
        if known.len() >= new.jobs.len() {
            break;
        }
        let now = context.now().micros();
        if counts != last.0 || counts.held > 0 {
            last = (counts, now);
        } else if u128::try_from(now - last.1).unwrap_or(0) > patience.idle.as_micros() {
            let left = counts.ready;
            outcome = Err(CampaignError::NoAgent { left, seconds: patience.idle.as_secs() });
            break;
        }
        std::thread::sleep(POLL);
    }
    queue.close(&new.id, "whoever submitted it has ended the campaign")?;
    outcome
}

fn campaign(
    order: &Order,
    jobs: impl Iterator<Item = (String, String)>,
    patience: &Patience,
    context: &mut Context,
) -> NewCampaign {
    NewCampaign {
        id: format!("{}-{}", context.now().micros(), Hex(&context.random::<8>())),
        submitter: patience.submitter.clone(),
        patience_ms: SUBMITTER_PATIENCE_MS,
        version: VERSION.into(),
        payload: text(order),
        jobs: jobs.map(|(seat, payload)| NewJob { seat, payload }).collect(),
    }
}

/// The cases of a job that no agent could play, each with the reason.
fn lost(scripts: &[Script], part: &[Job], terms: &SuiteTerms, ended: &Ended) -> Vec<CaseReport> {
    let reason = ended.reason.clone().unwrap_or_default();
    let report = |job: &Job| {
        let report = unplayed(&scripts[job.script], job);
        CaseReport {
            again: again(&report.file, &report.name, None, None),
            card: terms.readers.join(","),
            verdict: match ended.state {
                JobState::Cancelled => CaseVerdict::NotRun,
                _ => CaseVerdict::Unreachable,
            },
            reason: reason.clone(),
            attempts: u32::try_from(ended.lease).unwrap_or(0),
            ..report
        }
    };
    part.iter().map(report).collect()
}

fn part_size(count: usize) -> usize {
    count.div_ceil(PARTS).clamp(1, LARGEST_PART)
}

fn read_result<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, CampaignError> {
    serde_json::from_str(text).map_err(|cause| CampaignError::Result { cause: cause.to_string() })
}

fn text(value: &(impl serde::Serialize + ?Sized)) -> String {
    // Nothing here has keys that are no text, which is all that could fail.
    serde_json::to_string(value).unwrap_or_default()
}
