//! Plays the jobs of a suite: on fresh cards as many at once as is wanted, on a card that is
//! kept or in a reader one after the other.

use super::error::CampaignError;
use super::plan::Job;
use super::tell::tell;
use crate::air::link::{Interface, LinkError};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::SealKey;
use crate::observers::report::suite::{CaseReport, CaseVerdict, SuiteReport};
use crate::observers::script::tree::{Case, Script};
use crate::observers::script::{CaseRun, play};
use crate::roles::terminal::TerminalConfig;
use crate::words::iso7816::Effect;
use crate::world::{CardName, FreshCards, Permit, ReaderAddress, Seat, WorldError, in_parallel};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The card of a case that names none.
const PROFILE: &str = "ecash";
/// The seed of a case that names none.
const SEED: u64 = 1;

/// Opens the key that seals a kept card's file.
pub type SealOpener<'a> = dyn Fn(&ReaderAddress, &mut Context) -> Result<SealKey, WorldError> + Sync + 'a;

/// Which cards a suite is played on.
pub enum Cards<'a> {
    /// A fresh one for each case: of this name, else of the case's own profile.
    Fresh(Option<CardName>),
    /// Those at these addresses, each by one case at a time.
    Kept {
        /// The addresses, at least one.
        addresses: Vec<(String, ReaderAddress)>,
        /// The worst that may be done to a real card that is not ours.
        allowed: Effect,
        /// How long to wait for a card.
        wait: Option<Duration>,
        /// Opens the key of a card's file.
        seal: &'a SealOpener<'a>,
    },
}

/// How a suite is played.
pub struct SuiteSettings<'a> {
    /// On which cards.
    pub cards: Cards<'a>,
    /// How simulated cards are reached, whatever a case says.
    pub interface: Option<Interface>,
    /// The terminal whose data are before each card.
    pub config: &'a TerminalConfig,
    /// How many fresh cards at once.
    pub threads: usize,
    /// How often a case that failed is played again.
    pub retries: u32,
    /// Whether the first case that fails ends the suite.
    pub fail_fast: bool,
    /// The seed of cases that name none.
    pub seed: Option<u64>,
    /// Whether card data is shown as it is.
    pub unmask: bool,
    /// Whether what was said is told of cases that passed, too.
    pub detail: bool,
}

/// A case that was played, and what came of it.
struct Played {
    index: usize,
    report: CaseReport,
    run: Option<CaseRun>,
}

/// Plays jobs. `done` hears of each as it ends, with what came of it on its last attempt.
pub fn play_suite(
    scripts: &[Script],
    jobs: &[Job],
    settings: &SuiteSettings<'_>,
    done: &mut dyn FnMut(&CaseReport, Option<&CaseRun>),
) -> Result<SuiteReport, CampaignError> {
    play_suite_with(&FreshCards::default(), scripts, jobs, settings, done)
}

