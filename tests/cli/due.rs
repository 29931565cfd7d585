//! Limits, what is due and what is in the way, as the program says them.

use super::Desk;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn a_class_limits_its_account_and_says_what_is_used() {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--id", "A1", "--balance", "500.00"]);
    desk.ok(&["account", "open", "--id", "L3", "--class", "III", "--bound", "A1"]);
    desk.fails(&["account", "open", "--class", "III", "--balance", "2000.01"], 1, "at most 2000.00 CNY");
    desk.fails(&["account", "open", "--class", "IV"], 2, "III");
    desk.ok(&["account", "transfer", "A1", "L3", "400.00"]);
    desk.fails(&["account", "transfer", "A1", "L3", "400.00"], 1, "holds less");
    let limits = include_str!("../../src/roles/issuer/limits.toml");
    let strict = limits.replace("out_day_minor = 200_000", "out_day_minor = 5_000");
    std::fs::write(desk.path("strict.toml"), strict).unwrap();
    desk.ok(&["card", "new", "ecash", "my.card", "--account", "L3"]);
    let strict = |words: &[&'static str]| [desk.on_card(words), vec!["--limits", "strict.toml"]].concat();
    let over = desk.json(&strict(&["load", "50.01"]));
    let reason = over["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("limit out_day of class III: at most 50.00 CNY a day"), "{reason}");
    assert_eq!(over["exit"], 1);
    desk.ok(&strict(&["load", "50.00"]));
    assert_eq!(desk.json(&strict(&["load", "0.01"]))["exit"], 1);
    desk.ok(&desk.on_card(&["load", "0.01"]));
    let account = desk.json(&["account", "show", "L3"])["account"].clone();
    assert_eq!((&account["class"], &account["bound"]), (&"III".into(), &"A1".into()));
    assert_eq!(account["used"]["out_day_minor"], 5_001);
    assert_eq!(account["limits"]["out_day_minor"], 200_000);
    let text = desk.ok(&["account", "show", "L3"]);
    assert!(text.contains("50.01 CNY of 2000.00 CNY"), "{text}");
    assert!(desk.ok(&["account", "list"]).contains("class III"));
    // The refusals are in the books, by the end of the card's number.
    let pan = desk.json(&["card", "show", "my.card", "--unmask"])["card"]["pan"].as_str().unwrap().to_owned();
    let journal = desk.json(&["host", "journal", "--card", &pan[12..]]);
    let rows = journal["journal"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["state"] == "declined").count(), 2, "{journal:#}");
    assert!(desk.ok(&["host", "journal", "--card", &pan]).contains("61: limit out_day of class III"));
    desk.ok(&["host", "check"]);
    // What is wrong in a file is named with its line; a remote host has its own file.
    std::fs::write(desk.path("bad.toml"), limits.replacen("[class.I]", "[class.I]\ncolour = 5", 1)).unwrap();
    let said = desk.fails(&["account", "list", "--limits", "bad.toml"], 2, "colour = 5");
    assert!(said.stderr.contains("line ") && said.stderr.contains("expected one of"), "{said:#?}");
    let remote =
        ["load", "5", "--host", "tcp:127.0.0.1:1", "--limits", "strict.toml", "--reader", "sim:my.card"];
    desk.fails(&remote, 2, "host serve");
}

#[test]
fn a_wrong_call_is_json_where_json_is_asked_for() {
    let desk = Desk::new();
    let cases: [(&[&str], &str, &str); 5] = [
        (&["load"], "load", "AMOUNT"),
        (&["fly"], "", "fly"),
        (&["host", "journal"], "host journal", "--card"),
        (&["account"], "account", "Usage"),
        (&["read", "--interface", "telepathy"], "read", "contactless"),
    ];
    for (arguments, command, part) in cases {
        let told = desk.json(arguments);
        assert_eq!((&told["exit"], &told["command"]), (&2.into(), &command.into()), "{told:#}");
        assert!(told["error"].as_str().unwrap().contains(part), "{told:#}");
    }
    // Help is no error, and not JSON.
    assert!(desk.ok(&["load", "--help", "--json"]).contains("AMOUNT"));
}

#[test]
fn a_card_has_one_name_on_its_disk() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "20"]));
    std::fs::hard_link(desk.path("my.card"), desk.path("twin.card")).unwrap();
    for name in ["sim:my.card", "sim:twin.card"] {
        let said = desk.fails(&["pay", "5", "--reader", name], 2, "2 names (hard links)");
        assert!(said.stderr.contains("symbolic links"), "{said:#?}");
    }
    std::fs::remove_file(desk.path("twin.card")).unwrap();
    desk.ok(&["pay", "5", "--reader", "sim:my.card"]);
    assert_eq!(desk.card_minor(), 1_500);
}

