//! The tear test, and that each rule of recovery is needed: with any one of them
//! switched off it must find something wrong.

use cardwright::roles::issuer::Recovery;
use cardwright::roles::terminal::journal::State;
use cardwright::roles::terminal::{RecoveryRule, RecoveryRules};
use cardwright::world::tear::{TearKind, TearReport, TearSettings, tear};
use std::collections::BTreeSet;

fn play(settings: &TearSettings) -> TearReport {
    tear(settings, &mut |_, _| {}).unwrap()
}

#[test]
fn the_money_is_all_there_after_every_fault() {
    let report = play(&TearSettings::default());
    println!("{report}");
    assert_eq!(report.violations().count(), 0, "{report}");
    assert!(report.rows.len() > 500, "{} cases", report.rows.len());
    // Every kind of fault was played, and every state was left behind by one or led to.
    let states: BTreeSet<_> = report.rows.iter().flat_map(|row| [row.torn, row.last]).flatten().collect();
    assert_eq!(states, State::ALL.iter().copied().collect());
    let faults: BTreeSet<_> = report.rows.iter().map(|row| row.case.fault.word()).collect();
    assert_eq!(faults.len(), 10, "{faults:?}");
}

#[test]
fn every_rule_of_the_terminal_is_needed() {
    for rule in RecoveryRule::ALL {
        let settings = TearSettings {
            terminal: RecoveryRules::without(*rule),
            until_violation: true,
            kinds: match rule {
                RecoveryRule::UploadSale | RecoveryRule::CloseUnsent => vec![TearKind::PayQuick],
                _ => vec![TearKind::Load],
            },
            ..TearSettings::default()
        };
        let report = play(&settings);
        assert!(report.violations().next().is_some(), "nothing goes wrong without {rule:?}");
    }
}

#[test]
fn every_rule_of_the_issuer_is_needed() {
    let on = Recovery::default();
    // `return_on_refusal` is for terminals that tell a refusal by notice instead of
    // reversing, as ours does: the issuer's own tests show that it is needed.
    let off = [Recovery { settle_by_evidence: false, ..on }, Recovery { bar_unknown_originals: false, ..on }];
    for issuer in off {
        let settings = TearSettings { issuer, until_violation: true, ..TearSettings::default() };
        let report = play(&settings);
        assert!(report.violations().next().is_some(), "nothing goes wrong without {issuer:?}");
    }
}
