//! `cardwright test`: scripts as a suite of tests.

mod elsewhere;
mod here;
mod watch;

use super::shared::attendant::Bystander;
use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::jobs::{queue, submit_arguments};
use super::shared::served;
use super::shared::threads::threads_argument;
use crate::observers::campaign::{
    CampaignError, Filter, Job, Shard, load_scripts, plan, script_files, updated,
};
use crate::observers::report::suite::{
    CaseVerdict, SUITE_FORMATS, SuiteFormat, SuiteReport, suite_json, summary_text,
};
use crate::observers::script::CaseRun;
use crate::observers::script::tree::Script;
use crate::words::iso7816::Effect;
use crate::world::planted::Fault;
use clap::{Arg, ArgAction, value_parser};
use elsewhere::elsewhere;
use here::{Shown, here};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use watch::{is_concerned, watch};

/// Where scripts are looked for, where nobody says.
const FOLDER: &str = "apdu-scripts";

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "test",
    about: "Plays scripts (*.apdu, *.lua, *.scriptor) as tests, each case on a fresh simulated card",
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
    .arg(Arg::new("plant").long("plant").value_name("FAULT").conflicts_with("jobs").help(
        "Plants a fault in every fresh card, or in our terminal, to see that cases fail: each (the one that a case names), list",
    ))
    .args(served::arguments().map(|argument| argument.conflicts_with("jobs")))
    .arg(flag("unattended", "Asks nobody: a case that wants a person is not run"))
    .arg(
        flag("allow-run", "Lets scripts run programs (`run`); without it such a case is not run")
            // An agent runs nobody's programs.
            .conflicts_with("jobs"),
    )
    .arg(flag("fail-fast", "Ends with the first case that fails"))
    .arg(flag("list", "Names the cases and plays none"))
    .arg(flag("watch", "Plays again, whenever a file changes, the cases that it concerns"))
    .arg(
        flag("update", "Writes what came into the scripts, where another value was expected")
            .conflicts_with("jobs"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    // One for all rounds of --watch: it holds what was typed.
    let attendant = Bystander::new(!call.flag("unattended"), call.flag("allow-run"));
    if call.flag("watch") { watch(call, &attendant) } else { once(call, None, &attendant) }
}

/// Plays the cases; where files have changed, those that are concerned.
fn once(
    call: &mut Call<'_>,
    changed: Option<&BTreeSet<PathBuf>>,
    attendant: &Bystander,
) -> Result<Exit, Failure> {
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
    let mut jobs = plan(&scripts, filter.as_ref(), shard);
    if let Some(changed) = changed {
        jobs.retain(|job| is_concerned(call, &scripts[job.script], job.case, changed));
    }
    if call.flag("list") {
        return Ok(list(call, &scripts, &jobs));
    }
    if jobs.is_empty() {
        return Err(Failure::Usage("no case fits the filter or the part: --list names them all".into()));
    }
    let to_stdout = reports.iter().any(|(_, path)| path == Path::new("-"));
    let mut shown = Shown::new(jobs.len(), to_stdout);
    let has_reports = !reports.is_empty();
    let (report, runs) = match queue(call)? {
        Some(mut queue) => {
            (elsewhere(call, &mut queue, &scripts, &jobs, has_reports, &mut shown)?, Vec::new())
        }
        None => here(call, &scripts, &jobs, has_reports, attendant, &mut shown)?,
    };
    shown.progress.clear();
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