/// As [`play_suite`], with fresh cards that other jobs have used.
pub(super) fn play_suite_with(
    fresh: &FreshCards,
    scripts: &[Script],
    jobs: &[Job],
    settings: &SuiteSettings<'_>,
    done: &mut dyn FnMut(&CaseReport, Option<&CaseRun>),
) -> Result<SuiteReport, CampaignError> {
    let clock = Context::system(Discard);
    let begin = clock.now();
    let (threads, free) = match &settings.cards {
        Cards::Fresh(_) => (settings.threads, Vec::new()),
        Cards::Kept { addresses, .. } => (addresses.len(), addresses.clone()),
    };
    let free = Mutex::new(free);
    let one = |index: usize, (): &mut ()| {
        let job = jobs.get(index)?;
        let address = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let played = play_job(index, job, scripts, settings, fresh, address.as_ref());
        free.lock().unwrap_or_else(PoisonError::into_inner).extend(address);
        Some(played)
    };
    let mut cases: Vec<(usize, CaseReport)> = Vec::new();
    in_parallel(threads, one, |Played { index, report, run }| {
        done(&report, run.as_ref());
        let ends = settings.fail_fast && !report.verdict.is_success();
        cases.push((index, report));
        Ok(if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    cases.sort_by_key(|(index, _)| *index);
    Ok(SuiteReport {
        left_out: jobs.len() - cases.len(),
        cases: cases.into_iter().map(|(_, report)| report).collect(),
        micros: micros(begin.micros(), &clock),
        started: begin.to_string(),
    })
}

fn play_job(
    index: usize,
    job: &Job,
    scripts: &[Script],
    settings: &SuiteSettings<'_>,
    fresh: &FreshCards,
    address: Option<&(String, ReaderAddress)>,
) -> Played {
    let script = &scripts[job.script];
    let case = &script.cases[job.case];
    let clock = Context::system(Discard);
    let seed = case.header.seed.or(settings.seed).unwrap_or(SEED);
    let is_real = matches!(address, Some((_, ReaderAddress::Driver { .. })));
    let mut report = CaseReport {
        file: script.sources.first().map_or_else(String::new, |source| source.name.clone()),
        name: job.name.clone(),
        line: case.span.line,
        clause: case.header.clause.clone(),
        effect: Effect::Reads,
        card: String::new(),
        verdict: CaseVerdict::NotRun,
        reason: String::new(),
        attempts: 0,
        micros: 0,
        seed: (!is_real).then_some(seed),
        again: String::new(),
        failures: Vec::new(),
        steps: Vec::new(),
    };
    let mut last = None;
    for attempt in 1..=settings.retries + 1 {
        report.attempts = attempt;
        let begin = clock.now().micros();
        let mut context = match is_real {
            true => Context::system(Discard),
            false => Context::simulated(seed, Discard),
        };
        let (card, seat) = seat(case, settings, fresh, address, &mut context);
        report.card = card;
        match seat {
            Ok(mut seat) => {
                let run = play(script, case, job.row, &mut seat, &mut context);
                let told = tell(&run, settings.detail, settings.unmask);
                report.effect = run.effect;
                (report.verdict, report.reason) = (told.verdict, told.reason);
                (report.failures, report.steps) = (told.failures, told.steps);
                last = Some(run);
            }
            Err(cause) => {
                report.verdict = unseated(&cause);
                report.reason = cause.to_string();
            }
        }
        report.micros = micros(begin, &clock);
        if report.verdict.is_success() {
            if attempt > 1 && report.verdict == CaseVerdict::Passed {
                report.verdict = CaseVerdict::Flaky;
            }
            break;
        }
    }
    let named = match (&settings.cards, address) {
        (_, Some((text, _))) => Some(text.clone()),
        (Cards::Fresh(name), None) => name.as_ref().map(CardName::to_string),
        (Cards::Kept { .. }, None) => None,
    };
    report.again = again(&report.file, &report.name, named.as_deref(), report.seed);
    Played { index, report, run: last }
}

/// The seat of a case, and the address of its card.
fn seat(
    case: &Case,
    settings: &SuiteSettings<'_>,
    fresh: &FreshCards,
    address: Option<&(String, ReaderAddress)>,
    context: &mut Context,
) -> (String, Result<Seat, WorldError>) {
    let interface = settings.interface.or(case.header.interface).unwrap_or(Interface::Contact);
    match (&settings.cards, address) {
        (Cards::Kept { allowed, wait, seal, .. }, Some((text, address))) => {
            // A case that declares nothing may do what is allowed, and no more.
            let wants = case.header.effect.unwrap_or(*allowed);
            let permit = Permit { wants, allowed: *allowed };
            let seal = |context: &mut Context| seal(address, context);
            let seat = Seat::before_kept(address, interface, permit, *wait, seal, settings.config, context);
            (text.clone(), seat)
        }
        (Cards::Fresh(Some(name)), _) => {
            (name.to_string(), Seat::before_fresh(fresh, name, interface, settings.config, context))
        }
        _ => {
            let name = wanted(case);
            (name.to_string(), Seat::before_fresh(fresh, &name, interface, settings.config, context))
        }
    }
}

/// The card that a case wants.
pub(super) fn wanted(case: &Case) -> CardName {
    let name = case.header.profile.as_deref().unwrap_or(PROFILE);
    match Path::new(name).extension() {
        Some(ending) if ending == "toml" => CardName::ProfileFile(name.into()),
        _ => CardName::Profile(name.to_owned()),
    }
}

/// How a case counts that got no seat.
fn unseated(cause: &WorldError) -> CaseVerdict {
    match cause {
        WorldError::Link(LinkError::NotAllowed { .. }) => CaseVerdict::NotRun,
        WorldError::Link(_) => CaseVerdict::Unreachable,
        _ => CaseVerdict::Broken,
    }
}

/// The command that plays a case again.
pub(super) fn again(file: &str, name: &str, reader: Option<&str>, seed: Option<u64>) -> String {
    let mut command = format!("cardwright test {}", quoted(file));
    if !name.is_empty() {
        command.push_str(&format!(" --filter {}", quoted(&format!("name=\"{name}\""))));
    }
    if let Some(reader) = reader {
        command.push_str(&format!(" --reader {}", quoted(reader)));
    }
    if let Some(seed) = seed {
        command.push_str(&format!(" --seed {seed}"));
    }
    command
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn micros(begin: i64, clock: &Context) -> u64 {
    u64::try_from(clock.now().micros() - begin).unwrap_or(0)
}