#[test]
fn a_host_that_is_not_there_is_a_matter_of_transport() {
    let desk = Desk::with_card("ecash");
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001", "--terminal-key", "t.key"]);
    desk.ok(&desk.on_card(&["load", "20"]));
    // The port is one that nobody has bound: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host = format!("tcp:{free}");
    let remote = ["--host", &host, "--terminal-key", "t.key"];
    for words in [&["load", "5"][..], &["unload", "5"], &["inquire"], &["load", "5", "--from", "cash"]] {
        let words = [&desk.on_card(words)[..], &remote].concat();
        let said = desk.fails(&words, 4, "cardwright host serve --listen");
        assert!(said.stdout.contains("the host is not there"), "{said:#?}");
        assert_eq!(said.stdout.matches("could not reach the host").count(), 1, "{said:#?}");
        assert_eq!(desk.json(&words)["exit"], 4);
    }
    assert_eq!((desk.card_minor(), desk.account_minor()), (2_000, 48_000));
    // Nothing moved, so nothing is due.
    desk.ok(&[&["recover"][..], &remote].concat());
}

#[test]
fn a_journal_in_use_is_waited_for_and_then_named() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "20", "--state", "own"]));
    let lock = std::fs::OpenOptions::new().write(true).open(desk.path("own/journal.lock")).unwrap();
    lock.try_lock().unwrap();
    let pay = ["pay", "5", "--reader", "sim:my.card", "--state", "own"];
    let said = desk.fails(&pay, 4, "another cardwright is at work as this terminal");
    assert!(said.stderr.contains("waiting for it"), "{said:#?}");
    let child = desk.command(&pay).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(desk.card_minor(), 1_500);
}

#[test]
fn what_is_due_is_told_for_each_card_and_host_status_names_the_rest() {
    let desk = Desk::with_card("ecash");
    desk.ok(&["card", "new", "ecash", "second.card", "--account", "A1"]);
    for card in ["sim:my.card", "sim:second.card"] {
        desk.ok(&["load", "20", "--reader", card, "--pin-file", "pin"]);
        desk.ok(&["pay", "7.50", "--reader", card, "--state", "own"]);
        desk.ok(&["card", "show", card.strip_prefix("sim:").unwrap()]);
        // The next start would upload it: the books are away.
        std::fs::rename(desk.path("own"), desk.path(&format!("own-{}", &card[4..6]))).unwrap();
    }
    // Other books do not know the cards: both stay due, each with its own amount.
    let said = desk.run(&["recover", "--state", "own-my", "--store", "sqlite:other.db"]);
    assert_eq!(said.code, 5, "{said:#?}");
    assert!(said.stdout.contains("due: offline sale of 7.50 CNY, 629999******"), "{said:#?}");
    assert!(said.stdout.contains("note: offline data authentication not performed"), "{said:#?}");
    let told = desk.json(&["upload", "--state", "own-my", "--store", "sqlite:other.db"]);
    let card = &told["recovery"]["due_of_cards"][0];
    assert!(card["pan"].as_str().unwrap().contains("******"), "{told:#}");
    assert_eq!(card["due"][0]["minor"], 750);
    assert_eq!(told["recovery"]["remarks"][0], "offline data authentication not performed");
    // The second card's later sale shows the gap that its waiting one leaves.
    desk.ok(&["pay", "1", "--reader", "sim:second.card"]);
    desk.ok(&["upload"]);
    let flags = desk.json(&["host", "status"])["flags"].clone();
    assert_eq!(
        (&flags[0]["kind"], &flags[0]["amount_minor"]),
        (&"counter gap".into(), &750.into()),
        "{flags:#}"
    );
    assert!(desk.ok(&["host", "status"]).contains("flag: counter gap of 629999******"));
    desk.ok(&["upload", "--state", "own-se"]);
    assert_eq!(desk.json(&["host", "status"])["flags"], serde_json::json!([]));
    desk.ok(&["recover", "--state", "own-my"]);
}
