//! The host as a server, and the terminal before it, as their users start them.

use super::cli::Desk;
use super::support::served::Served;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Starts `host serve` on any port, with these arguments besides.
pub(crate) fn serve(desk: &Desk, arguments: &[&str]) -> Served {
    Served::start(desk.command(&[&["host", "serve", "--listen", "127.0.0.1:0"], arguments].concat())).unwrap()
}

/// Runs the same steps and gives what they said.
pub(crate) fn story(desk: &Desk, host: &[&str]) -> Vec<(Vec<String>, i32, String)> {
    let card: &[&str] = &["--reader", "sim:my.card", "--pin-file", "pin"];
    let steps: &[&[&str]] = &[
        &["load", "50.00"],
        &["load", "50.00", "--json"],
        &["load", "700.00"],
        &["pay", "12.50"],
        &["pay", "1.00"],
        &["upload"],
        &["pay", "2.00", "--interface", "contact"],
        &["load", "30.00"],
        &["unload", "10.00"],
        &["load", "4.00", "--from", "cash"],
        &["void"],
        &["recover"],
        &["recover"],
        &["refund", "2.50", "000001/000004"],
        &["load", "5.00", "--from", "card:sim:other.card"],
        &["settle"],
        &["settle", "--json"],
    ];
    let mut said = Vec::new();
    for step in steps {
        let on_card =
            if matches!(step[0], "load" | "pay" | "unload" | "void" | "refund") { card } else { &[] };
        let answer = desk.run(&[step, on_card, host].concat());
        let mut text = format!("{}{}", answer.stdout, answer.stderr);
        if step.contains(&"--json") {
            // A code of the host's own choosing.
            let mut value: Value = serde_json::from_str(&answer.stdout).unwrap();
            value["outcome"]["authorisation_code"].take();
            text = value.to_string();
        }
        said.push((step.iter().map(|word| (*word).to_owned()).collect(), answer.code, text));
    }
    said
}

pub(crate) fn desk_with_a_card() -> Desk {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.ok(&["card", "new", "ecash", "my.card", "--account", "A1", "--seed", "5"]);
    desk
}

/// The second card has an account of its own.
fn desk_with_two_cards() -> Desk {
    let desk = desk_with_a_card();
    desk.ok(&["account", "open", "--balance", "100.00", "--id", "A2"]);
    desk.ok(&["card", "new", "debit", "other.card", "--account", "A2", "--seed", "6"]);
    desk
}

#[test]
fn a_terminal_cannot_tell_a_remote_host_from_the_one_in_its_process() {
    let near = desk_with_two_cards();
    let here = story(&near, &[]);
    let far = desk_with_two_cards();
    let added = far.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    assert!(added.contains("check value"), "{added}");
    let server = serve(&far, &["--metrics", "127.0.0.1:0"]);
    let there = story(&far, &["--host", &server.address]);
    for (here, there) in here.iter().zip(&there) {
        assert_eq!(here, there);
    }
    for (step, code, said) in &here {
        let is_too_much = step[1..] == ["700.00"];
        assert_eq!(*code, i32::from(is_too_much), "{step:?}: {said}");
    }
    assert_eq!((near.card_minor(), near.account_minor()), (far.card_minor(), far.account_minor()));

    let mut page = TcpStream::connect(server.page.as_ref().unwrap().split('/').next().unwrap()).unwrap();
    page.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut figures = String::new();
    page.read_to_string(&mut figures).unwrap();
    assert!(figures.starts_with("HTTP/1.1 200 OK\r\n"), "{figures}");
    assert!(figures.contains("\ncardwright_host_refusals 0\n"), "{figures}");

    let status = far.json(&["host", "status"]);
    assert_eq!(status["money"][0]["sum_minor"], 60_000, "{status:#}");
    assert_eq!(status["counts"]["loads_and_unloads_landed"], 7, "{status:#}");
    assert_eq!(status["due"].as_array().unwrap().len(), 0);
    assert!(far.ok(&["host", "check"]).contains("Every invariant"));
    let pan = far.json(&["card", "show", "my.card", "--unmask"])["card"]["pan"].as_str().unwrap().to_owned();
    let batch = &status["batches"][0];
    assert_eq!((&batch["state"], &batch["batch"]), (&"balanced".into(), &1.into()), "{status:#}");
    assert_eq!((&batch["own"], status["batches"].as_array().unwrap().len()), (&batch["told"], 1));
    for card in [&pan[..], &pan[pan.len() - 4..]] {
        let journal = far.json(&["host", "journal", "--card", card]);
        let rows = journal["journal"].as_array().unwrap();
        assert_eq!(rows.len(), 12, "eleven that moved money and the one refused: {journal:#}");
        assert!(!journal.to_string().contains(&pan));
    }
    far.fails(&["host", "journal", "--card", "0000"], 2, "no card");
    far.fails(&["host", "journal", "--card", "12"], 2, "4 to 19 digits");
    assert_eq!(far.json(&["host", "terminal", "list"])["terminals"][0]["terminal"], "TERM0001");

    let address = server.address.clone();
    let (code, log) = server.end().unwrap();
    assert_eq!(code, Some(0), "{log}");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!log.contains(&pan) && !log.contains("123456"), "{log}");
    assert_eq!(
        (&events[0]["event"], &events[events.len() - 1]["event"]),
        (&"Started".into(), &"Stopped".into())
    );
    let load = events.iter().find(|event| event["processing_code"] == "600000").expect("a load in the log");
    assert_eq!((&load["terminal"], &load["response_code"]), (&"TERM0001".into(), &"00".into()));

    // Without its host a load is declined, and the money stays where it is.
    let before = far.card_minor();
    let alone = far.run(&far.on_card(&["load", "1.00", "--host", &address]));
    assert_eq!(alone.code, 4, "{alone:?}");
    assert_eq!(far.card_minor(), before);
    assert!(far.ok(&["recover", "--host", &address]).contains("Nothing is open"));
}

