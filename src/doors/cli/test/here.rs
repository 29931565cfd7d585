//! Cases that are played on this machine, and what is shown meanwhile.

use crate::base::context::Context;
use crate::doors::cli::shared::attendant::Bystander;
use crate::doors::cli::shared::cards::cards;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::output::Output;
use crate::doors::cli::shared::progress::Progress;
use crate::doors::cli::shared::scene::card_seal_key;
use crate::doors::cli::shared::served::Served;
use crate::doors::cli::shared::threads::threads;
use crate::observers::campaign::{Cards, Ended, Job, Plant, SuiteSettings, play_suite};
use crate::observers::report::suite::{CaseReport, SuiteReport, case_line, case_text};
use crate::observers::script::CaseRun;
use crate::observers::script::tree::Script;
use crate::world::ReaderAddress;
use crate::world::planted::Fault;
use std::ops::ControlFlow;

/// Plays the suite on this machine; what was said is kept where scripts are to be updated.
pub(super) fn here(
    call: &mut Call<'_>,
    scripts: &[Script],
    jobs: &[Job],
    has_reports: bool,
    attendant: &Bystander,
    shown: &mut Shown,
) -> Result<(SuiteReport, Vec<(String, CaseRun)>), Failure> {
    let config = call.switches.config()?;
    let switches = call.switches.clone();
    let seal = |address: &ReaderAddress, context: &mut Context| card_seal_key(&switches, address, context);
    let served = Served::of(call)?;
    let settings = SuiteSettings {
        cards: cards(&switches, &seal)?,
        interface: switches.interface,
        config: &config,
        // A terminal elsewhere takes one card at a time.
        threads: if served.is_elsewhere() { 1 } else { threads(call) },
        retries: retries(call),
        fail_fast: call.flag("fail-fast"),
        seed: switches.seed,
        target: served.target.as_ref(),
        host: served.host.as_ref(),
        attendant,
        unmask: switches.unmask,
        detail: has_reports || switches.json,
        plant: plant(call)?,
        terminal: None,
        keeps_events: false,
    };
    if !matches!(settings.plant, Plant::Nothing)
        && (!matches!(settings.cards, Cards::Fresh(_)) || served.is_elsewhere())
    {
        return Err(Failure::Usage(
            "--plant is for fresh simulated cards and our own terminal: leave out --reader, --on and --listen"
                .into(),
        ));
    }
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
    let report = play_suite(scripts, jobs, &settings, &mut |Ended { report: case, run, .. }| {
        shown.case(&mut call.output, case);
        if wants_update {
            runs.extend(run.map(|run| (case.file.clone(), run.clone())));
        }
        ControlFlow::Continue(())
    });
    Ok((report.map_err(Failure::suite)?, runs))
}

/// The fault that is planted in fresh cards, or in our terminal.
fn plant(call: &Call<'_>) -> Result<Plant, Failure> {
    Ok(match call.text("plant") {
        None => Plant::Nothing,
        Some("each") => Plant::OfCase,
        Some(name) => Plant::One(Fault::called(name)?),
    })
}

/// What is shown while cases are played.
pub(super) struct Shown {
    pub(super) progress: Progress,
    /// Whether standard output is a report's.
    pub(super) to_stdout: bool,
    all: usize,
    done: usize,
    failed: usize,
}

impl Shown {
    /// Nothing is done yet of so many.
    pub(super) fn new(all: usize, to_stdout: bool) -> Self {
        Self { progress: Progress::beside_lines("cases"), to_stdout, all, done: 0, failed: 0 }
    }

    pub(super) fn case(&mut self, output: &mut Output, case: &CaseReport) {
        self.done += 1;
        self.failed += usize::from(!case.verdict.is_success());
        self.progress.clear();
        if !self.to_stdout {
            output.say(&(case_line(case) + &case_text(case)));
        }
        self.bar("");
    }

    pub(super) fn bar(&mut self, remark: &str) {
        self.progress.show(self.done, self.all, &format!(", {} failed{remark}", self.failed));
    }
}

/// How often a case that failed is played again.
pub(super) fn retries(call: &Call<'_>) -> u32 {
    call.arguments.get_one::<u32>("retries").copied().unwrap_or(0)
}

/// Whether an address is that of a reader.
fn is_driver((_, address): &(String, ReaderAddress)) -> bool {
    matches!(address, ReaderAddress::Driver { .. })
}
