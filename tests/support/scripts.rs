//! Every shipped script is a test with its expected output: which commands were sent, and
//! what status word each was answered with. `CARDWRIGHT_UPDATE=1` writes the outputs anew.
//! Every message of the parser is a row of `tests/scripts/messages.toml`.

// Test code says what broke by panicking; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cardwright::observers::campaign::{
    Cards, Plant, SuiteSettings, load_scripts, plan, play_suite, script_files,
};
use cardwright::observers::report::suite::{CaseReport, CaseVerdict};
use cardwright::observers::script::lua::Interpreter;
use cardwright::observers::script::{ScriptError, Unattended, parse};
use cardwright::roles::terminal::TerminalConfig;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/apdu-scripts");
const OUTPUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts/output");
const MESSAGES: &str = include_str!("../scripts/messages.toml");
const PROBLEMS: &str = include_str!("../../src/observers/script/problem.rs");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    message: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    problem: String,
    /// Its name; `a.apdu` where nothing is said.
    file: Option<String>,
    script: String,
    says: String,
}

pub(crate) fn trials() -> Vec<Trial> {
    let files = script_files(&[FOLDER.into()]).unwrap();
    let mut trials: Vec<Trial> = files.into_iter().map(of_script).collect();
    let rows: Messages = toml::from_str(MESSAGES).unwrap();
    let told: Vec<String> = rows.message.iter().map(|row| row.problem.clone()).collect();
    trials.extend(rows.message.into_iter().enumerate().map(|(number, row)| {
        Trial::test(format!("script_messages::{}::{number}", row.problem), move || of_message(&row))
    }));
    trials.push(Trial::test("script_messages::every_problem_has_its_message", move || every_problem(&told)));
    trials
}

fn of_script(file: PathBuf) -> Trial {
    let name = file.strip_prefix(FOLDER).unwrap().display().to_string();
    Trial::test(format!("scripts::{name}"), move || {
        let output = played(&file)?;
        let expected = Path::new(OUTPUTS).join(format!("{name}.txt"));
        if std::env::var_os("CARDWRIGHT_UPDATE").is_some() {
            std::fs::create_dir_all(expected.parent().ok_or("no folder")?)?;
            std::fs::write(&expected, &output)?;
        }
        let expected = std::fs::read_to_string(&expected)
            .map_err(|cause| format!("{}: {cause}: CARDWRIGHT_UPDATE=1 makes it", expected.display()))?;
        match expected == output {
            true => Ok(()),
            false => Err(format!("expected\n{expected}\nfound\n{output}").into()),
        }
    })
}

/// What came of a script's cases, which all must pass: a line for each command.
fn played(file: &Path) -> Result<String, Failed> {
    let scripts = load_scripts(&[file.into()])?;
    let jobs = plan(&scripts, None, None);
    let config = TerminalConfig::default();
    let unattended = Unattended { lua: Some(Interpreter::of(env!("CARGO_BIN_EXE_cardwright").into())) };
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
        attendant: &unattended,
        unmask: false,
        detail: true,
        plant: Plant::Nothing,
        terminal: None,
        keeps_events: false,
    };
    let report = play_suite(&scripts, &jobs, &settings, &mut |_| ControlFlow::Continue(()))?;
    let bad: Vec<String> = report
        .cases
        .iter()
        .filter(|case| case.verdict != CaseVerdict::Passed)
        .map(|case| format!("{}: {}: {}", case.title(), case.verdict.word(), case.cause()))
        .collect();
    if !bad.is_empty() || report.cases.is_empty() {
        return Err(format!("expected cases that pass, found {}", bad.join("\n")).into());
    }
    Ok(report.cases.iter().map(output).collect())
}

fn output(case: &CaseReport) -> String {
    let mut text = format!("{}, {}, {}\n", case.name, case.card, case.effect);
    for step in &case.steps {
        text.push_str(format!("{:>4}  {}", step.line, told(&step.text)).trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

/// What a step says in one line: a command and its status word, a message and its code.
fn told(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if let Some(message) = first.strip_prefix("> message ") {
        let answer = text.lines().find_map(|line| line.strip_prefix("< ")).unwrap_or_default();
        return format!("message {:<16} {answer}", message.split(" of ").next().unwrap_or_default());
    }
    if first == "the card is reset" {
        return "reset".to_owned();
    }
    if !first.starts_with('>') {
        return first.to_owned();
    }
    let name = text.lines().nth(1).map_or("", |line| line.trim().split(':').next().unwrap());
    let status = text.lines().last().unwrap().split(": ").nth(1).unwrap_or("no answer");
    format!("{name:<24} {status}")
}

fn of_message(row: &Message) -> Result<(), Failed> {
    let load = |_: &str, path: &str| match path {
        "itself.apdu" => Ok(("itself.apdu".to_owned(), "include itself.apdu".to_owned())),
        "cases.apdu" => Ok(("cases.apdu".to_owned(), "case One\n".to_owned())),
        "deep.apdu" => Ok((
            format!("deep{}.apdu", DEEP.with(|deep| deep.replace(deep.get() + 1))),
            "include deep.apdu".to_owned(),
        )),
        _ => Err("No such file or directory".to_owned()),
    };
    let script = if row.script == "LONG" { "#".repeat((1 << 20) + 1) } else { row.script.clone() };
    let errors = match parse(row.file.as_deref().unwrap_or("a.apdu"), &script, &load) {
        Ok(_) => return Err("expected an error, found a script".into()),
        Err(errors) => errors,
    };
    let found = errors.iter().map(ScriptError::to_string).collect::<Vec<_>>().join("\n");
    let kinds: Vec<String> = errors.iter().map(kind).collect();
    if !kinds.contains(&row.problem) {
        return Err(format!("expected {}, found {kinds:?}:\n{found}", row.problem).into());
    }
    match found.trim_end() == row.says.trim_end() {
        true => Ok(()),
        false => Err(format!("expected\n{}\nfound\n{found}", row.says).into()),
    }
}

thread_local! {
    static DEEP: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// The name of a problem.
fn kind(error: &ScriptError) -> String {
    let told = format!("{:?}", error.problem);
    told.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

fn every_problem(told: &[String]) -> Result<(), Failed> {
    let begin = PROBLEMS.find("pub enum Problem").ok_or("no enum")?;
    let end = begin + PROBLEMS[begin..].find("\n}").ok_or("no end")?;
    let lines = PROBLEMS[begin..end].lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let names: Vec<&str> = names.filter_map(|line| line.split([' ', ',']).next()).collect();
    let missing: Vec<&&str> = names.iter().filter(|name| !told.iter().any(|row| row == **name)).collect();
    match names.len() > 30 && missing.is_empty() {
        true => Ok(()),
        false => Err(format!("of {} problems these have no message: {missing:?}", names.len()).into()),
    }
}
