//! `cardwright test`: scripts as a suite of tests.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::scene::{card_seal_key, kept_file};
use super::shared::switches::Switches;
use crate::base::context::Context;
use crate::observers::campaign::{
    CampaignError, Cards, Ended, Filter, Job, Plant, SealOpener, Shard, SuiteSettings, load_scripts, plan,
    play_suite, script_files, updated,
};
use crate::observers::report::suite::{
    CaseVerdict, SUITE_FORMATS, SuiteFormat, SuiteReport, case_line, case_text, suite_json, summary_text,
};
use crate::observers::script::CaseRun;
use crate::observers::script::tree::Script;
use crate::words::iso7816::Effect;
use crate::world::planted::Fault;
use crate::world::{CardName, ReaderAddress};
use clap::{Arg, ArgAction, value_parser};
use std::ops::ControlFlow;
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
    .arg(
        Arg::new("threads")
            .short('j')
            .long("threads")
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .help("How many cases at once, on fresh cards; else one for each processor"),
    )
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
    .arg(Arg::new("plant").long("plant").value_name("FAULT").help(
        "Plants a fault in every fresh card, or in our terminal, to see that cases fail: each (the one that a case names), list",
    ))
    .arg(flag("fail-fast", "Ends with the first case that fails"))
    .arg(flag("list", "Names the cases and plays none"))
    .arg(flag("watch", "Plays them again whenever a script changes"))
    .arg(flag("update", "Writes what came into the scripts, where another value was expected"))
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
    if call.text("plant") == Some("list") {
        return Ok(list_faults(call));
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
    let config = call.switches.config()?;
    let switches = call.switches.clone();
    let seal = |address: &ReaderAddress, context: &mut Context| card_seal_key(&switches, address, context);
    let settings = SuiteSettings {
        cards: cards(&switches, &seal)?,
        interface: switches.interface,
        config: &config,
        threads: threads(call),
        retries: call.arguments.get_one::<u32>("retries").copied().unwrap_or(0),
        fail_fast: call.flag("fail-fast"),
        seed: switches.seed,
        unmask: switches.unmask,
        detail: !reports.is_empty() || switches.json,
        plant: plant(call)?,
        terminal: None,
        keeps_events: false,
    };
    if !matches!(settings.plant, Plant::Nothing) && !matches!(settings.cards, Cards::Fresh(_)) {
        return Err(Failure::Usage("--plant is for fresh simulated cards: leave out --reader".into()));
    }
    let to_stdout = reports.iter().any(|(_, path)| path == Path::new("-"));
    let mut runs: Vec<(String, CaseRun)> = Vec::new();
    let wants_update = call.flag("update");
    let output = &mut call.output;
    if wants_update
        && matches!(&settings.cards, Cards::Kept { addresses, .. } if addresses.iter().any(is_driver))
    {
        return Err(Failure::Usage(
            "--update writes what came into the scripts, card data too: it takes simulated cards alone"
                .into(),
        ));
    }
    let report = play_suite(&scripts, &jobs, &settings, &mut |Ended { report: case, run, .. }| {
        if !to_stdout {
            output.say(&(case_line(case) + &case_text(case)));
        }
        if wants_update {
            runs.extend(run.map(|run| (case.file.clone(), run.clone())));
        }
        ControlFlow::Continue(())
    })
    .map_err(Failure::suite)?;
    if !to_stdout {
        call.output.say(&summary_text(&report));
    }
    call.output.tell("suite", suite_json(&report));
    for (format, path) in &reports {
        write_report(call, *format, path, &report)?;
    }
    if wants_update {
        update(call, &scripts, &runs)?;
    }
    ended(&report)
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

fn threads(call: &Call<'_>) -> usize {
    match call.arguments.get_one::<u16>("threads") {
        Some(threads) => usize::from(*threads),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The cards of `--reader`: fresh ones, or a list of those that are kept.
pub(super) fn cards<'a>(switches: &Switches, seal: &'a SealOpener<'a>) -> Result<Cards<'a>, Failure> {
    let Some(named) = &switches.reader else { return Ok(Cards::Fresh(None)) };
    // A reader's name may hold a comma: what is one address is no list.
    let texts: Vec<&str> = match ReaderAddress::parse(named) {
        Ok(ReaderAddress::Simulated(_)) | Err(_) if named.contains(',') => named.split(',').collect(),
        _ => vec![named],
    };
    let mut addresses = Vec::new();
    for text in &texts {
        let address = ReaderAddress::parse(text.trim())?;
        if let ReaderAddress::Simulated(name) = &address {
            kept_file(name)?;
        }
        addresses.push(((*text).trim().to_owned(), address));
    }
    if let [(_, ReaderAddress::Simulated(name @ (CardName::Profile(_) | CardName::ProfileFile(_))))] =
        addresses.as_slice()
    {
        return Ok(Cards::Fresh(Some(name.clone())));
    }
    let is_fresh = |address: &ReaderAddress| {
        matches!(address, ReaderAddress::Simulated(CardName::Profile(_) | CardName::ProfileFile(_)))
    };
    if addresses.iter().any(|(_, address)| is_fresh(address)) {
        return Err(Failure::Usage(
            "a list of readers holds cards that are kept: sim:FILE.card, wallet:DIR, pcsc:NAME-PART".into(),
        ));
    }
    Ok(Cards::Kept { addresses, allowed: switches.allow, wait: switches.wait, seal })
}

/// The fault that is planted in fresh cards.
fn plant(call: &Call<'_>) -> Result<Plant, Failure> {
    Ok(match call.text("plant") {
        None => Plant::Nothing,
        Some("each") => Plant::OfCase,
        Some(name) => Plant::One(Fault::called(name)?),
    })
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

fn list_faults(call: &mut Call<'_>) -> Exit {
    for fault in Fault::all() {
        call.output.say(&format!("{:<30} {}\n", fault.name, fault.breaks));
    }
    let faults = Fault::all().map(|fault| serde_json::json!({ "name": fault.name, "breaks": fault.breaks }));
    call.output.tell("faults", faults.collect());
    Exit::Done
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
