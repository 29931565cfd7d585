//! The script language as a whole: any text is a script or an error, what the references
//! say is what there is, and the command plays, reports and refuses.

use crate::cli::Desk;
use cardwright::observers::script::part::{MESSAGE_WORDS, OUTCOMES};
use cardwright::observers::script::{
    ACTION_WORDS, ELEMENT_WORDS, ERRAND_WORDS, FUNCTIONS, STATEMENT_WORDS, parse,
};
use cardwright::words::decode::COMMAND_ROOMS;
use proptest::prelude::*;

const GRAMMAR: &str = include_str!("../apdu-scripts/GRAMMAR.md");
const SYNTAX: &str = include_str!("../apdu-scripts/syntax/apdu.tmLanguage.json");

fn read(text: &str) -> bool {
    let load = |_: &str, _: &str| Err("no files here".to_owned());
    ["any.apdu", "any.lua"].iter().all(|name| match parse(name, text, &load) {
        Ok(script) => !script.cases.is_empty(),
        Err(errors) => errors.iter().all(|error| error.to_string().contains(&format!("{name}:"))),
    })
}

/// Words of the language, of which random lines are made.
const WORDS: &[&str] = &[
    "case",
    "expect",
    "capture",
    "let",
    "set",
    "each",
    "end",
    "reset",
    "include x",
    "title",
    "effect reads",
    "SELECT",
    "GET DATA",
    "GPO",
    "GENERATE AC arqc",
    "READ RECORD",
    "VERIFY",
    "A000000333010106",
    "9F79",
    "9000",
    "61xx",
    "6F/A5/50",
    "12.50",
    "\"text\"",
    "\"",
    "$x",
    "$94",
    "=",
    ">=",
    "has",
    "like",
    "matches /x/",
    "between",
    "and",
    "one of",
    "record of",
    "row",
    "in 1..3",
    "|",
    "..",
    "(",
    ")",
    ",",
    "+",
    "-",
    "udk(",
    "concat(",
    "amount",
    "sfi",
    "cla",
    "le",
    "none",
    "or",
    "role card",
    "role card and host",
    "on GENERATE AC",
    "on message",
    "terminal pay 1.00",
    "expect sent",
    "answer 6985",
    "corrupt",
    "configure a = 1",
    "#",
    "# expects 6F .. 90 00",
    "\\\n",
    "\n",
    "\n",
    "\n",
    "é",
    "\t",
];

proptest! {
    #[test]
    fn any_text_is_a_script_or_an_error(text in "(?s).{0,400}") {
        prop_assert!(read(&text));
    }

    #[test]
    fn any_words_are_a_script_or_an_error(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        prop_assert!(read(&words.join(" ")));
    }
}

#[test]
fn the_references_name_everything_that_there_is() {
    let commands = COMMAND_ROOMS.iter().flat_map(|room| room.iter());
    for row in commands {
        let escaped = row.name.replace('(', "\\\\(").replace(')', "\\\\)");
        for name in std::iter::once(row.name).chain(row.short_name) {
            assert!(GRAMMAR.contains(&format!("`{name}`")), "GRAMMAR.md has no {name}");
        }
        assert!(SYNTAX.contains(&escaped), "the syntax file has no {}", row.name);
        for parameter in row.parameters {
            assert!(GRAMMAR.contains(parameter.name), "GRAMMAR.md has no {} of {}", parameter.name, row.name);
        }
    }
    for function in FUNCTIONS {
        assert!(
            GRAMMAR.contains(&format!("`{}", function.usage.replace('|', "\\|"))),
            "GRAMMAR.md: {}",
            function.usage
        );
        assert!(SYNTAX.contains(function.name), "the syntax file has no {}", function.name);
    }
    let messages = MESSAGE_WORDS.iter().map(|row| row.words).filter(|words| !words.is_empty());
    for words in messages.chain(OUTCOMES.iter().map(|row| row.words)) {
        assert!(GRAMMAR.contains(words), "GRAMMAR.md has no {words}");
    }
    for word in STATEMENT_WORDS.iter().chain(ACTION_WORDS).chain(ERRAND_WORDS) {
        assert!(GRAMMAR.contains(&format!("`{word}")) && SYNTAX.contains(word), "{word}");
    }
    for (word, tag) in ELEMENT_WORDS {
        assert!(GRAMMAR.contains(&format!("`{word}` {tag}")), "GRAMMAR.md has no {word}");
    }
    let syntax: serde_json::Value = serde_json::from_str(SYNTAX).unwrap();
    assert_eq!(syntax["scopeName"], "source.apdu");
}

