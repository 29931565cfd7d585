//! Plays the jobs of a suite: on fresh cards as many at once as is wanted, on a card that is
//! kept or in a reader one after the other.

use super::error::CampaignError;
use super::plan::Job;
use super::tell::tell;
use crate::air::link::{Activation, Interface, LinkError, ReaderOptions};
use crate::base::context::Context;
use crate::base::event::{Collector, Discard, Event};
use crate::base::store::SealKey;
use crate::observers::report::suite::{CaseReport, CaseVerdict, SuiteReport};
use crate::observers::script::part::Part;
use crate::observers::script::tree::{Case, Header, Script};
use crate::observers::script::{Attendant, CaseRun, Chair, Counter, Puppet, Tested, play};
use crate::roles::terminal::TerminalConfig;
use crate::words::iso7816::Effect;
use crate::world::planted::Fault;
use crate::world::{
    Bench, CardName, FreshCard, FreshCards, HostPlace, Permit, ReaderAddress, Seat, ServedBench,
    TargetAddress, TerminalUnderTest, TomlChange, WorldError, in_parallel,
};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The card of a case that names none.
const PROFILE: &str = "ecash";
/// The seed of a case that names none.
const SEED: u64 = 1;

/// Opens the key that seals a kept card's file.
pub type SealOpener<'a> = dyn Fn(&ReaderAddress, &mut Context) -> Result<SealKey, WorldError> + Sync + 'a;

/// Makes a terminal of another make for a case.
pub type TerminalMaker = dyn Fn() -> Box<dyn TerminalUnderTest> + Sync;

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
        /// How a card in a reader is opened.
        options: ReaderOptions,
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
    /// Where a terminal elsewhere finds the card that a script plays.
    pub target: Option<&'a TargetAddress>,
    /// Where it finds the host that a script plays.
    pub host: Option<&'a HostPlace>,
    /// Who is asked, and runs programs.
    pub attendant: &'a dyn Attendant,
    /// Whether card data is shown as it is.
    pub unmask: bool,
    /// Whether what was said is told of cases that passed, too.
    pub detail: bool,
    /// The faults of fresh cards.
    pub plant: Plant,
    /// Makes a terminal that takes the place of ours where a case plays the card.
    pub terminal: Option<&'a TerminalMaker>,
    /// Whether every event of a case is kept for who hears of its end.
    pub keeps_events: bool,
}

/// Which fault is planted in a fresh card.
#[derive(Debug, Clone, Copy, Default)]
pub enum Plant {
    /// None.
    #[default]
    Nothing,
    /// The one that each case names as the one that makes it fail.
    OfCase,
    /// This one, in every card.
    One(&'static Fault),
}

/// A case that has ended.
pub struct Ended<'a> {
    /// Which of the jobs.
    pub job: usize,
    /// What is told of it.
    pub report: &'a CaseReport,
    /// What came of it on its last attempt; none where it got no seat.
    pub run: Option<&'a CaseRun>,
    /// What happened on its last attempt.
    pub events: &'a [Event],
    /// The card, as its link knew it.
    pub activation: Option<&'a Activation>,
}

/// A case that was played, and what came of it.
struct Played {
    index: usize,
    report: CaseReport,
    run: Option<CaseRun>,
    events: Vec<Event>,
    activation: Option<Activation>,
}

impl SuiteSettings<'_> {
    /// Whether the terminal under test is elsewhere.
    fn is_elsewhere(&self) -> bool {
        self.target.is_some() || self.host.is_some()
    }
}

/// A case's seat.
enum Seated {
    Terminal(Seat),
    Bench(Box<Bench>),
    Served(ServedBench),
}

