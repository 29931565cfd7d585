//! A touch torn at a sample of its bytes; `world tear transfer` tears it at every one.

use cardwright::world::transfer::seeds::{Flaws, Rule};
use cardwright::world::transfer::tear::{TouchKind, TouchReport, TouchSettings, tear};

fn play(settings: &TouchSettings) -> TouchReport {
    tear(settings, &mut |_, _| {}).unwrap()
}

/// No multiple of three, so that each way on from a torn touch is among them.
const SAMPLE: usize = 211;

#[test]
fn a_touch_torn_anywhere_pays_once_or_not_at_all() {
    let report = play(&TouchSettings { every: SAMPLE, jobs: 2, ..TouchSettings::default() });
    assert_eq!(report.violations().count(), 0, "{report}");
    assert_eq!(report.gaps(), [""; 0]);
    let kinds = TouchKind::ALL.iter().filter(|kind| report.rows.iter().any(|row| row.case.kind == **kind));
    assert_eq!(kinds.count(), TouchKind::ALL.len());
}

#[test]
fn a_torn_touch_shows_what_a_rule_is_for() {
    for word in ["keep-agreement", "former-first"] {
        let settings = TouchSettings {
            kinds: vec![TouchKind::Offline],
            flaws: Flaws { without: Rule::from_word(word), plant: None },
            bytes: None,
            jobs: 2,
            until_violation: true,
            ..TouchSettings::default()
        };
        let report = play(&settings);
        assert!(report.violations().next().is_some(), "nothing goes wrong without {word}");
    }
}