#[test]
fn the_example_of_the_grammar_passes() {
    let desk = Desk::new();
    let begin = GRAMMAR.find("```text\n").unwrap() + "```text\n".len();
    let example = &GRAMMAR[begin..begin + GRAMMAR[begin..].find("```").unwrap()];
    std::fs::write(desk.path("example.apdu"), example).unwrap();
    assert!(desk.ok(&["test", "example.apdu"]).contains("1 case: 1 passed"));
}

/// A script with a case that passes, one that fails, and one that cannot go on.
fn desk() -> Desk {
    let desk = Desk::new();
    let script = "\
title Three ends
effect reads
case Good
SELECT A000000333010106
case Bad
SELECT A000000333010106
expect 6F/A5/50 = \"PBOC DEBIT\"
expect 84 = A000000333010106
GET DATA 9F79
case Too much
SELECT A000000333010106
GPO amount 1.00
";
    std::fs::write(desk.path("three.apdu"), script).unwrap();
    desk
}

#[test]
fn what_fails_shows_both_sides_and_how_to_play_it_again() {
    let desk = desk();
    let said = desk.run(&["test", "three.apdu", "--filter", "name=Bad"]);
    assert_eq!(said.code, 1, "{said:#?}");
    for part in [
        "three.apdu:7:1: 6F/A5/50 Application Label",
        "    7 | expect 6F/A5/50 = \"PBOC DEBIT\"",
        "\"PBOC DEBIT\"                           | 50 Application Label:",
        "> 00A4040008A00000033301010600",
        "again: cardwright test three.apdu --filter 'name=\"Bad\"' --seed 1",
        "1 case: 0 passed, 1 failed",
    ] {
        assert!(said.stdout.contains(part), "no {part:?} in {}", said.stdout);
    }
    assert!(!said.stdout.contains("GET DATA"), "nothing is sent after a failure: {}", said.stdout);
    let again = desk.run(&["test", "three.apdu", "--filter", "name=\"Bad\"", "--seed", "1"]);
    assert_eq!(again.code, 1);
}

#[test]
fn an_effect_above_the_declared_one_is_not_sent() {
    let said = desk().run(&["test", "three.apdu", "--filter", "much"]);
    assert_eq!(said.code, 2, "{said:#?}");
    assert!(said.stdout.contains("GET PROCESSING OPTIONS spends, and the case declares that it only reads"));
    assert!(!said.stdout.contains("> 80A8"), "{}", said.stdout);
}

#[test]
fn parts_and_filters_choose_cases() {
    let desk = desk();
    let list = |arguments: &[&str]| desk.ok(&[&["test", "three.apdu", "--list"], arguments].concat());
    assert_eq!(list(&[]).lines().count(), 3);
    assert_eq!(list(&["--shard", "1/2"]).lines().count(), 2);
    assert_eq!(list(&["--shard", "2/2"]), "three.apdu: Bad  (reads)\n");
    assert_eq!(list(&["--filter", "not (bad or good)"]), "three.apdu: Too much  (reads)\n");
    desk.fails(&["test", "three.apdu", "--shard", "3/2"], 2, "from 1 to the number of parts");
    desk.fails(&["test", "three.apdu", "--filter", "("], 2, "of the filter");
    desk.fails(&["test", "three.apdu", "--filter", "nothing"], 2, "no case fits");
    desk.fails(&["test", "three.apdu", "--report", "xml=x"], 2, "junit=results.xml");
    desk.fails(&["test", "absent.apdu"], 2, "could not read absent.apdu");
    let fast = desk.run(&["test", "three.apdu", "--fail-fast", "-j", "1"]);
    assert!(fast.stdout.contains("1 left out after the first that failed"), "{}", fast.stdout);
    let retried = desk.run(&["test", "three.apdu", "--filter", "name=Bad", "--retries", "2"]);
    assert!(retried.stdout.contains("attempt 3"), "{}", retried.stdout);
}

