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
