//! Random worlds: nothing is wrong in them, a seed is always the same world, and every
//! rule of recovery and every planted bug shows.

use cardwright::roles::terminal::RecoveryRule;
use cardwright::world::Rule;
use cardwright::world::seeds::{Flaws, Plan, Plant, SeedReport, SeedSettings, seeds};
use std::process::Command;

/// Among so many worlds each flaw must show.
const BOUND: u64 = 4_000;

/// Where the search for a flaw that shows rarely begins, to save time: none of these must
/// be right, since the search goes on from there.
const BEGIN: &[(&str, u64)] = &[
    ("prove-by-log", 101),
    ("prove-by-absence", 217),
    ("ask-host", 736),
    ("prove-by-balance", 349),
    ("settle-by-evidence", 161),
    ("return-on-refusal", 20),
    ("guesses-settlement", 279),
    ("forgets-reversal", 25),
    ("reverses-doubt", 37),
    ("reverse-unsent", 20),
];

fn play(settings: &SeedSettings) -> SeedReport {
    seeds(settings, &mut |_, _, _| {}).unwrap()
}

#[test]
fn nothing_is_wrong_in_random_worlds() {
    let report = play(&SeedSettings { count: 100, jobs: 2, ..SeedSettings::default() });
    println!("{report}");
    assert_eq!(report.seeds, 100);
    assert!(report.failed.is_empty(), "{report}");
    let never = report.actions().into_iter().chain(report.faults()).filter(|(_, count)| *count == 0);
    assert_eq!(never.collect::<Vec<_>>(), [], "`world run --seeds 10000` wants all of it");
}

#[test]
fn a_seed_is_always_the_same_world() {
    let of = |first, jobs| {
        let settings = SeedSettings { first, count: 8, jobs, twice: false, ..SeedSettings::default() };
        play(&settings).digest
    };
    assert_eq!(of(1, 1), of(1, 3));
    assert_ne!(of(1, 1), of(9, 1));
}

#[test]
fn every_rule_of_recovery_is_needed() {
    // Random worlds have no purses: tearing those finds that rule.
    for rule in Rule::all().filter(|rule| *rule != Rule::Terminal(RecoveryRule::ProveByPurse)) {
        is_found(rule.word(), Flaws { without: Some(rule), plant: None });
    }
}

#[test]
fn every_planted_bug_is_found() {
    for plant in Plant::ALL {
        is_found(plant.word(), Flaws { without: None, plant: Some(*plant) });
    }
}

/// Some seed fails; it is made smaller and still fails; the printed command shows it again.
fn is_found(name: &str, flaws: Flaws) {
    let settings = SeedSettings {
        first: BEGIN.iter().find(|row| row.0 == name).map_or(1, |row| row.1),
        count: BOUND,
        jobs: 2,
        flaws,
        twice: false,
        most_failures: 1,
        ..SeedSettings::default()
    };
    let report = play(&settings);
    let failed = report.failed.first().unwrap_or_else(|| panic!("{BOUND} worlds do not find {name}"));
    println!("{name}, after {} worlds: {}\n{}", report.seeds, failed.violation, failed.plan);
    let whole = Plan::of(failed.seed);
    assert!(
        failed.plan.steps.len() < whole.steps.len() || whole.steps.len() == 1,
        "{name}: nothing left out"
    );
    replays(name, &failed.command(), &failed.violation);
}

/// The command that was printed shows the same violation.
pub(crate) fn replays(name: &str, command: &str, violation: &str) {
    let arguments = command.split_whitespace().skip(1);
    let output = Command::new(env!("CARGO_BIN_EXE_cardwright")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{name}: {command}\n{said}");
    assert!(said.contains(violation), "{name}: {command}\n{said}");
}