#[test]
fn reports_are_written_all_at_once() {
    let desk = desk();
    let formats = ["junit", "html", "tap", "json", "human"];
    let mut arguments = vec!["test".to_owned(), "three.apdu".to_owned()];
    arguments
        .extend(formats.iter().flat_map(|format| ["--report".to_owned(), format!("{format}=out.{format}")]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    desk.run(&arguments);
    let out = |format: &str| std::fs::read_to_string(desk.path(&format!("out.{format}"))).unwrap();
    let junit = out("junit");
    assert!(junit.contains("tests=\"3\" failures=\"1\" errors=\"1\""), "{junit}");
    assert!(
        junit.contains("<failure type=\"expectation\"") && junit.contains("<error type=\"broken\""),
        "{junit}"
    );
    let tap = out("tap");
    assert!(tap.starts_with("TAP version 13\n1..3\nok 1 - three.apdu: Good\nnot ok 2"), "{tap}");
    let lines: Vec<serde_json::Value> =
        out("json").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[1]["verdict"], &lines[3]["counts"]["failed"]),
        (4, &"failed".into(), &1.into())
    );
    let html = out("html");
    assert!(html.contains("PBOC DEBIT") && html.contains("class=\"step failing\""), "{html}");
    assert!(!html.contains("src=") && !html.contains("href="), "the page stands by itself");
    assert!(out("human").contains("3 cases: 1 passed, 1 failed, 1 broken"));
    let json = desk.json(&["test", "three.apdu"]);
    assert_eq!(json["suite"]["counts"]["passed"], 1);
    let tap = desk.run(&["test", "three.apdu", "--report", "tap=-"]);
    assert!(tap.stdout.starts_with("TAP version 13\n"), "{}", tap.stdout);
}

#[test]
fn what_came_can_be_written_into_the_script() {
    let desk = desk();
    desk.run(&["test", "three.apdu", "--filter", "name=Bad", "--update"]);
    let script = std::fs::read_to_string(desk.path("three.apdu")).unwrap();
    assert!(script.contains("expect 6F/A5/50 = \"PBOC E-CASH\"\nexpect 84"), "{script}");
    desk.ok(&["test", "three.apdu", "--filter", "name=Bad"]);
}

#[test]
fn a_card_that_is_kept_goes_from_case_to_case_and_no_pan_is_shown() {
    let desk = Desk::with_card("ecash");
    let script = "\
effect spends
case One
SELECT A000000333010106
GPO amount 0.00
expect 9F36 number = 9
case Two
SELECT A000000333010106
READ RECORD sfi 1 record 2
capture number = 5A text
expect 5A = 6299990000000000
expect $number = \"x\"
expect $5A = 00
expect data = 00
READ RECORD sfi 1 record 1
expect 5F20 text = \"x\"
";
    std::fs::write(desk.path("kept.apdu"), script).unwrap();
    let pan = desk.json(&["card", "show", "my.card", "--unmask"])["card"]["pan"].as_str().unwrap().to_owned();
    let digits: String = pan.chars().filter(char::is_ascii_digit).take(16).collect();
    assert_eq!(digits.len(), 16, "{pan}");
    for arguments in [&["--json"][..], &["--report", "html=-"], &[]] {
        let said = desk.run(&[&["test", "kept.apdu", "--reader", "sim:my.card"], arguments].concat());
        assert_eq!(said.code, 1, "{said:#?}");
        assert!(!said.stdout.contains(&digits), "{}", said.stdout);
    }
    let said = desk.run(&["test", "kept.apdu", "--reader", "sim:my.card", "--unmask"]);
    assert!(said.stdout.contains(&digits), "{}", said.stdout);
    let list = desk.run(&["test", "kept.apdu", "--reader", "sim:my.card,sim:ecash"]);
    assert_eq!(list.code, 2, "{list:#?}");
}

