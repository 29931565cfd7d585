//! `gate run` and `gate deny`, as their users start them.

use crate::cli::Desk;
use serde_json::Value;

/// A line on which a card may pass again at once.
fn write_line(desk: &Desk) {
    let text = include_str!("../../src/devices/gate/line.toml");
    let text = text.replacen("same_card_seconds = 10", "same_card_seconds = 0", 1);
    std::fs::write(desk.path("line.toml"), text).unwrap();
}

#[test]
fn a_fresh_card_passes_and_its_ride_is_paid() {
    let desk = Desk::new();
    let said = desk.run(&["gate", "run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("OPEN authentic, 629999******"), "{said:?}");
    assert!(said.stdout.contains("messages to the host: 1; rides: 1 paid"), "{said:?}");
    let legacy = desk.run(&["gate", "run", "--reader", "sim:ecash"]);
    assert_eq!(legacy.code, 1, "a card with nothing but cash is not asked for a request: {legacy:?}");
}

#[test]
fn a_kept_card_passes_is_kept_shut_and_pays_later() {
    let desk = Desk::with_card("unionpay-transit");
    write_line(&desk);
    let gate = |more: &[&str]| {
        let arguments =
            [&["gate", "run", "--reader", "sim:my.card", "--state", "here", "--json"], more].concat();
        let said = desk.run(&arguments);
        let json: Value =
            serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        (said.code, json)
    };
    let (code, json) = gate(&["--keep"]);
    assert_eq!((code, &json["taps"][0]["kept"]), (0, &Value::Bool(true)), "{json}");
    let (code, json) = gate(&["--keep"]);
    assert_eq!((code, &json["taps"][0]["why"]), (1, &Value::from("same card again")), "{json}");
    let (code, json) = gate(&["--config", "line.toml"]);
    assert_eq!((code, &json["upload"]["paid"]), (0, &Value::from(2)), "{json}");
    // Denied by a list that holds no number.
    let pan = desk.run(&["read", "--reader", "sim:my.card", "--unmask", "--json"]);
    let digits = pan.stdout.split('"').find(|text| text.len() == 16 && text.starts_with("629999")).unwrap();
    std::fs::write(desk.path("pans"), format!("{digits}\n")).unwrap();
    let made = desk.run(&["gate", "deny", "deny.list", "--add", "pans"]);
    assert!(made.code == 0 && made.stdout.contains("1 cards denied"), "{made:?}");
    let bytes = std::fs::read(desk.path("deny.list")).unwrap();
    assert!(!bytes.windows(16).any(|window| window == digits.as_bytes()));
    let denied = ["--config", "line.toml", "--deny-list", "deny.list"];
    let (code, json) = gate(&denied);
    assert_eq!((code, &json["taps"][0]["why"]), (1, &Value::from("on the deny list")), "{json}");
    let freed = desk.run(&["gate", "deny", "deny.list", "--remove", "pans"]);
    assert!(freed.stdout.contains("0 cards denied"), "{freed:?}");
    assert_eq!(gate(&denied).0, 0);
    std::fs::write(desk.path("change"), "from 7\nto 8\n").unwrap();
    let gap = desk.run(&["gate", "deny", "deny.list", "--apply", "change"]);
    assert!(gap.code == 2 && gap.stderr.contains("fetch the whole list"), "{gap:?}");
}

#[test]
fn a_purse_pays_before_the_gate_opens_and_its_issuer_is_told() {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.ok(&["card", "new", "eped", "my.card", "--account", "A1", "--balance", "100.00"]);
    write_line(&desk);
    let gate = |more: &[&str]| {
        let arguments =
            ["gate", "run", "--reader", "sim:my.card", "--state", "here", "--config", "line.toml"];
        desk.run(&[&arguments[..], more].concat())
    };
    let said = gate(&["--keep"]);
    assert!(said.code == 0 && said.stdout.contains("OPEN authentic"), "{said:?}");
    assert!(said.stdout.contains("2.00 CNY is paid by the purse: the fare"), "{said:?}");
    let said = gate(&[]);
    assert!(said.stdout.contains("messages to the host: 2; rides: 2 paid"), "{said:?}");
    let read = desk.run(&["read", "--reader", "sim:my.card"]);
    assert!(read.stdout.contains("96.00"), "{read:?}");
    // Without a security module nothing on this card is for the gate.
    let text = std::fs::read_to_string(desk.path("line.toml")).unwrap();
    let (before, rest) = text.split_once("[purse]").unwrap();
    let (_, after) = rest.split_once("# Requests are uploaded").unwrap();
    std::fs::write(desk.path("line.toml"), format!("{before}#{after}")).unwrap();
    assert_eq!(gate(&[]).code, 1);
}

#[test]
fn a_change_of_a_deny_list_is_written_for_the_other_gates() {
    let desk = Desk::new();
    std::fs::write(desk.path("pans"), "6299991234567896\n").unwrap();
    let made = desk.run(&["gate", "deny", "one.list", "--add", "pans", "--delta", "change"]);
    assert!(made.code == 0 && made.stdout.contains("version 1, 1 cards denied"), "{made:?}");
    let other = desk.run(&["gate", "deny", "two.list", "--apply", "change"]);
    assert!(other.code == 0 && other.stdout.contains("version 1, 1 cards denied"), "{other:?}");
    let (one, two) = (std::fs::read(desk.path("one.list")), std::fs::read(desk.path("two.list")));
    assert_eq!(one.unwrap(), two.unwrap());
}

#[test]
fn rides_that_are_charged_together_are_listed_so() {
    let desk = Desk::with_card("unionpay-transit");
    let text = include_str!("../../src/devices/gate/line.toml");
    let text = text.replacen("same_card_seconds = 10", "same_card_seconds = 0", 1);
    let text = ["[aggregation]", "most_rides = 20", "nominal_minor", "ask_first"]
        .iter()
        .fold(text, |text, name| text.replacen(&format!("#{name}"), name, 1));
    let text = text.replacen("most_rides = 20", "most_rides = 2", 1);
    std::fs::write(desk.path("line.toml"), text).unwrap();
    let at = ["--state", "here", "--config", "line.toml"];
    let gate = |command: &[&str]| desk.run(&[&["gate"], command, &at].concat());
    let none = gate(&["taps"]);
    assert!(none.code == 2 && none.stderr.contains("has kept no rides"), "{none:?}");
    let first = gate(&["run", "--reader", "sim:my.card"]);
    assert!(first.stdout.contains("messages to the host: 1; rides: 0 paid"), "{first:?}");
    assert!(first.stdout.contains("1 with money held"), "{first:?}");
    let said = gate(&["taps"]);
    assert!(said.code == 0 && said.stdout.contains("1 ride of 2.00 CNY together until"), "{said:?}");
    assert!(said.stdout.contains("20.00 CNY held") && said.stdout.contains("629999******"), "{said:?}");
    let second = gate(&["run", "--reader", "sim:my.card"]);
    assert!(second.stdout.contains("messages to the host: 1; rides: 2 paid"), "{second:?}");
    assert!(gate(&["taps"]).stdout.contains("approved: 2 rides, 4.00 CNY"));
    let json: Value = serde_json::from_str(&gate(&["taps", "--json"]).stdout).unwrap();
    let rides = &json["book"]["rides"];
    assert_eq!(rides[0]["charged_with"], serde_json::json!({ "batch": 1, "trace": 1 }), "{json}");
    assert_eq!(rides[1]["charged_together"]["sum_minor"], 400, "{json}");
    assert_eq!(json["book"]["standing"][0]["state"], "approved", "{json}");
}
