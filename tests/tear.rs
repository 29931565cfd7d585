//! The tear test, and that each rule of recovery is needed: with any one of them
//! switched off it must find something wrong.

use cardwright::roles::terminal::RecoveryRule;
use cardwright::roles::terminal::journal::State;
use cardwright::world::Rule;
use cardwright::world::tear::{TearKind, TearReport, TearSettings, tear};
use std::collections::BTreeSet;

fn play(settings: &TearSettings) -> TearReport {
    tear(settings, &mut |_, _| {}).unwrap()
}

/// Each fifth case; `world tear --messages` plays all.
#[test]
fn the_money_is_all_there_after_every_fault() {
    let report = play(&TearSettings { every: 5, jobs: 2, ..TearSettings::default() });
    println!("{report}");
    assert_eq!(report.violations().count(), 0, "{report}");
    assert_eq!(report.gaps(), [""; 0]);
    assert!(report.rows.len() > 500, "{} cases", report.rows.len());
    // Every kind of fault was played, and every state was left behind by one or led to.
    let states: BTreeSet<_> = report.rows.iter().flat_map(|row| [row.torn, row.last]).flatten().collect();
    // No card here asks for an advice to its issuer.
    let all = State::ALL.iter().copied().filter(|state| *state != State::AdviceDue);
    assert_eq!(states, all.collect());
    assert_eq!(report.faults().len(), 13, "{:?}", report.faults());
}

/// Each exchange's ends and a sample of the bytes between; `world tear` plays every byte.
#[test]
fn the_money_is_all_there_wherever_the_wire_is_cut() {
    let kinds = vec![TearKind::Load, TearKind::PayContact, TearKind::PayQuick];
    let settings = TearSettings { kinds, bytes: Some(127), jobs: 2, ..TearSettings::default() };
    let report = play(&settings);
    assert_eq!(report.violations().count(), 0, "{report}");
    assert_eq!(report.gaps(), [""; 0]);
    assert_eq!(report.faults().len(), 15, "{:?}", report.faults());
}

#[test]
fn cases_played_at_once_are_the_same_cases() {
    let one = TearSettings { kinds: vec![TearKind::PayQuick], ..TearSettings::default() };
    let many = TearSettings { jobs: 3, ..one.clone() };
    assert_eq!(play(&one), play(&many));
}

#[test]
fn every_rule_is_needed() {
    for rule in Rule::all() {
        let settings = TearSettings {
            without: Some(rule),
            until_violation: true,
            kinds: match rule {
                Rule::Terminal(RecoveryRule::UploadSale | RecoveryRule::CloseUnsent) => {
                    vec![TearKind::PayQuick]
                }
                Rule::Terminal(RecoveryRule::ClaimSale) => vec![TearKind::PayContact],
                Rule::Terminal(RecoveryRule::ProveByPurse) => vec![TearKind::PursePurchase],
                _ => vec![TearKind::Load],
            },
            ..TearSettings::default()
        };
        let report = play(&settings);
        assert!(report.violations().next().is_some(), "nothing goes wrong without {}", rule.word());
    }
}
