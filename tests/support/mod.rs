//! What several tests need: software written by others, started and ended safely.

pub(crate) mod chip;
pub(crate) mod lines;
pub(crate) mod pcscd;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod served;
pub(crate) mod vpicc;

use std::fmt;
use std::path::PathBuf;

use libtest_mimic::{Completion, Failed};

/// Set to `required` where nothing may be left out, as in continuous integration.
const COUNTERPARTS: &str = "CARDWRIGHT_COUNTERPARTS";

/// Why a test cannot run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What came to the test, or why it cannot run here: shown as ignored with this
/// reason, or failed where counterparts are required.
pub(crate) fn require_or_skip<T>(
    found: Result<T, Skip>,
    test: impl FnOnce(T) -> Result<(), Failed>,
) -> Result<Completion, Failed> {
    decide(found, is_required(), test)
}

/// Whether a test that cannot run here fails.
pub(crate) fn is_required() -> bool {
    std::env::var(COUNTERPARTS).is_ok_and(|value| value == "required")
}

fn decide<T>(
    found: Result<T, Skip>,
    required: bool,
    test: impl FnOnce(T) -> Result<(), Failed>,
) -> Result<Completion, Failed> {
    match found {
        Ok(found) => test(found).map(|()| Completion::Completed),
        Err(Skip(reason)) if required => Err(format!("{COUNTERPARTS}=required, but {reason}").into()),
        Err(Skip(reason)) => Ok(Completion::ignored_with(reason)),
    }
}

/// The trial that shows a skip to be a failure where counterparts are required.
pub(crate) fn skips_fail_where_required() -> Result<(), Failed> {
    let missing = || Err::<(), _>(Skip("there is no such program".into()));
    if decide(missing(), true, |()| Ok(())).is_ok() {
        return Err("a missing counterpart passed where it is required".into());
    }
    match decide(missing(), false, |()| Ok(())) {
        Ok(Completion::Ignored { reason: Some(reason) }) if reason.contains("no such program") => Ok(()),
        other => Err(format!("expected it ignored with its reason, found {:?}", other.map(|_| ())).into()),
    }
}

/// A number of the environment, so that a documented command plays more than usual.
pub(crate) fn number_or(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A program of this machine, or why a test that needs it cannot run.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf, Skip> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // Daemons are installed where the PATH of a plain user does not look.
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/sbin".into()]);
    let mut found = folders.map(|folder| folder.join(name)).filter(|path| path.is_file());
    found.next().ok_or_else(|| Skip(format!("there is no {name} here: apt install {package}")))
}

/// The Python of the virtual environment that `.ci/install` makes, with what it holds.
pub(crate) fn python(module: &str) -> Result<PathBuf, Skip> {
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python"));
    let python = if own.is_file() { own } else { program("python3", "python3")? };
    let mut ask = std::process::Command::new(&python);
    ask.args(["-c", &format!("import {module}")]);
    match process::run(&mut ask, "", process::PATIENCE) {
        Ok(answer) if answer.success() => Ok(python),
        _ => Err(Skip(format!("Python has no module {module}: run .ci/install"))),
    }
}