/// Plays jobs. `done` hears of each as it ends, and says whether the suite goes on.
pub fn play_suite(
    scripts: &[Script],
    jobs: &[Job],
    settings: &SuiteSettings<'_>,
    done: &mut dyn FnMut(&Ended<'_>) -> ControlFlow<()>,
) -> Result<SuiteReport, CampaignError> {
    play_suite_with(&FreshCards::default(), scripts, jobs, settings, done)
}

/// As [`play_suite`], with fresh cards that other jobs have used.
pub(super) fn play_suite_with(
    fresh: &FreshCards,
    scripts: &[Script],
    jobs: &[Job],
    settings: &SuiteSettings<'_>,
    done: &mut dyn FnMut(&Ended<'_>) -> ControlFlow<()>,
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
    in_parallel(threads, one, |Played { index, report, run, events, activation }| {
        let goes_on = done(&Ended {
            job: index,
            report: &report,
            run: run.as_ref(),
            events: &events,
            activation: activation.as_ref(),
        });
        let ends = goes_on.is_break() || settings.fail_fast && !report.verdict.is_success();
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
    let header = case.header_of(job.row);
    let clock = Context::system(Discard);
    let seed = case.header.seed.or(settings.seed).unwrap_or(SEED);
    // Only who plays the terminal sits before a card that is kept; the others have their own.
    let address = address.filter(|_| case.header.part.unwrap_or_default() == Part::Terminal);
    let is_real = matches!(address, Some((_, ReaderAddress::Driver { .. })));
    let mut report = CaseReport { seed: (!is_real).then_some(seed), ..unplayed(script, job) };
    let (mut last, mut happened, mut activation) = (None, Vec::new(), None);
    for attempt in 1..=settings.retries + 1 {
        report.attempts = attempt;
        // What the attempt before has told is not told of this one.
        last = None;
        report.verdict = CaseVerdict::NotRun;
        (report.failures, report.steps) = (Vec::new(), Vec::new());
        let begin = clock.now().micros();
        // Most suites ask for no events, and a thousand small cases are to take a second.
        let is_bench = header.part.unwrap_or_default() != Part::Terminal;
        let events = Collector::default();
        let wants_events = settings.keeps_events || is_bench;
        let is_elsewhere = is_bench && settings.is_elsewhere();
        let mut context = match (is_real || is_elsewhere, wants_events) {
            (true, true) => Context::system(events.clone()),
            (true, false) => Context::system(Discard),
            (false, true) => Context::simulated(seed, events.clone()),
            (false, false) => Context::simulated(seed, Discard),
        };
        let puppet = Puppet::default();
        let (card, seated) = seat(case, settings, fresh, address, &puppet, &mut context);
        report.card = card;
        let seated = seated.and_then(|seated| settings.plant.put(seated, &header));
        activation = seated.as_ref().ok().and_then(Seated::activation).cloned();
        match seated {
            Ok(seated) if away(&header, seated.activation()).is_some() => {
                report.reason = away(&header, seated.activation()).unwrap_or_default();
            }
            Ok(mut seated) => {
                let events = events.clone();
                let chair = match &mut seated {
                    Seated::Terminal(seat) => Chair::Terminal(seat),
                    Seated::Bench(bench) => {
                        Chair::Counter(Counter { terminal: Tested::Ours(bench), puppet, events })
                    }
                    Seated::Served(bench) => {
                        Chair::Counter(Counter { terminal: Tested::Elsewhere(bench), puppet, events })
                    }
                };
                let run = play(script, case, job.row, chair, settings.attendant, &mut context);
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
        happened = if settings.keeps_events { events.events() } else { Vec::new() };
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
    Played { index, report, run: last, events: happened, activation }
}

impl Plant {
    /// A seat with the fault that is wanted of its card or terminal.
    fn put(self, seated: Seated, header: &Header) -> Result<Seated, WorldError> {
        let fault = match self {
            Self::Nothing => None,
            Self::One(fault) => Some(fault),
            Self::OfCase => header.proof.fault.as_deref().map(Fault::called).transpose()?,
        };
        Ok(match (fault, seated) {
            (Some(fault), Seated::Terminal(seat)) => Seated::Terminal(seat.planted(fault)),
            (Some(fault), Seated::Bench(bench)) => Seated::Bench(Box::new(bench.planted(fault))),
            // Nobody's terminal but ours gets a fault.
            (_, seated) => seated,
        })
    }
}

impl Seated {
    /// The card, as its link knows it; none where a terminal elsewhere has the link.
    fn activation(&self) -> Option<&Activation> {
        match self {
            Self::Terminal(seat) => Some(seat.card.activation()),
            Self::Bench(bench) => Some(bench.activation()),
            Self::Served(_) => None,
        }
    }
}

/// Why a case is not for a real card: it is for the other interface.
fn away(header: &Header, found: Option<&Activation>) -> Option<String> {
    let found = found.filter(|found| found.real)?.interface;
    let wanted = header.interface.filter(|wanted| *wanted != found)?;
    Some(format!("the case is for a {wanted} card, and this one is reached {found}"))
}

/// The seat of a case, and the address of its card.
fn seat(
    case: &Case,
    settings: &SuiteSettings<'_>,
    fresh: &FreshCards,
    address: Option<&(String, ReaderAddress)>,
    puppet: &Puppet,
    context: &mut Context,
) -> (String, Result<Seated, WorldError>) {
    let config = match configured(settings.config, &case.header.configure) {
        Ok(config) => config,
        Err(error) => return (String::new(), Err(error)),
    };
    let interface = settings.interface.or(case.header.interface).unwrap_or(Interface::Contact);
    match (&settings.cards, address) {
        (Cards::Kept { allowed, options, seal, .. }, Some((text, address))) => {
            // A case that declares nothing may do what is allowed, and no more.
            let wants = case.header.effect.unwrap_or(*allowed);
            let permit = Permit { wants, allowed: *allowed };
            let seal = |context: &mut Context| seal(address, context);
            let seat = Seat::before_kept(address, interface, permit, *options, seal, &config, context);
            (text.clone(), seat.map(Seated::Terminal))
        }
        (cards, _) => {
            let named = match cards {
                Cards::Fresh(Some(name)) => name.clone(),
                _ => wanted(case),
            };
            let card = FreshCard { name: named.clone(), changes: case.header.personalise.clone() };
            let part = case.header.part.unwrap_or_default();
            let target = settings.target.filter(|_| part.is_card());
            let host = settings.host.filter(|_| part.is_host());
            let seated = match (settings.target, settings.host) {
                _ if part == Part::Terminal => {
                    Seat::before_fresh(fresh, &card, interface, &config, context).map(Seated::Terminal)
                }
                (Some(_), _) | (_, Some(_)) if part.is_card() && target.is_none() => {
                    Err(WorldError::NoSeat { what: "card", switch: "--on" })
                }
                (Some(_), _) | (_, Some(_)) if part.is_host() && host.is_none() => {
                    Err(WorldError::NoSeat { what: "host", switch: "--listen" })
                }
                (Some(_), _) | (_, Some(_)) => {
                    ServedBench::set(fresh, &card, interface, target, host, puppet).map(Seated::Served)
                }
                (None, None) => {
                    let config = config.into_owned();
                    let (hand, inbox) = (puppet.clone(), puppet.clone());
                    Bench::set(fresh, &card, interface, config, hand, inbox, context).map(|bench| {
                        Seated::Bench(Box::new(bench.with(settings.terminal.map(|make| make()))))
                    })
                }
            };
            (named.to_string(), seated)
        }
    }
}

/// A terminal's file, changed as a case wants it.
fn configured<'a>(
    config: &'a TerminalConfig,
    changes: &[TomlChange],
) -> Result<Cow<'a, TerminalConfig>, WorldError> {
    if changes.is_empty() {
        return Ok(Cow::Borrowed(config));
    }
    let mut done = Ok(());
    let changed = config.changed(|file| done = changes.iter().try_for_each(|change| change.apply(file)))?;
    match done {
        Ok(()) => Ok(Cow::Owned(changed)),
        Err(cause) => Err(WorldError::Change { file: "the terminal's file".into(), cause }),
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
        WorldError::Link(LinkError::NotAllowed { .. }) | WorldError::NoSeat { .. } => CaseVerdict::NotRun,
        WorldError::Link(_) => CaseVerdict::Unreachable,
        _ => CaseVerdict::Broken,
    }
}

/// The report of a case before it was played.
pub(super) fn unplayed(script: &Script, job: &Job) -> CaseReport {
    let case = &script.cases[job.case];
    CaseReport {
        file: script.sources.first().map_or_else(String::new, |source| source.name.clone()),
        name: job.name.clone(),
        line: case.span.line,
        clause: case.header_of(job.row).clause,
        effect: Effect::Reads,
        card: String::new(),
        verdict: CaseVerdict::NotRun,
        reason: String::new(),
        attempts: 0,
        micros: 0,
        seed: None,
        again: String::new(),
        failures: Vec::new(),
        steps: Vec::new(),
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
