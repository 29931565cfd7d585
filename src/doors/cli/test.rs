//! `cardwright test`: scripts as a suite of tests.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::jobs::{patience, queue, submit_arguments};
use super::shared::output::Output;
use super::shared::progress::Progress;
use super::shared::readers::{all_kept, reader_list};
use super::shared::scene::{card_seal_key, kept_file};
use super::shared::switches::Switches;
use super::shared::threads::{threads, threads_argument};
use crate::base::context::Context;
use crate::observers::campaign::queue::{Counts, Queue};
use crate::observers::campaign::{
    CampaignError, Cards, Filter, Job, SealOpener, Shard, SuiteSettings, SuiteTerms, Waiting, load_scripts,
    plan, play_suite, script_files, submit_suite, updated,
};
use crate::observers::report::suite::{
    CaseReport, CaseVerdict, SUITE_FORMATS, SuiteFormat, SuiteReport, case_line, case_text, suite_json,
    summary_text,
};
use crate::observers::script::CaseRun;
use crate::observers::script::tree::Script;
use crate::words::iso7816::Effect;
use crate::world::{CardName, ReaderAddress};
use clap::{Arg, ArgAction, value_parser};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where scripts are looked for, where nobody says.
const FOLDER: &str = "apdu-scripts";
/// How often `--watch` looks whether a file has changed.
const WATCH: Duration = Duration::from_millis(300);

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "test",
    about: "Plays scripts (*.apdu, *.scriptor) as tests, each case on a fresh simulated card",
    effect: Some(Effect::Destroys),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let formats = SUITE_FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    line.arg(
        Arg::new("PATH")
            .num_args(0..)
            .value_parser(value_parser!(PathBuf))
            .help("Scripts and folders of scripts; else the folder apdu-scripts, else this one"),
    )
    .arg(threads_argument(1, "How many cases at once, on fresh cards; else one for each processor"))
    .args(submit_arguments())
    .arg(Arg::new("shard").long("shard").value_name("1/4").help("Only every fourth case, from the first on"))
    .arg(
        Arg::new("retries")
            .long("retries")
            .value_name("N")
            .value_parser(value_parser!(u32).range(0..=100))
            .help("How often a case that failed is played again; one that passes then is flaky"),
    )
    .arg(
        Arg::new("filter")
            .long("filter")
            .value_name("EXPR")
            .help("Only cases that fit: a text, effect=reads, name~balance, with and, or, not, ( )"),
    )
    .arg(Arg::new("report").long("report").value_name("FORMAT=FILE").action(ArgAction::Append).help(format!(
        "Writes a report, more than one too; formats: {formats}; the file - is standard output"
    )))
    .arg(flag("fail-fast", "Ends with the first case that fails"))
    .arg(flag("list", "Names the cases and plays none"))
    .arg(flag("watch", "Plays them again whenever a script changes"))
    .arg(
        flag("update", "Writes what came into the scripts, where another value was expected")
            .conflicts_with("jobs"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    if !call.flag("watch") {
        return once(call);
    }
    if call.switches.json {
        return Err(Failure::Usage(
            "--watch has no end, and --json speaks at the end: name one of them".into(),
        ));
    }
    loop {
        if let Err(failure) = once(call) {
            call.output.say(&format!("{failure}\n"));
        }
        let seen = stamps(call);
        call.output.say("Waiting for a script to change; Ctrl-C ends it.\n\n");
        while stamps(call) == seen {
            std::thread::sleep(WATCH);
        }
    }
}

fn once(call: &mut Call<'_>) -> Result<Exit, Failure> {
    if call.switches.save.is_some() {
        return Err(Failure::Usage(
            "test keeps no recording: --report html=FILE or json=FILE tells every exchange, decoded".into(),
        ));
    }
    let reports = reports(call)?;
    let filter = call.text("filter").map(Filter::parse).transpose().map_err(Failure::suite)?;
    let shard = call.text("shard").map(Shard::parse).transpose().map_err(Failure::suite)?;
    let scripts =
        load_scripts(&script_files(&paths(call)).map_err(Failure::suite)?).map_err(Failure::suite)?;
    let jobs = plan(&scripts, filter.as_ref(), shard);
    if call.flag("list") {
        return Ok(list(call, &scripts, &jobs));
    }
    if jobs.is_empty() {
        return Err(Failure::Usage("no case fits the filter or the part: --list names them all".into()));
    }
    let mut shown = Shown {
        to_stdout: reports.iter().any(|(_, path)| path == Path::new("-")),
        all: jobs.len(),
        ..Shown::default()
    };
    let has_reports = !reports.is_empty();
    let (report, runs) = match queue(call)? {
        Some(mut queue) => {
            (elsewhere(call, &mut queue, &scripts, &jobs, has_reports, &mut shown)?, Vec::new())
        }
        None => here(call, &scripts, &jobs, has_reports, &mut shown)?,
    };
    shown.progress.clear();
    let to_stdout = shown.to_stdout;
    if !to_stdout {
        call.output.say(&summary_text(&report));
    }
    call.output.tell("suite", suite_json(&report));
    for (format, path) in &reports {
        write_report(call, *format, path, &report)?;
    }
    if call.flag("update") {
        update(call, &scripts, &runs)?;
    }
    ended(&report)
}

/// What is shown while cases are played.
struct Shown {
    progress: Progress,
    /// Whether standard output is a report's.
    to_stdout: bool,
    all: usize,
    done: usize,
    failed: usize,
}

impl Default for Shown {
    fn default() -> Self {
        Self { progress: Progress::beside_lines("cases"), to_stdout: false, all: 0, done: 0, failed: 0 }
    }
}

impl Shown {
    fn case(&mut self, output: &mut Output, case: &CaseReport) {
        self.done += 1;
        self.failed += usize::from(!case.verdict.is_success());
        self.progress.clear();
        if !self.to_stdout {
            output.say(&(case_line(case) + &case_text(case)));
        }
        self.bar("");
    }

    fn bar(&mut self, remark: &str) {
        self.progress.show(self.done, self.all, &format!(", {} failed{remark}", self.failed));
    }
}

/// Plays the suite on this machine; what was said is kept where scripts are to be updated.
fn here(
    call: &mut Call<'_>,
    scripts: &[Script],
    jobs: &[Job],
    has_reports: bool,
    shown: &mut Shown,
) -> Result<(SuiteReport, Vec<(String, CaseRun)>), Failure> {
    let config = call.switches.config()?;
    let switches = call.switches.clone();
    let seal = |address: &ReaderAddress, context: &mut Context| card_seal_key(&switches, address, context);
    let settings = SuiteSettings {
        cards: cards(&switches, &seal)?,
        interface: switches.interface,
        config: &config,
        threads: threads(call),
        retries: retries(call),
        fail_fast: call.flag("fail-fast"),
        seed: switches.seed,
        unmask: switches.unmask,
        detail: has_reports || switches.json,
    };
    let wants_update = call.flag("update");
    if wants_update
        && matches!(&settings.cards, Cards::Kept { addresses, .. } if addresses.iter().any(is_driver))
    {
        return Err(Failure::Usage(
            "--update writes what came into the scripts, card data too: it takes simulated cards alone"
                .into(),
        ));
    }
    let mut runs: Vec<(String, CaseRun)> = Vec::new();
    let report = play_suite(scripts, jobs, &settings, &mut |case: &CaseReport, run| {
        shown.case(&mut call.output, case);
        if wants_update {
            runs.extend(run.map(|run| (case.file.clone(), run.clone())));
        }
    });
    Ok((report.map_err(Failure::suite)?, runs))
}

/// Has the suite played by agents, and waits.
fn elsewhere(
    call: &mut Call<'_>,
    queue: &mut Queue,
    scripts: &[Script],
    jobs: &[Job],
    has_reports: bool,
    shown: &mut Shown,
) -> Result<SuiteReport, Failure> {
    let (terms, patience) = (terms(call, has_reports)?, patience(call));
    let mut taken_up = Vec::new();
    let report = submit_suite(queue, scripts, jobs, &terms, &patience, &mut |waiting| match waiting {
        Waiting::Case(case) => shown.case(&mut call.output, case),
        Waiting::TakenUp(loss) => taken_up.push(loss.to_owned()),
        Waiting::Jobs(Counts { ready, held, .. }) => {
            shown.bar(&format!("; {held} jobs are played, {ready} wait for an agent"));
        }
        Waiting::Seeds(..) => {}
    });
    let report = report.map_err(Failure::suite)?;
    shown.progress.clear();
    if !shown.to_stdout {
        taken_up.iter().for_each(|loss| call.output.note(format!("taken up by another agent: {loss}")));
    }
    Ok(report)
}

/// The worst that happened; what is wrong with a script or a card is said on standard error.
fn ended(report: &SuiteReport) -> Result<Exit, Failure> {
    let worst = report.worst();
    let first = report.cases.iter().find(|case| case.verdict == worst);
    let told = first.map(|case| (case.title(), case.cause().lines().next().unwrap_or_default().to_owned()));
    let (title, cause) = told.unwrap_or_default();
    match worst {
        CaseVerdict::Passed | CaseVerdict::Flaky | CaseVerdict::NotRun => Ok(Exit::Done),
        CaseVerdict::Failed => Ok(Exit::Declined),
        CaseVerdict::Broken => Err(Failure::suite(CampaignError::Broken { title, cause })),
        CaseVerdict::Unreachable => Err(Failure::suite(CampaignError::Unreachable { title, cause })),
    }
}

fn paths(call: &Call<'_>) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = call.arguments.get_many("PATH").unwrap_or_default().cloned().collect();
    match named.is_empty() {
        true if Path::new(FOLDER).is_dir() => vec![FOLDER.into()],
        true => vec![".".into()],
        false => named,
    }
}

/// The cards of `--reader`: fresh ones, or a list of those that are kept.
fn cards<'a>(switches: &Switches, seal: &'a SealOpener<'a>) -> Result<Cards<'a>, Failure> {
    match wanted_cards(switches)? {
        Wanted::Fresh(name) => Ok(Cards::Fresh(name)),
        Wanted::Kept(addresses) => {
            for (_, address) in &addresses {
                if let ReaderAddress::Simulated(name) = address {
                    kept_file(name)?;
                }
            }
            Ok(Cards::Kept { addresses, allowed: switches.allow, wait: switches.wait, seal })
        }
    }
}

/// The cards that are wanted, here or on other machines.
enum Wanted {
    Fresh(Option<CardName>),
    Kept(Vec<(String, ReaderAddress)>),
}

fn wanted_cards(switches: &Switches) -> Result<Wanted, Failure> {
    let Some(named) = &switches.reader else { return Ok(Wanted::Fresh(None)) };
    let list = reader_list(named)?;
    if let [(_, ReaderAddress::Simulated(name @ (CardName::Profile(_) | CardName::ProfileFile(_))))] =
        list.as_slice()
    {
        return Ok(Wanted::Fresh(Some(name.clone())));
    }
    all_kept(&list)?;
    Ok(Wanted::Kept(list))
}

/// How agents are to play a suite.
fn terms(call: &Call<'_>, has_reports: bool) -> Result<SuiteTerms, Failure> {
    let switches = &call.switches;
    let (card, readers) = match wanted_cards(switches)? {
        Wanted::Fresh(card) => (card, Vec::new()),
        Wanted::Kept(list) => (None, list.into_iter().map(|(text, _)| text).collect()),
    };
    if switches.unmask {
        return Err(Failure::Usage(
            "--unmask shows what is on a card, and --jobs sends it to a store: name one of them".into(),
        ));
    }
    let terminal = switches.terminal_files()?;
    Ok(SuiteTerms {
        card,
        readers,
        interface: switches.interface,
        allowed: switches.allow,
        wait_ms: switches.wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        terminal: terminal.into_iter().map(|(path, text)| (path.display().to_string(), text)).collect(),
        retries: retries(call),
        fail_fast: call.flag("fail-fast"),
        seed: switches.seed,
        detail: has_reports || switches.json,
    })
}

fn retries(call: &Call<'_>) -> u32 {
    call.arguments.get_one::<u32>("retries").copied().unwrap_or(0)
}

/// Whether an address is that of a reader.
fn is_driver((_, address): &(String, ReaderAddress)) -> bool {
    matches!(address, ReaderAddress::Driver { .. })
}

/// The reports that are wanted, and their files.
fn reports(call: &Call<'_>) -> Result<Vec<(SuiteFormat, PathBuf)>, Failure> {
    let one = |text: &String| {
        let (name, path) = text.split_once('=').unwrap_or((text, ""));
        let format = SUITE_FORMATS.iter().find(|format| format.name == name);
        match (format, path) {
            (Some(format), path) if !path.is_empty() => Ok((*format, PathBuf::from(path))),
            _ => {
                let known = SUITE_FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
                Err(Failure::Usage(format!(
                    "expected a report such as junit=results.xml, of {known}, found {text:?}"
                )))
            }
        }
    };
    call.texts("report").map(one).collect()
}

fn write_report(
    call: &mut Call<'_>,
    format: SuiteFormat,
    path: &Path,
    report: &SuiteReport,
) -> Result<(), Failure> {
    let text = (format.write)(report);
    if path == Path::new("-") {
        call.output.say(&text);
        return Ok(());
    }
    std::fs::write(path, text).map_err(|cause| Failure::file("write the report", path, cause))
}

fn list(call: &mut Call<'_>, scripts: &[Script], jobs: &[Job]) -> Exit {
    let file = |job: &Job| scripts[job.script].sources.first().map_or("", |source| source.name.as_str());
    let mut cases = Vec::new();
    for job in jobs {
        let header = &scripts[job.script].cases[job.case].header;
        let effect = header.effect.map_or("undeclared", Effect::word);
        call.output.say(&format!("{}: {}  ({effect})\n", file(job), job.name));
        cases.push(serde_json::json!({ "file": file(job), "name": job.name, "effect": effect }));
    }
    call.output.tell("cases", serde_json::json!(cases));
    Exit::Done
}

/// Writes what came into the scripts.
fn update(call: &mut Call<'_>, scripts: &[Script], runs: &[(String, CaseRun)]) -> Result<(), Failure> {
    for source in scripts.iter().flat_map(|script| &script.sources) {
        let of_file = runs.iter().map(|(_, run)| run);
        let (text, changes) = updated(&source.name, &source.text, of_file);
        if changes > 0 {
            let path = Path::new(&source.name);
            std::fs::write(path, text).map_err(|cause| Failure::file("update", path, cause))?;
            call.output.note(format!("{}: {changes} expectations are changed", source.name));
        }
    }
    Ok(())
}

/// When the scripts were changed last.
fn stamps(call: &Call<'_>) -> Vec<(PathBuf, Option<SystemTime>)> {
    let folders: Vec<PathBuf> = paths(call);
    let files = script_files(&folders).unwrap_or_default();
    let changed = |file: PathBuf| {
        let stamp = std::fs::metadata(&file).and_then(|about| about.modified()).ok();
        (file, stamp)
    };
    files.into_iter().map(changed).collect()
}
