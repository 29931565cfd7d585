//! The simulation, small, and that it finds a gate that is wrong.

use crate::cli::Desk;
use cardwright::devices::gate::{Aggregation, Line, TapState, Why};
use cardwright::world::gate::{GateReport, GateSettings, RIDERS, simulate};

fn play(line: Line, taps: u64) -> GateReport {
    let settings = GateSettings { taps, seed: 5, gates: 1, line, folder: None, denied: 1_000 };
    simulate(&settings, &|_| {}).unwrap()
}

fn line(old: &str, new: &str) -> Line {
    let text = include_str!("../../src/devices/gate/line.toml");
    assert!(text.contains(old));
    Line::parse(&text.replacen(old, new, 1)).unwrap()
}

#[test]
fn no_bad_card_passes_and_no_good_one_is_refused() {
    let report = play(Line::default(), 500);
    assert_eq!((report.mistakes(), &report.violations), ((0, 0), &vec![]), "{:?}", report.wrong);
    for (row, fate) in RIDERS.iter().zip(&report.fates) {
        assert!(fate.taps > 0, "nobody came: {}", row.name);
    }
    assert_eq!(report.waiting, 0, "every ride was asked about");
    let opened: u64 = report.fates.iter().map(|fate| fate.opened).sum();
    assert_eq!(report.approved + report.declined + report.free, opened);
    let names = |why: Why| report.fates.iter().filter(|fate| fate.why.contains_key(&why)).count();
    for why in [Why::Denied, Why::Refused, Why::Gone, Why::Unreadable, Why::SameCard] {
        assert!(names(why) > 0, "{}", why.word());
    }
    assert!(TapState::ALL.iter().all(|state| TapState::from_word(state.word()) == Some(*state)));
}

#[test]
fn rides_that_are_charged_together_are_paid_once() {
    let rules = Aggregation { hours: None, most_rides: 2, nominal_minor: 1_000, ask_first: true };
    let report = play(Line { aggregation: Some(rules), ..Line::default() }, 400);
    assert_eq!((report.mistakes(), &report.violations), ((0, 0), &vec![]), "{:?}", report.wrong);
    assert_eq!(report.waiting, 0, "every ride was asked about");
    assert!(report.approved > 100, "{}", report.approved);
}

#[test]
fn a_gate_with_a_wrong_rule_is_found() {
    let charged_twice = play(line("same_card_seconds = 10", "same_card_seconds = 1"), 120);
    assert!(charged_twice.mistakes().0 > 0 && charged_twice.is_wrong());
    let too_strict = play(line("most = 30", "most = 0"), 40);
    assert!(too_strict.mistakes().1 > 0, "{:?}", too_strict.wrong);
}

#[test]
fn the_command_prints_the_table_and_fails_where_it_is_wrong() {
    let desk = Desk::new();
    let said = desk.run(&["gate", "simulate", "--taps", "60", "-j", "1", "--denied", "10"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("bad cards that passed: 0; good cards that were refused: 0"), "{said:?}");
    let text = include_str!("../../src/devices/gate/line.toml");
    std::fs::write(
        desk.path("line.toml"),
        text.replacen("same_card_seconds = 10", "same_card_seconds = 1", 1),
    )
    .unwrap();
    let arguments =
        ["gate", "simulate", "--taps", "80", "-j", "1", "--denied", "10", "--config", "line.toml", "--json"];
    let said = desk.run(&arguments);
    assert_eq!(said.code, 3, "{said:?}");
    let json: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(json["simulation"]["bad_passed"].as_u64() > Some(0), "{json}");
    std::fs::write(desk.path("line.toml"), "name = 1").unwrap();
    let said = desk.run(&arguments);
    assert_eq!(said.code, 2, "{said:?}");
}
