//! The certification set: every case says what it is, passes as things are, and fails with
//! the fault that it names. A case that no fault fails proves nothing.

// Test code says what broke by panicking; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used)]

use crate::emv_terminal::EmvKernel;
use cardwright::observers::campaign::{
    Cards, Plant, SuiteSettings, TerminalMaker, load_scripts, plan, play_suite, script_files,
};
use cardwright::observers::report::suite::{CaseVerdict, SuiteReport};
use cardwright::observers::script::Unattended;
use cardwright::roles::terminal::TerminalConfig;
use cardwright::world::planted::Fault;
use libtest_mimic::{Failed, Trial};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/apdu-scripts/certification");
/// So many cases for cards, and for terminals, there are at least.
const CASES: usize = 60;

/// The files of cases that need neither a tap nor a host.
const EMV_FILES: &[&str] = &[
    "terminal/selection.apdu",
    "terminal/data.apdu",
    "terminal/authentication.apdu",
    "terminal/restrictions.apdu",
    "terminal/verification.apdu",
    "terminal/risk.apdu",
];
const EMV_OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts/output/certification/emv.txt");

pub(crate) fn trials() -> Vec<Trial> {
    let files = script_files(&[FOLDER.into()]).unwrap();
    let mut trials: Vec<Trial> = files.iter().cloned().map(of_file).collect();
    trials.push(Trial::test("certification::terminal_cases_on_the_crate_emv", emv));
    trials.push(Trial::test("certification::every_case_says_what_it_is", move || catalogue(&files)));
    trials
}

/// The cases of a file, each played twice.
fn of_file(file: PathBuf) -> Trial {
    let name = file.strip_prefix(FOLDER).unwrap().display().to_string();
    Trial::test(format!("certification::{name}"), move || {
        expect(&played(&file, Plant::Nothing, None)?, CaseVerdict::Passed, "as things are")?;
        expect(&played(&file, Plant::OfCase, None)?, CaseVerdict::Failed, "with the fault that it names")
    })
}

fn played(file: &Path, plant: Plant, terminal: Option<&TerminalMaker>) -> Result<SuiteReport, Failed> {
    let scripts = load_scripts(&[file.into()])?;
    let config = TerminalConfig::default();
    let settings = SuiteSettings {
        cards: Cards::Fresh(None),
        interface: None,
        config: &config,
        threads: 1,
        retries: 0,
        fail_fast: false,
        seed: None,
        target: None,
        host: None,
        attendant: &Unattended::default(),
        unmask: false,
        detail: false,
        plant,
        terminal,
        keeps_events: false,
    };
    Ok(play_suite(&scripts, &plan(&scripts, None, None), &settings, &mut |_| ControlFlow::Continue(()))?)
}

/// The terminal cases that need neither a tap nor a host, played to the crate `emv`. What
/// came is written down; what changes is told.
fn emv() -> Result<(), Failed> {
    let make = || -> Box<dyn cardwright::world::TerminalUnderTest> { Box::new(EmvKernel) };
    let mut found = String::new();
    for name in EMV_FILES {
        let report = played(&Path::new(FOLDER).join(name), Plant::Nothing, Some(&make))?;
        for case in &report.cases {
            let cause = match case.verdict {
                CaseVerdict::Passed => String::new(),
                _ => format!("\n        {}", case.cause()),
            };
            found += &format!("{:<7} {}{cause}\n", case.verdict.word(), case.name);
        }
    }
    let found = found.replace(concat!(env!("CARGO_MANIFEST_DIR"), "/"), "");
    if std::env::var_os("CARDWRIGHT_UPDATE").is_some() {
        std::fs::write(EMV_OUTPUT, &found)?;
    }
    let expected = std::fs::read_to_string(EMV_OUTPUT)?;
    if expected == found { Ok(()) } else { Err(format!("expected\n{expected}\nfound\n{found}").into()) }
}

fn expect(report: &SuiteReport, verdict: CaseVerdict, how: &str) -> Result<(), Failed> {
    let others = report.cases.iter().filter(|case| case.verdict != verdict);
    let told: Vec<String> = others
        .map(|case| {
            format!(
                "{}: {} {how}, expected {}: {}",
                case.title(),
                case.verdict.word(),
                verdict.word(),
                case.cause()
            )
        })
        .collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("\n").into()) }
}

fn catalogue(files: &[PathBuf]) -> Result<(), Failed> {
    let scripts = load_scripts(files)?;
    let (mut ids, mut faults, mut wrong) = (HashSet::new(), HashSet::new(), Vec::new());
    for job in plan(&scripts, None, None) {
        let header = scripts[job.script].cases[job.case].header_of(job.row);
        let proof = &header.proof;
        match &proof.id {
            None => wrong.push(format!("{}: no id", job.name)),
            Some(id) if !ids.insert(id.clone()) => wrong.push(format!("{id}: used twice")),
            Some(_) => {}
        }
        let said = [("clause", &header.clause), ("needs", &proof.needs), ("fault", &proof.fault)];
        wrong.extend(
            said.iter().filter(|row| row.1.is_none()).map(|row| format!("{}: no {}", job.name, row.0)),
        );
        if header.effect.is_none() {
            wrong.push(format!("{}: no effect", job.name));
        }
        faults.extend(proof.fault.clone());
    }
    let unused = Fault::all().filter(|fault| !faults.contains(fault.name));
    wrong.extend(unused.map(|fault| format!("no case finds the planted fault {}", fault.name)));
    for beginning in ["C.", "T."] {
        let cases = ids.iter().filter(|id| id.starts_with(beginning)).count();
        if cases < CASES {
            wrong.push(format!("{cases} cases whose id begins with {beginning}, of at least {CASES}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
