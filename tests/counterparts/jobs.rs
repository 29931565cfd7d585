//! Jobs that several machines share, with real agents and a real server: an agent, the
//! database and a reader vanish while cases are played, and each job ends exactly once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::support::pcscd::PrivatePcscd;
use crate::support::postgres::PrivatePostgres;
use crate::support::process::{Answer, OwnChild, PATIENCE, run, wait_until};
use crate::support::vpicc::FixedCard;
use crate::support::{program, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
/// A whole campaign, on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Cases of the suite.
const CASES: usize = 12;

pub(super) fn trials() -> Vec<Trial> {
    let on_sqlite = |test: fn(&str, &Path) -> Result<(), Failed>| {
        move || {
            let folder = tempfile::tempdir()?;
            let store = format!("sqlite:{}", folder.path().join("jobs.db").display());
            test(&store, folder.path())
        }
    };
    let on_postgresql = |test: fn(&str, &Path) -> Result<(), Failed>| {
        move || {
            require_or_skip(PrivatePostgres::start(false), |server| {
                test(&server.address(), tempfile::tempdir()?.path())
            })
        }
    };
    vec![
        Trial::test("jobs::reports_as_of_a_run_here", on_sqlite(reports_as_of_a_run_here)),
        Trial::test("jobs::a_killed_agent_on_sqlite", on_sqlite(a_killed_agent)),
        Trial::ignorable_test("jobs::a_killed_agent_on_postgresql", on_postgresql(a_killed_agent)),
        Trial::ignorable_test("jobs::an_agent_that_sleeps", on_postgresql(an_agent_that_sleeps)),
        Trial::ignorable_test("jobs::a_killed_database", || {
            require_or_skip(PrivatePostgres::start(true), |mut server| a_killed_database(&mut server))
        }),
        Trial::ignorable_test("jobs::a_reader_that_vanishes", || {
            let found = program("opensc-tool", "opensc");
            let found = found.and_then(|tool| Ok((tool, PrivatePcscd::start("Virtual PCD")?)));
            require_or_skip(found, |(tool, daemon)| a_reader_that_vanishes(&tool, &daemon))
        }),
    ]
}

/// Cases passed, failed and by rows, and worlds: agents bring what a run here brings, in
/// every format and with its exit code.
fn reports_as_of_a_run_here(store: &str, folder: &Path) -> Result<(), Failed> {
    let script = folder.join("mixed.apdu");
    fs::write(
        &script,
        "effect reads\n\ncase Right\n  | name | n |\n  | one | 1 |\n  | two | 2 |\nSELECT A000000333010106\n\
         GET DATA 9F79\nexpect 9F79 = 100.00\n\ncase Wrong\nSELECT A000000333010106\nGET DATA 9F79\n\
         expect 9F79 = 5.00\n",
    )?;
    let script = script.display().to_string();
    let agent = Agent::start(store, folder, "agent", &["-j", "2"])?;
    let reports = |name: &str| -> Vec<String> {
        let report = |format: &str| format!("{format}={}", folder.join(format!("{name}.{format}")).display());
        ["junit", "tap", "html", "json"]
            .iter()
            .flat_map(|format| ["--report".into(), report(format)])
            .collect()
    };
    let test = |name: &str, more: &[&str]| -> Result<(Answer, Vec<String>), Failed> {
        let mut command = Command::new(CARDWRIGHT);
        command.args(["test", &script, "--seed", "7"]).args(reports(name)).args(more);
        let answer = run(&mut command, "", LIMIT)?;
        let files = ["junit", "tap", "html", "json"];
        let read = |format: &&str| fs::read_to_string(folder.join(format!("{name}.{format}")));
        Ok((answer, files.iter().map(read).collect::<Result<_, _>>()?))
    };
    let (here, files_here) = test("here", &[])?;
    let (there, files_there) = test("there", &["--jobs", store])?;
    must(here.code == Some(1) && there.code == Some(1), format!("{:?} and {:?}", here.code, there.code))?;
    for (here, there) in files_here.iter().zip(&files_there) {
        must(timeless(here) == timeless(there), format!("{here}\n--- and by an agent ---\n{there}"))?;
    }
    let lines = |answer: &Answer| {
        let mut lines: Vec<String> = timeless(&answer.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    must(lines(&here) == lines(&there), format!("{}\n{}", here.stdout, there.stdout))?;
    let world = |more: &[&str]| -> Result<Value, Failed> {
        let mut command = Command::new(CARDWRIGHT);
        let answer = run(command.args(["world", "run", "--seeds", "6", "--json"]).args(more), "", LIMIT)?;
        let mut report: Value = serde_json::from_str(&answer.stdout)?;
        report["seconds"] = Value::Null;
        report["seeds_per_second"] = Value::Null;
        Ok(report)
    };
    let (here, there) = (world(&[])?, world(&["--jobs", store])?);
    must(here == there && here["seeds"] == 6, format!("{here:#}\n{there:#}"))?;
    once_each(&[&agent])
}

/// An agent is killed while it plays: another takes its job up, once.
fn a_killed_agent(store: &str, folder: &Path) -> Result<(), Failed> {
    let suite = suite(folder, CASES)?;
    let first = Agent::start(store, folder, "first", &["-j", "1"])?;
    let submitted = submit(store, &suite, &[]);
    first.until("ended ", 2)?;
    let first = first.kill_while_it_plays()?;
    let second = Agent::start(store, folder, "second", &["-j", "1"])?;
    let report = done(submitted, Some(0))?;
    all_passed(&report, CASES)?;
    let notes = report["notes"].to_string();
    must(notes.contains("taken up by another agent") && notes.contains("claim 1"), notes)?;
    once_each(&[&first, &second])
}

/// An agent that sleeps longer than its lease wakes up with a result that nobody wants.
fn an_agent_that_sleeps(store: &str, folder: &Path) -> Result<(), Failed> {
    let suite = suite(folder, CASES)?;
    let first = Agent::start(store, folder, "first", &["-j", "1"])?;
    let submitted = submit(store, &suite, &[]);
    first.until("ended ", 1)?;
    first.signal_while_it_plays("STOP")?;
    let second = Agent::start(store, folder, "second", &["-j", "1"])?;
    second.until("expired ", 1)?;
    first.signal("CONT")?;
    all_passed(&done(submitted, Some(0))?, CASES)?;
    first.until("refused ", 1)?;
    once_each(&[&first, &second])
}

/// The server is cut off twice, as by a power cut, and comes back.
fn a_killed_database(server: &mut PrivatePostgres) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let suite = suite(folder.path(), CASES)?;
    let store = server.address();
    let first = Agent::start(&store, folder.path(), "first", &["-j", "1"])?;
    let second = Agent::start(&store, folder.path(), "second", &["-j", "1"])?;
    let submitted = submit(&store, &suite, &[]);
    for turn in 1..=2 {
        first.until("ended ", turn)?;
        server.stop_immediately()?;
        server.resume().map_err(|skip| skip.to_string())?;
    }
    all_passed(&done(submitted, Some(0))?, CASES)?;
    once_each(&[&first, &second])
}

/// The card is pulled in the middle of a case: that case says so, once, and the others wait
/// until there is a card again.
fn a_reader_that_vanishes(opensc_tool: &Path, daemon: &PrivatePcscd) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let store = format!("sqlite:{}", folder.path().join("jobs.db").display());
    let script = folder.path().join("reader.apdu");
    let text = "effect reads\n\ncase Long\neach n in 1..20000\n  00A40400\nend\n\ncase Short\n00A40400\n";
    fs::write(&script, text)?;
    let card = FixedCard::insert(daemon, &[0x3B, 0x80, 0x80, 0x01, 0x01])?;
    daemon.wait_for_card(opensc_tool)?;
    let agent = Agent::of(
        daemon.command(CARDWRIGHT),
        &store,
        folder.path(),
        "agent",
        &["-j", "0", "--reader", "pcsc:Virtual PCD 00 00"],
    )?;
    let submitted = submit(&store, &script, &["--reader", "pcsc:Virtual"]);
    agent.until("took ", 1)?;
    std::thread::sleep(Duration::from_millis(300));
    let answered = card.pull();
    must(answered > 0, "the card was pulled before the case began")?;
    agent.until("waiting ", 1)?;
    // Put in before the virtual reader has missed the last one for a while, it is not seen.
    std::thread::sleep(Duration::from_millis(1500));
    let card = FixedCard::insert(daemon, &[0x3B, 0x80, 0x80, 0x01, 0x01])?;
    let report = done(submitted, Some(4))?;
    drop(card);
    let cases = report["suite"]["cases"].as_array().cloned().unwrap_or_default();
    let told: Vec<(&str, &str)> = cases
        .iter()
        .map(|case| (case["name"].as_str().unwrap_or(""), case["verdict"].as_str().unwrap_or("")))
        .collect();
    must(told == [("Long", "unreachable"), ("Short", "passed")], format!("{report:#}"))?;
    let reason = cases[0]["reason"].as_str().unwrap_or("");
    must(reason.contains("reader.apdu:5"), format!("the reason names the place: {reason}"))?;
    once_each(&[&agent])
}

/// An agent's process and what it said.
struct Agent {
    child: OwnChild,
    log: PathBuf,
}

impl Agent {
    fn start(store: &str, folder: &Path, name: &str, more: &[&str]) -> Result<Self, Failed> {
        Self::of(Command::new(CARDWRIGHT), store, folder, name, more)
    }

    fn of(
        mut command: Command,
        store: &str,
        folder: &Path,
        name: &str,
        more: &[&str],
    ) -> Result<Self, Failed> {
        let log = folder.join(format!("{name}.log"));
        let out = fs::File::create(&log)?;
        command.args(["agent", "--jobs", store, "--lease", "1"]).args(more);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let agent = Self { child: OwnChild(command.spawn()?), log };
        agent.until("agent ", 1)?;
        Ok(agent)
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until so many of its lines begin so.
    fn until(&self, begin: &str, count: usize) -> Result<(), Failed> {
        let came = || self.said().lines().filter(|line| line.starts_with(begin)).count() >= count;
        let came = wait_until(LIMIT, || came().then_some(()));
        came.ok_or_else(|| format!("no {count} lines {begin:?} of {}", self.said()).into())
    }

    /// Whether it has taken a job that it has not ended.
    fn plays(&self) -> bool {
        self.said().lines().last().is_some_and(|line| line.starts_with("took "))
    }

    fn signal(&self, name: &str) -> Result<(), Failed> {
        let mut kill = Command::new("kill");
        let told = kill.args([&format!("-{name}"), &self.child.0.id().to_string()]).status()?;
        must(told.success(), format!("kill -{name}"))
    }

    /// Sends it a signal at a moment when it plays a job, and stays so.
    fn signal_while_it_plays(&self, name: &str) -> Result<(), Failed> {
        let hit = wait_until(PATIENCE, || {
            if !self.plays() {
                return None;
            }
            self.signal("STOP").ok()?;
            // What it had begun to write is written by now.
            std::thread::sleep(Duration::from_millis(100));
            if self.plays() {
                return Some(());
            }
            self.signal("CONT").ok()?;
            None
        });
        hit.ok_or_else(|| format!("it never plays: {}", self.said()))?;
        if name == "STOP" { Ok(()) } else { self.signal(name) }
    }

    fn kill_while_it_plays(mut self) -> Result<Self, Failed> {
        self.signal_while_it_plays("KILL")?;
        self.child.0.wait()?;
        Ok(self)
    }
}

/// A suite of cases that each take a while.
fn suite(folder: &Path, cases: usize) -> Result<PathBuf, Failed> {
    let file = folder.join("suite.apdu");
    let case = |number| {
        format!("case Number {number}\nSELECT A000000333010106\neach n in 1..300\n  GET DATA 9F79\nend\n\n")
    };
    fs::write(&file, (1..=cases).map(case).collect::<String>())?;
    Ok(file)
}

fn submit(store: &str, suite: &Path, more: &[&str]) -> JoinHandle<Result<Answer, String>> {
    let mut command = Command::new(CARDWRIGHT);
    command.arg("test").arg(suite).args(["--jobs", store, "--patience", "60", "--json"]).args(more);
    std::thread::spawn(move || run(&mut command, "", LIMIT))
}

/// The submitter's report.
fn done(submitted: JoinHandle<Result<Answer, String>>, code: Option<i32>) -> Result<Value, Failed> {
    let answer = submitted.join().map_err(|_| "the submitter's thread panicked")??;
    must(answer.code == code, format!("{:?}: {}{}", answer.code, answer.stdout, answer.stderr))?;
    Ok(serde_json::from_str(&answer.stdout)?)
}

fn all_passed(report: &Value, cases: usize) -> Result<(), Failed> {
    let told = report["suite"]["cases"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = told.iter().map(|case| case["name"].to_string()).collect();
    let passed = told.iter().filter(|case| case["verdict"] == "passed").count();
    names.sort();
    names.dedup();
    must(told.len() == cases && names.len() == cases && passed == cases, format!("{report:#}"))
}

/// No result was kept twice, by whomever.
fn once_each(agents: &[&Agent]) -> Result<(), Failed> {
    let said: Vec<String> = agents.iter().map(|agent| agent.said()).collect();
    let mut ended: Vec<&str> =
        said.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("ended ")).collect();
    let count = ended.len();
    ended.sort_unstable();
    ended.dedup();
    must(count > 0 && ended.len() == count, format!("a job ended twice:\n{}", said.join("\n")))
}

/// A text without what differs from run to run: times.
fn timeless(text: &str) -> String {
    let times = [
        r"\d+(\.\d+)? (us|ms|s)\b",
        r#"(time|timestamp)="[^"]*""#,
        r#""micros":\s*\d+"#,
        r#""started":\s*"[^"]*""#,
        r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}",
    ];
    times.iter().fold(text.to_owned(), |text, time| match regex_lite::Regex::new(time) {
        Ok(time) => time.replace_all(&text, "TIME").into_owned(),
        Err(_) => text,
    })
}

fn must(holds: bool, what: impl Into<String>) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into().into()) }
}
