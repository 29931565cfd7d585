//! A certification session as its user sees it: begun, gone on with, run again with a
//! reason, attached to, checked, and tampered with.

use crate::cli::Desk;

/// A desk with a questionnaire for a card that has nothing but electronic cash by contact.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.ok(&["certify", "init", "card"]);
    let ics = std::fs::read_to_string(desk.path("ics.toml")).unwrap();
    let ics =
        ics.replace("operator = \"\"", "operator = \"O. Perator\"").replace("debit = true", "debit = false");
    std::fs::write(desk.path("ics.toml"), ics).unwrap();
    desk
}

const RUN: &[&str] = &["certify", "run", "--session", "evidence"];

fn run(desk: &Desk, more: &[&str]) -> crate::cli::Said {
    desk.run(&[RUN, more].concat())
}

fn verified(desk: &Desk) -> serde_json::Value {
    desk.json(&["certify", "verify", "--session", "evidence"])["session"].clone()
}

#[test]
fn a_session_goes_on_and_keeps_what_was() {
    let desk = desk();
    desk.fails(&["certify", "init", "card"], 2, "ics.toml");
    desk.fails(RUN, 2, "certify run --ics FILE");
    let first = run(&desk, &["--ics", "ics.toml", "C.SEL.01", "C.EC.01", "C.PIN.01"]);
    assert_eq!(first.code, 0, "{first:#?}");
    assert!(first.stdout.contains("passed   C.SEL.01"), "{}", first.stdout);
    assert!(first.stdout.contains("C.PIN.01") && first.stdout.contains("does not apply"), "{}", first.stdout);
    assert!(first.stdout.contains("it is no certificate"));
    // Tomorrow: what has a result is not played again.
    let second = run(&desk, &[]);
    assert_eq!(second.code, 0, "{second:#?}");
    assert!(!second.stdout.contains("C.SEL.01 "), "{}", second.stdout);
    let third = run(&desk, &[]);
    assert!(third.stdout.contains("nothing was left to play"), "{}", third.stdout);
    // A rerun needs a reason, and the earlier result stays.
    desk.fails(&[RUN, &["C.SEL.01"]].concat(), 2, "--reason");
    let again = run(&desk, &["C.SEL.01", "--reason", "the reader was replaced"]);
    assert_eq!(again.code, 0, "{again:#?}");
    std::fs::write(desk.path("photo.jpg"), "a photo").unwrap();
    desk.ok(&["certify", "attach", "photo.jpg", "--session", "evidence", "--case", "C.SEL.01"]);
    let found = verified(&desk);
    assert_eq!((&found["superseded"], &found["mandatory_not_passed"]), (&1.into(), &0.into()), "{found:#}");
    assert_eq!(found["about"]["about"]["operator"], "O. Perator");
    assert!(found["results"].as_array().unwrap().len() > 40, "{found:#}");
    // Another questionnaire is another session.
    let other = std::fs::read_to_string(desk.path("ics.toml")).unwrap() + "\n";
    std::fs::write(desk.path("ics.toml"), other).unwrap();
    desk.fails(&[RUN, &["--ics", "ics.toml"]].concat(), 2, "another questionnaire");
}

#[test]
fn test_pans_stay_readable_in_the_evidence_and_pins_do_not() {
    let desk = Desk::new();
    desk.ok(&["certify", "init", "card"]);
    run(&desk, &["--ics", "ics.toml", "C.REC.05", "C.PIN.01"]);
    let mut traces = String::new();
    for entry in std::fs::read_dir(desk.path("evidence/results")).unwrap() {
        traces += &std::fs::read_to_string(entry.unwrap().path().join("trace.cwt")).unwrap();
    }
    assert!(traces.contains("5A08629999"), "a PAN of the test range: {traces}");
    assert!(traces.contains("\"00200080"), "VERIFY was sent: {traces}");
    assert!(!traces.contains("26123456"), "no PIN: {traces}");
    let trace = desk.ok(&["trace", "show", &first_trace(&desk)]);
    assert!(trace.contains("SELECT"), "{trace}");
}

