//! Recordings told as a story, and decoding, as the program says them.

use super::Desk;
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_recorded_payment_is_told_step_by_step() {
    let desk = Desk::with_card("unionpay-credit");
    let pay = desk.on_card(&["pay", "12.50", "--interface", "contact", "--save", "pay.cwt"]);
    desk.ok(&pay);
    let story = desk.ok(&["trace", "explain", "pay.cwt"]);
    let mut rest = story.as_str();
    for part in [
        "card data is masked",
        "Application selection",
        "Initiate application processing",
        "card      CVR byte 2 bit 5: new card: the last online ATC is 0",
        "Offline data authentication",
        "terminal  offline data authentication: CDA is the best that card and terminal share",
        "rule: EMV Book 3 10.3",
        "data: 82 Application Interchange Profile 7D00 = SDA supported",
        "Processing restrictions",
        "Cardholder verification",
        "CVM rule applies: plaintext PIN verified by the card if the terminal supports it",
        "Terminal risk management",
        "Terminal action analysis",
        "Card action analysis",
        "card      first GENERATE AC: ARQC: the card is new",
        "Issuer authentication",
        "Completion",
        "terminal  approved online",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} after the one before in\n{story}"));
        rest = &rest[at..];
    }
    let told = desk.json(&["trace", "explain", "pay.cwt"]);
    assert!(told["story"]["steps"].as_array().unwrap().len() > 10, "{told:#}");
    let shown = desk.ok(&["trace", "show", "pay.cwt"]);
    assert!(shown.contains("us  terminal step: Completion") && shown.contains("> 80AE"), "{shown}");
    assert!(!desk.json(&["trace", "show", "pay.cwt"])["events"].as_array().unwrap().is_empty());
    // What was recorded open is shown masked, unless it is asked for.
    desk.ok(&[&pay[..5], &["open.cwt", "--unmask"], &pay[6..]].concat());
    let number =
        desk.json(&["card", "show", "my.card", "--unmask"])["card"]["pan"].as_str().unwrap().to_owned();
    assert!(!desk.ok(&["trace", "explain", "open.cwt"]).contains(&number));
    assert!(desk.ok(&["trace", "explain", "open.cwt", "--unmask"]).contains(&number));
}

/// Pays this much at a seed and records it; the books and the card are in memory.
fn pay(desk: &Desk, seed: &str, amount: &str, interface: &str, file: &str) {
    let state = format!("state-{file}");
    let switches = ["--seed", seed, "--interface", interface, "--save", file, "--state", &state];
    desk.ok(&[&["pay", amount, "--store", "memory"], &switches[..]].concat());
}

#[test]
fn a_tap_has_a_time_on_the_air_and_a_budget() {
    let desk = Desk::new();
    pay(&desk, "5", "1.00", "contactless", "tap.cwt");
    let text = desk.ok(&["trace", "timing", "tap.cwt"]);
    assert!(text.contains("SELECT: 325041592E") && text.contains("within the budget of 500 ms"), "{text}");
    let timing = &desk.json(&["trace", "timing", "tap.cwt"])["timing"];
    let sum: u64 =
        timing["exchanges"].as_array().unwrap().iter().map(|e| e["on_air_us"].as_u64().unwrap()).sum();
    assert!(sum.abs_diff(timing["on_air_us"].as_u64().unwrap()) < 20, "{timing:#}");
    let fast = &desk.json(&["trace", "timing", "tap.cwt", "--rate", "848"])["timing"];
    assert!(fast["on_air_us"].as_u64() < timing["on_air_us"].as_u64());
    let small = &desk.json(&["trace", "timing", "tap.cwt", "--fsc", "16", "--fsd", "16"])["timing"];
    assert!(small["on_air_us"].as_u64() > timing["on_air_us"].as_u64());
    assert_eq!(desk.run(&["trace", "timing", "tap.cwt", "--budget", "20"]).code, 1);
}

