//! Random worlds of phones: nothing is wrong in them, a seed is always the same world, and
//! every rule is needed.

use cardwright::world::transfer::seeds::{Rule, SeedReport, SeedSettings, seeds};

/// Among so many worlds the want of a rule must show.
const BOUND: u64 = 400;

fn play(settings: &SeedSettings) -> SeedReport {
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
        let settings = SeedSettings {
            first: begin(rule),
            count: BOUND,
            jobs: 2,
            without: Some(rule),
            twice: false,
            most_failures: 1,
        };
        let report = play(&settings);
        let failed =
            report.failed.first().unwrap_or_else(|| panic!("{BOUND} worlds do without {}", rule.word()));
        println!("{}, after {} worlds: {}\n{}", rule.word(), report.seeds, failed.violation, failed.plan);
    }
}

/// Where the search begins for a rule whose want shows rarely, to save time.
fn begin(rule: Rule) -> u64 {
    match rule.word() {
        "former-first" | "signed-outcomes" => 25,
        "keep-before-receipt" => 40,
        _ => 1,
    }
}