fn first_trace(desk: &Desk) -> String {
    let mut folders: Vec<_> = std::fs::read_dir(desk.path("evidence/results"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders[0].join("trace.cwt").display().to_string()
}

#[test]
fn what_was_changed_is_found() {
    let desk = desk();
    run(&desk, &["--ics", "ics.toml", "C.SEL.01", "C.SEL.02"]);
    let head = verified(&desk)["head"].as_str().unwrap().to_owned();
    let verify = &["certify", "verify", "--session", "evidence"];
    desk.ok(&[&verify[..], &["--head", &head]].concat());
    let broken = |part: &str| desk.fails(verify, 3, "not as it was written").stderr.contains(part);
    // A result is changed.
    let trace = std::path::PathBuf::from(first_trace(&desk));
    let result = trace.with_file_name("result.json");
    let honest = std::fs::read_to_string(&result).unwrap();
    std::fs::write(&result, honest.replace("passed", "failed")).unwrap();
    assert!(broken("result.json: was changed"));
    std::fs::write(&result, honest).unwrap();
    // A file is put in, one is taken out.
    std::fs::write(desk.path("evidence/extra.txt"), "").unwrap();
    assert!(broken("extra.txt: is in no entry"));
    std::fs::remove_file(desk.path("evidence/extra.txt")).unwrap();
    let kept = std::fs::read(&trace).unwrap();
    std::fs::remove_file(&trace).unwrap();
    assert!(broken("trace.cwt"));
    std::fs::write(&trace, kept).unwrap();
    desk.ok(verify);
    // The end of the chain is cut off: who wrote the last hash down sees it.
    let chain = desk.path("evidence/session.chain");
    let whole = std::fs::read_to_string(&chain).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    std::fs::write(&chain, lines[..lines.len() - 1].concat()).unwrap();
    desk.fails(&[&verify[..], &["--head", &head]].concat(), 3, "not as it was written");
    // A line is changed, and nothing is added to such a session.
    std::fs::write(&chain, whole.replace("C.SEL.02", "C.SEL.09")).unwrap();
    assert!(broken("was changed"));
    desk.fails(RUN, 2, "was changed");
    // What was cut short while it was written was never there; the session goes on.
    for torn in [&b"0123 {"[..], b"0123 {\"about\": \"\xC3"] {
        std::fs::write(&chain, [whole.as_bytes(), torn].concat()).unwrap();
        assert!(broken("cut short"));
    }
    std::fs::write(&chain, &whole[..whole.len() - 20]).unwrap();
    assert!(broken("cut short"));
    let said = run(&desk, &["C.SEL.03"]);
    assert_eq!(said.code, 0, "{said:#?}");
}

#[test]
fn a_row_has_an_id_that_can_name_a_folder() {
    let desk = desk();
    let script = "clause none\neffect reads\n\ncase One\n  | id |\n  | ../../X.1 |\n00A40400\n";
    std::fs::write(desk.path("own.apdu"), script).unwrap();
    let arguments = [RUN, &["--ics", "ics.toml", "--cases", "own.apdu"]].concat();
    desk.fails(&arguments, 2, "letters, digits and points");
}

#[test]
fn a_case_without_its_seat_is_not_run_and_says_why() {
    let desk = Desk::new();
    desk.ok(&["certify", "init", "card"]);
    let script = "id X.1\nclause none\nseats person\neffect reads\nSELECT A000000333010106\n";
    std::fs::write(desk.path("own.apdu"), script).unwrap();
    let said = run(&desk, &["--ics", "ics.toml", "--cases", "own.apdu"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.stdout.contains("not run  X.1") && said.stdout.contains("needs person"), "{}", said.stdout);
    let found = verified(&desk);
    assert_eq!(found["results"][0]["verdict"], "not run");
    // The same cause is kept once.
    let entries = found["entries"].as_u64().unwrap();
    run(&desk, &["--cases", "own.apdu"]);
    assert_eq!(verified(&desk)["entries"].as_u64().unwrap(), entries + 1, "the sitting alone");
}

#[test]
fn a_fault_is_planted_in_fresh_cards_only() {
    let desk = Desk::with_card("ecash");
    let script = "effect reads\nSELECT A000000333010106\n";
    std::fs::write(desk.path("own.apdu"), script).unwrap();
    desk.ok(&["test", "own.apdu"]);
    assert_eq!(desk.run(&["test", "own.apdu", "--plant", "select-refused"]).code, 1);
    assert!(desk.ok(&["test", "--plant", "list"]).contains("select-refused"));
    desk.fails(&["test", "own.apdu", "--plant", "nothing"], 2, "no planted fault");
    desk.fails(
        &["test", "own.apdu", "--plant", "each", "--reader", "sim:my.card"],
        2,
        "fresh simulated cards",
    );
}
