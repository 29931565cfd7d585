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
    assert!(said.stdout.contains("asked the host about 1 rides: 1 paid"), "{said:?}");
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
