//! `test --jobs`: cases that agents play.

use super::here::{Shown, retries};
use crate::doors::cli::shared::cards::{Wanted, wanted_cards};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::jobs::patience;
use crate::observers::campaign::queue::{Counts, Queue};
use crate::observers::campaign::{Job, SuiteTerms, Waiting, submit_suite};
use crate::observers::report::suite::SuiteReport;
use crate::observers::script::tree::Script;

/// Has the suite played by agents, and waits.
pub(super) fn elsewhere(
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