#[test]
fn what_nobody_does_is_not_run_in_any_report() {
    let desk = Desk::new();
    let script = "\
effect reads
case A person
prompt \"insert the card\" within 5
SELECT A000000333010106
case A person looks
verdict \"is it green?\"
case A program
run \"echo 5\" within 20
expect exit = 0
expect output matches /^5/
";
    std::fs::write(desk.path("people.apdu"), script).unwrap();
    let reports = ["--report", "junit=a.xml", "--report", "tap=a.tap", "--report", "json=a.json"];
    let said = desk.ok(&[&["test", "people.apdu", "--unattended"], reports.as_slice()].concat());
    assert!(said.contains("3 cases: 0 passed, 3 not run"), "{said}");
    let of = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    assert_eq!(of("a.xml").matches("<skipped message").count(), 3);
    assert_eq!(of("a.tap").matches("# SKIP").count(), 3);
    assert_eq!(of("a.json").matches("\"verdict\":\"not run\"").count(), 3);
    let said = desk.ok(&["test", "people.apdu", "--allow-run", "--unattended"]);
    assert!(said.contains("1 passed, 2 not run") && said.contains("nobody is there"), "{said}");
}

#[test]
fn a_terminal_elsewhere_finds_the_card_of_a_script() {
    use std::io::{Read, Write};
    let desk = Desk::new();
    let script = "\
role card
profile ecash
case Another answer
on SELECT
  answer 6A82
end
terminal pay 1.00 within 20
expect sent SELECT A000000333010106
expect 6A82
expect not sent GPO
case What nobody saw
terminal pay 1.00 within 20
expect outcome approved
case Nobody came
terminal pay 1.00 within 1
expect sent SELECT A000000333010106
";
    std::fs::write(desk.path("served.apdu"), script).unwrap();
    let reader = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("vpcd:{}", reader.local_addr().unwrap());
    let kept = reader.try_clone().unwrap();
    let terminal = std::thread::spawn(move || {
        let select = b"\x00\xA4\x04\x00\x08\xA0\x00\x00\x03\x33\x01\x01\x06\x00";
        let mut answers = Vec::new();
        for _ in 0..2 {
            let (mut card, _) = reader.accept().unwrap();
            card.write_all(&[&[0, 1, 1, 0, select.len() as u8], select.as_slice()].concat()).unwrap();
            let mut answer = [0; 4];
            card.read_exact(&mut answer).unwrap();
            answers.push(answer);
            card.write_all(&[0, 1, 0]).unwrap();
            // It goes when its case is over.
            let _ = card.read_to_end(&mut Vec::new());
        }
        answers
    });
    let said = desk.ok(&["test", "served.apdu", "--on", &place, "--unattended"]);
    assert!(said.contains("3 cases: 1 passed, 2 not run"), "{said}");
    assert!(said.contains("the terminal elsewhere said nothing within 1 s"), "{said}");
    drop(kept);
    assert_eq!(terminal.join().unwrap()[0], [0, 2, 0x6A, 0x82]);
}

#[test]
fn a_terminal_elsewhere_finds_the_host_of_a_script() {
    let desk = Desk::with_card("ecash");
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    let script = "\
role host
case A refusal by another process
on message load
  expect field 4 = 5.00
  expect field 41 = \"TERM0001\"
  expect 9F27 = 80
  answer \"51\"
end
terminal load 5.00 within 60
expect sent message load
expect 9F02 = 5.00
expect field 39 = \"51\"
";
    std::fs::write(desk.path("host.apdu"), script).unwrap();
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let listen = ["test", "host.apdu", "--listen", place.as_str(), "--unattended"];
    let mut playing = desk.command(&listen).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let host = format!("tcp:{place}");
    let load = desk.on_card(&["load", "5.00", "--host", &host]);
    // Nobody listens yet, until somebody does.
    let mut said = (0..200).map(|_| format!("{:?}", desk.run(&load)));
    assert!(said.any(|said| said.contains("51 (insufficient funds)")));
    assert!(playing.wait().unwrap().success());
    let mut told = String::new();
    std::io::Read::read_to_string(&mut playing.stdout.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("1 case: 1 passed"), "{told}");
    std::fs::write(desk.path("card.apdu"), "role card\ncase No place\nterminal read\n").unwrap();
    let said = desk.ok(&["test", "card.apdu", "--listen", &place]);
    assert!(said.contains("1 not run") && said.contains("--on"), "{said}");
}