#[test]
fn what_a_remote_host_needs_is_said() {
    let desk = desk_with_a_card();
    let at = ["--host", "tcp:127.0.0.1:1"];
    desk.fails(&[&desk.on_card(&["load", "1"])[..], &at].concat(), 2, "cardwright host terminal add");
    desk.fails(&["host", "terminal", "add", "T1", "MERCHANT0000001"], 2, "8 letters and digits");
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    desk.fails(&["host", "terminal", "add", "TERM0002", "MERCHANT0000001"], 2, "never written over");
    let other = ["--terminal-key", "other.key"];
    let add = ["host", "terminal", "add", "TERM0001", "MERCHANT0000001"];
    desk.fails(&[&add[..], &other].concat(), 2, "gets its key once");
    assert!(!desk.path("other.key").exists());
    desk.fails(&[&["load", "1"][..], &at].concat(), 2, "card new ecash");
    desk.fails(&["load", "1", "--host", "tcp:nowhere"], 2, "tcp:HOST:PORT");
    for command in [&["host", "status"][..], &["host", "check"], &["host", "terminal", "list"]] {
        desk.fails(&[command, &["--store", "sqlite:absent.db"]].concat(), 2, "absent.db");
    }
    assert!(!desk.path("absent.db").exists());
    desk.fails(&["host", "serve", "--listen", "nowhere"], 4, "could not listen");
    desk.fails(&["host", "serve", "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"], 4, "loopback");
}

#[test]
fn broken_books_are_told_with_exit_code_3() {
    use cardwright::base::store::{Db, Decision, Sqlite};
    let desk = desk_with_a_card();
    let mut db = Sqlite::open(&desk.path("cardwright.db")).unwrap();
    db.run(&mut |tx| {
        tx.execute("UPDATE balance SET minor = minor + 1 WHERE kind = 'account'", &[])?;
        Ok(Decision::Commit)
    })
    .unwrap();
    let said = desk.fails(&["host", "check"], 3, "invariants are broken");
    assert!(said.stdout.contains("the repeated balance"), "{said:?}");
    assert_eq!(desk.json(&["host", "check"])["violations"].as_array().unwrap().len(), 1);
}