#[test]
fn two_runs_of_a_seed_are_the_same_and_two_amounts_differ_in_what_follows_from_them() {
    let desk = Desk::new();
    for interface in ["contactless", "contact"] {
        pay(&desk, "5", "1.00", interface, "a.cwt");
        pay(&desk, "5", "1.00", interface, "b.cwt");
        pay(&desk, "5", "2.00", interface, "c.cwt");
        assert!(desk.ok(&["trace", "diff", "a.cwt", "b.cwt", "--all"]).contains("say the same"));
        assert_eq!(desk.json(&["trace", "diff", "a.cwt", "b.cwt"])["differences"], serde_json::json!([]));
        let told = desk.run(&["trace", "diff", "a.cwt", "c.cwt"]);
        assert_eq!(told.code, 1, "{told:?}");
        let told = desk.json(&["trace", "diff", "a.cwt", "c.cwt"]);
        let differences = told["differences"].as_array().unwrap();
        assert!(!differences.is_empty());
        for difference in differences {
            let path = difference["path"].as_str().unwrap();
            // The amount itself, what the card has left, and nothing else.
            let follows = ["9F02 ", "9F79 ", "9F5D ", "issuer discretionary data", "9F10 ", "amount"];
            assert!(follows.iter().any(|part| path.contains(part)), "{interface}: {difference:#}");
        }
        let amount = |d: &&serde_json::Value| d["path"].as_str().unwrap().contains("9F02 Amount, Authorised");
        let amount = differences.iter().find(amount).unwrap();
        assert_eq!(
            (&amount["a"]["value"], &amount["b"]["value"]),
            (&"000000000100".into(), &"000000000200".into())
        );
    }
    pay(&desk, "6", "1.00", "contact", "d.cwt");
    pay(&desk, "5", "1.00", "contact", "e.cwt");
    let all = desk.json(&["trace", "diff", "d.cwt", "e.cwt", "--all"]);
    let has = |part: &str| {
        all["differences"].as_array().unwrap().iter().any(|d| d["path"].as_str().unwrap().contains(part))
    };
    assert!(has("9F37 Unpredictable Number") && has("9F26 Application Cryptogram"), "{all:#}");
    desk.fails(&["trace", "diff", "a.cwt", "nothing.cwt"], 2, "nothing.cwt");
}

#[test]
fn a_damaged_recording_is_told_with_its_line() {
    let desk = Desk::new();
    desk.ok(&["read", "--save", "read.cwt"]);
    let text = std::fs::read_to_string(desk.path("read.cwt")).unwrap();
    let damaged = text.replacen("{\"at_us\"", "{{\"at_us\"", 1);
    std::fs::write(desk.path("damaged.cwt"), damaged).unwrap();
    let said = desk.fails(&["trace", "explain", "damaged.cwt"], 2, "an event in line 2");
    assert!(said.stderr.contains("delete that line"), "{said:?}");
    std::fs::write(desk.path("cut.cwt"), &text[..text.len() - 20]).unwrap();
    assert!(desk.ok(&["trace", "explain", "cut.cwt"]).contains("ends in the middle of a line"));
    std::fs::write(desk.path("newer.cwt"), text.replacen("\"version\":1", "\"version\":9", 1)).unwrap();
    desk.fails(&["trace", "show", "newer.cwt"], 2, "version 9");
    desk.fails(&["trace", "show", "pin"], 2, "--save FILE");
    desk.fails(&["trace", "explain", "nothing.cwt"], 2, "nothing.cwt");
}

#[test]
fn decode_guesses_reads_pipes_and_says_what_is_wrong() {
    let desk = Desk::new();
    let told = desk.json(&["decode", "9F3602001A"]);
    assert_eq!((&told["kind"], &told["lines"][0]["tag"]), (&"tlv".into(), &"9F36".into()));
    let tvr = desk.ok(&["decode", "95", "8000008000"]);
    assert!(tvr.contains("byte 4 bit 8 = transaction exceeds floor limit"), "{tvr}");
    assert!(desk.ok(&["decode", "tvr", "8000000000"]).contains("byte 1 bit 8"));
    assert!(desk.ok(&["decode", "country", "de"]).contains("Germany"));
    desk.fails(&["decode", "tvr", "80000000"], 2, "expected 5 bytes");
    desk.fails(&["decode", "9F36 02 00"], 2, "offset 3");
    assert!(desk.ok(&["decode", "--help"]).contains("terminal-capabilities"));
    let piped = |arguments: &[&str], lines: &str| {
        let mut child = desk.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = piped(&["decode"], "9000\n\n9F3602001A\n");
    assert!(code == Some(0) && said.contains("normal processing") && said.contains("= 26"), "{said}");
    let (code, said) = piped(&["decode", "sw", "--json"], "9000\n90\n");
    let value: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, value["decoded"][1]["line"].as_u64()), (Some(2), Some(2)));
    let (code, said) = piped(&["decode", "apdu"], "80CA9F7900\n9F79060000000010009000\n");
    assert!(code == Some(0) && said.contains("1000 in minor units"), "{said}");
}
