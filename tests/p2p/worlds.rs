//! Random worlds of phones: nothing is wrong in them, a seed is always the same world, and
//! every rule and every planted bug shows.

use crate::worlds::replays;
use cardwright::world::seeds::SeedSettings;
use cardwright::world::transfer::seeds::{Flaws, Plan, Plant, Rule, SeedReport, seeds};

/// Among so many worlds each flaw must show.
const BOUND: u64 = 400;

/// Where the search for a flaw that shows rarely begins, to save time: none of these must
/// be right, since the search goes on from there.
const BEGIN: &[(&str, u64)] = &[];

fn play(settings: &SeedSettings<Flaws>) -> SeedReport {
    seeds(settings, &mut |_, _, _| {}).unwrap()
}

#[test]
fn nothing_is_wrong_in_random_worlds_of_phones() {
    let report = play(&SeedSettings { count: 60, jobs: 2, ..SeedSettings::default() });
    println!("{report}");
    assert_eq!((report.seeds, report.failed.len()), (60, 0), "{report}");
    assert!(report.booked > 20 && report.refused > 10, "{report}");
}

#[test]
fn a_seed_is_always_the_same_world_of_phones() {
    let of = |first, jobs| {
        let settings = SeedSettings { first, count: 6, jobs, twice: false, ..SeedSettings::default() };
        play(&settings).digest
    };
    assert_eq!(of(1, 1), of(1, 3));
    assert_ne!(of(1, 1), of(7, 1));
}

#[test]
fn every_rule_of_a_transfer_is_needed() {
    for rule in Rule::all() {
        is_found(rule.word(), Flaws { without: Some(rule), plant: None });
    }
}

#[test]
fn every_planted_bug_of_a_transfer_is_found() {
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
    println!("{name}, seed {} after {}: {}\n{}", failed.seed, report.seeds, failed.violation, failed.plan);
    let (whole, smaller) = (Plan::of(failed.seed), &failed.plan);
    let is_smaller = smaller.to_string().len() < whole.to_string().len();
    assert!(is_smaller || whole.steps.len() == 1, "{name}: nothing left out");
    replays(name, &failed.command(), &failed.violation);
}