#[test]
fn rules_choose_what_a_terminal_hears() {
    let desk = desk_with_a_card();
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    let rules = "[[rule]]\namount_minor = 1351\nclass = \"request\"\ncode = \"51\"\n\
                 [[rule]]\namount_minor = 200\nclass = \"request\"\ncopies = 2\ndelay_ms = 300\n";
    std::fs::write(desk.path("rules.toml"), rules).unwrap();
    let server = serve(&desk, &["--rules", "rules.toml"]);
    let load = |amount: &str| desk.run(&desk.on_card(&["load", amount, "--host", &server.address]));
    let declined = load("13.51");
    assert!(declined.code == 1 && declined.stdout.contains("51 (insufficient funds)"), "{declined:?}");
    let begin = std::time::Instant::now();
    let twice = load("2.00");
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(twice.code, 0, "an answer that comes twice is taken once: {twice:?}");
    assert_eq!(load("3.00").code, 0);
    assert_eq!((desk.card_minor(), desk.account_minor()), (500, 49_500));
    let (code, log) = server.end().unwrap();
    assert!(code == Some(0) && log.contains("Rule Applied"), "{log}");
    std::fs::write(desk.path("rules.toml"), "[[rule]]\ncopies = 0").unwrap();
    desk.fails(&["host", "serve", "--rules", "rules.toml"], 2, "1 to 10");
}

#[test]
fn a_running_host_takes_answers_at_its_socket() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixStream;
    let desk = desk_with_a_card();
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    let socket = desk.path("control");
    let server = serve(&desk, &["--control", "control"]);
    let mut line = BufReader::new(UnixStream::connect(&socket).unwrap());
    let mut ask = |request: &str| -> Value {
        writeln!(line.get_mut(), "{request}").unwrap();
        let mut told = String::new();
        line.read_line(&mut told).unwrap();
        serde_json::from_str(&told).unwrap()
    };
    let load = desk.on_card(&["load", "5.00", "--host", &server.address]);
    // A rule counts once: the next load is the issuer's again.
    assert_eq!(ask(r#"{"do": "answer", "rule": {"code": "51", "class": "request"}}"#)["ok"], true);
    let refused = desk.run(&load);
    assert!(refused.code == 1 && refused.stdout.contains("51 (insufficient funds)"), "{refused:#?}");
    desk.ok(&load);
    // What was taken back does not come.
    ask(r#"{"do": "answer", "rule": {"code": "05"}}"#);
    ask(r#"{"do": "answer", "rule": {"code": "05", "amount_minor": 1}}"#);
    assert_eq!(ask(r#"{"do": "forget"}"#)["forgotten"], 2);
    desk.ok(&load);
    // An answer that never comes: the money is settled by what comes later, and is all there.
    ask(r#"{"do": "answer", "rule": {"silence": "answer", "class": "request"}}"#);
    let silent = desk.run(&load);
    assert_ne!(silent.code, 0, "{silent:#?}");
    desk.ok(&load);
    assert_eq!(desk.card_minor(), 1500);
    assert!(ask(r#"{"do": "fly"}"#)["error"].as_str().unwrap().contains("unknown variant"));
    assert_eq!(server.end().unwrap().0, Some(0));
    assert!(!socket.exists() || UnixStream::connect(&socket).is_err());
    desk.ok(&["host", "check"]);
    assert!(desk.ok(&["account", "list"]).contains("485.00"));
}

#[test]
fn decode_explains_and_masks() {
    let desk = Desk::new();
    // A sign-on without its frame, then with it; then cut off.
    let message = "0800 0020000000C00012 000001 5445524D30303031 4D45524348414E5430303030303031 0011 00000001003F 0003 303031";
    let sound = desk.run(&["decode", "iso8583", &message.replace("003F 0003", "0030 0003")]);
    assert!(sound.stdout.contains("F41") && sound.stdout.contains("message type"), "{sound:?}");
    desk.fails(&["decode", "iso8583", "0800 0020000000C0"], 2, "expected");
    desk.fails(&["decode", "iso8583", "08zz"], 2, "hexadecimal");
    desk.fails(&["decode", "iso8583", "0800", "--dialect", "morse"], 2, "pos");
    let tlv = ["decode", "tlv", "5A086299990000000019 9F3602001A"];
    let masked = desk.ok(&tlv);
    assert!(masked.contains("9F36") && !masked.contains("6299990000000019"), "{masked}");
    assert!(desk.ok(&[&tlv[..], &["--unmask"]].concat()).contains("6299990000000019"));
    let apdu =
        ["decode", "apdu", "00A4040008A000000333010106", "9000", "80CA9F7900", "9F79060000000010009000"];
    let told = desk.json(&apdu);
    let names: Vec<_> =
        told["lines"].as_array().unwrap().iter().map(|line| line["name"].to_string()).collect();
    assert!(names.iter().any(|name| name.contains("SELECT")), "{names:?}");
    desk.fails(&["decode", "apdu", "00A4"], 2, "2 bytes");
}
