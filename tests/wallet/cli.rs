//! The phone from the command line, each step a process of its own.

use crate::cli::Desk;
use crate::support::served::Served;

#[test]
fn an_e_cash_account_lives_in_the_phone() {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.fails(&["wallet", "list"], 2, "wallet open-ecash");
    desk.fails(&["read", "--reader", "wallet:nowhere"], 2, "no wallet in nowhere");
    let wallet = ["--wallet", "phone"];
    let at = |arguments: &[&'static str]| [arguments, wallet.as_slice()].concat();

    desk.fails(&at(&["wallet", "open-ecash", "--account", "none"]), 2, "none with id none");
    let opened = desk.ok(&at(&["wallet", "open-ecash", "50.00", "--account", "A1"]));
    assert!(opened.contains("50.00 CNY loaded"), "{opened}");
    assert_eq!(desk.account_minor(), 45_000);
    let listed = desk.json(&at(&["wallet", "list"]));
    assert_eq!(listed["cards"][0]["state"], "active");
    assert_eq!(listed["phone"]["default_card"], "ecash-1");

    assert!(desk.ok(&at(&["wallet", "pay", "12.50"])).contains("approved offline"));
    desk.ok(&at(&["wallet", "lock"]));
    desk.fails(&at(&["wallet", "pay", "1.00"]), 1, "");
    desk.ok(&at(&["wallet", "default", "ecash-1", "--express"]));
    desk.ok(&at(&["wallet", "pay", "1.00"]));
    desk.ok(&at(&["wallet", "default", "--no-express"]));
    std::fs::write(desk.path("wrong"), "654321\n").unwrap();
    desk.fails(&[at(&["wallet", "unlock"]), vec!["--pin-file", "wrong"]].concat(), 1, "9 tries left");
    desk.ok(&at(&["wallet", "unlock"]));

    assert!(desk.ok(&["read", "--reader", "wallet:phone"]).contains("36.50 CNY"));
    assert!(desk.ok(&at(&["wallet", "show"])).contains("36.50 CNY"));
    desk.fails(&at(&["wallet", "close-ecash"]), 2, "--pin-file");
    assert_eq!(desk.json(&at(&["wallet", "list"]))["cards"][0]["state"], "being closed");
    let closed = desk.json(&[at(&["wallet", "close-ecash"]), vec!["--pin-file", "pin"]].concat());
    assert_eq!((&closed["closed"], &closed["exit"]), (&true.into(), &0.into()));
    assert_eq!(desk.account_minor(), 48_650);
    assert_eq!(desk.json(&at(&["wallet", "list"]))["cards"].as_array().unwrap().len(), 0);
    assert_eq!(std::fs::read_dir(desk.path("phone/cards")).unwrap().count(), 0);
}

#[test]
fn the_demo_of_a_phone_is_a_story_whose_sum_is_constant() {
    let desk = Desk::new();
    let text = desk.ok(&["demo", "wallet"]);
    for part in [
        "the phone waits for the one-time code",
        "stands for the card",
        "30.00 CNY approved online",
        "by token",
        ": suspended",
        "ecash-1 is closed",
        ": held",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let told = desk.json(&["demo", "wallet"]);
    let positions = told["positions"].as_array().unwrap();
    assert!(positions.len() >= 6 && positions.iter().all(|at| at["sum_minor"] == 50_000), "{positions:#?}");
    assert_eq!(positions.last().unwrap()["in_flight_minor"], 0);
}

/// Card, holder and phone of one desk; the card's number lies in `pan`.
fn desk_with_a_holder() -> Desk {
    let desk = Desk::with_card("debit");
    let holder = "name = \"Li Na\"\nidentity_number = \"11010119900307\"\nphone = \"13900000001\"\n";
    std::fs::write(desk.path("me.toml"), holder).unwrap();
    desk.ok(&["account", "holder", "A1", "--file", "me.toml"]);
    let shown = desk.json(&["card", "show", "my.card", "--unmask"]);
    std::fs::write(desk.path("pan"), shown["card"]["pan"].as_str().unwrap()).unwrap();
    desk
}

#[test]
fn a_token_is_added_used_and_removed() {
    let desk = desk_with_a_holder();
    let add = ["wallet", "add", "--pan-file", "pan", "--holder", "me.toml", "--accept-terms"];
    desk.fails(&["wallet", "add"], 2, "--pan-file");
    desk.fails(&["wallet", "add", "--pan", "6299990000000000"], 2, "");
    let waits = desk.json(&add);
    assert_eq!((&waits["state"], &waits["exit"]), (&"waits".into(), &5.into()));
    std::fs::write(desk.path("code"), desk.ok(&["wallet", "code", "--pan-file", "pan"])).unwrap();
    let added = desk.json(&[add.as_slice(), &["--code-file", "code"]].concat());
    assert_eq!(added["state"], "active", "{added:#}");
    let last_four = added["card"]["last_four"].as_str().unwrap().to_owned();

    let paid = desk.json(&["wallet", "pay", "12.50"]);
    assert_eq!(paid["outcome"]["success"], true, "{paid:#}");
    assert_eq!(paid["outcome"]["funding_last_four"], last_four.as_str());
    assert_eq!(paid["outcome"]["token_last_four"], added["card"]["token_last_four"]);
    assert_eq!(desk.account_minor(), 48_750);

    desk.ok(&["wallet", "suspend"]);
    desk.fails(&["wallet", "pay", "1.00"], 1, "");
    desk.ok(&["wallet", "resume"]);
    desk.ok(&["wallet", "suspend", "--by", "issuer"]);
    desk.fails(&["wallet", "resume"], 1, "issuer");
    desk.ok(&["wallet", "resume", "--by", "issuer"]);
    desk.ok(&["wallet", "renew"]);
    assert_eq!(desk.json(&["wallet", "replace-card", "--pan-file", "pan"])["tokens"][0]["state"], "active");
    desk.ok(&["wallet", "lost-device"]);
    desk.ok(&["wallet", "remove", "card-1"]);
    assert_eq!(desk.json(&["wallet", "list"])["cards"].as_array().unwrap().len(), 0);
}

#[test]
fn the_issuers_end_of_a_token() {
    let desk = desk_with_a_holder();
    std::fs::write(desk.path("green.toml"), "").unwrap();
    std::fs::write(desk.path("moon.toml"), "[[rule]]\nname = \"x\"\nwhen = \"moon\"\n").unwrap();
    let add = ["wallet", "add", "--pan-file", "pan", "--holder", "me.toml", "--accept-terms", "--rules"];
    desk.fails(&[add.as_slice(), &["moon.toml"]].concat(), 2, "moon");
    // Without a rule nobody is asked for a code.
    let added = desk.json(&[add.as_slice(), &["green.toml"]].concat());
    assert_eq!(added["state"], "active", "{added:#}");

    let listed = desk.json(&["host", "token", "list"]);
    let token = listed["tokens"][0]["reference"].as_str().unwrap().to_owned();
    let of_card = ["--pan-file", "pan"];
    for _ in 0..2 {
        let held = desk.json(&[["host", "token", "suspend"].as_slice(), &of_card].concat());
        assert_eq!((&held["tokens"][0]["state"], &held["exit"]), (&"held".into(), &0.into()), "{held:#}");
    }
    let declined = desk.json(&["wallet", "pay", "1.00"]);
    assert_eq!(declined["outcome"]["success"], false);
    assert!(
        declined["outcome"]["reason"].as_str().unwrap().contains("suspended by its issuer"),
        "{declined:#}"
    );
    desk.fails(&["wallet", "resume"], 1, "issuer");
    assert!(desk.ok(&["host", "token", "resume", &token]).contains(": active"));
    desk.ok(&["wallet", "suspend"]);
    let refused = desk.json(&["host", "token", "resume", &token]);
    assert_eq!(refused["exit"], 1);
    assert!(
        refused["refused"][0]["reason"].as_str().unwrap().contains("its holder resumes it"),
        "{refused:#}"
    );
    desk.ok(&["wallet", "resume"]);
    desk.fails(&["host", "token", "show", "nobody"], 2, "token");

    // Another card takes its place: the token stays, and follows.
    let replaced =
        desk.json(&["card", "new", "debit", "new.card", "--account", "A1", "--replaces", "my.card"]);
    let last_four = |path: &str| {
        let shown = desk.json(&["card", "show", path, "--unmask"]);
        let pan = shown["card"]["pan"].as_str().unwrap().to_owned();
        pan[pan.len() - 4..].to_owned()
    };
    assert_eq!(replaced["tokens"][0]["reference"], token.as_str(), "{replaced:#}");
    assert_eq!(replaced["tokens"][0]["last_four"], last_four("new.card").as_str());
    desk.ok(&["wallet", "replace-card", "--pan-file", "pan"]);
    let paid = desk.json(&["wallet", "pay", "2.00"]);
    assert_eq!(paid["outcome"]["funding_last_four"], last_four("new.card").as_str(), "{paid:#}");
    assert_eq!(desk.account_minor(), 49_800);
    desk.fails(&["card", "cancel", "my.card"], 1, "");

    // And another one with the same number takes that one's.
    desk.ok(&["card", "new", "debit", "later.card", "--account", "A1", "--renews", "new.card"]);
    assert_eq!(last_four("later.card"), last_four("new.card"));
    desk.ok(&["wallet", "pay", "2.00"]);
    assert_eq!(desk.account_minor(), 49_600);
    desk.fails(&["card", "new", "debit", "x.card", "--renews", "new.card"], 2, "found sequence number 02");

    for _ in 0..2 {
        desk.ok(&["card", "cancel", "later.card"]);
    }
    let declined = desk.json(&["wallet", "pay", "1.00"]);
    assert!(
        declined["outcome"]["reason"].as_str().unwrap().contains("the token is terminated"),
        "{declined:#}"
    );
    let shown = desk.json(&["host", "token", "show", &token]);
    let history = shown["tokens"][0]["history"].as_array().unwrap();
    let whats: Vec<_> =
        history.iter().map(|row| (row["what"].as_str().unwrap(), row["by"].as_str().unwrap())).collect();
    // Two cards took another's place; all else was told twice, and acted once.
    for (what, times) in [("Hold", 1), ("Release", 1), ("MoveCard", 2), ("CancelCard", 1)] {
        let told = whats.iter().filter(|row| **row == (what, "issuer")).count();
        assert_eq!(told, times, "{what}: {whats:?}");
    }
}

#[test]
fn a_token_with_limited_use_keys_pays_at_a_remote_host() {
    let desk = desk_with_a_holder();
    let add =
        ["wallet", "add", "--pan-file", "pan", "--holder", "me.toml", "--accept-terms", "--limited-use"];
    desk.run(&add);
    std::fs::write(desk.path("code"), desk.ok(&["wallet", "code", "--pan-file", "pan"])).unwrap();
    let added = desk.json(&[add.as_slice(), &["--code-file", "code"]].concat());
    assert_eq!(added["card"]["limited_use_key"], 1, "{added:#}");
    assert_eq!(desk.json(&["wallet", "replenish"])["card"]["limited_use_key"], 2);
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    let serve = desk.command(&["host", "serve", "--listen", "127.0.0.1:0", "--tokens"]);
    let server = Served::start(serve).unwrap();
    desk.fails(&["wallet", "replenish", "--host", &server.address], 2, "without --host");
    let paid = desk.json(&["wallet", "pay", "2.00", "--host", &server.address]);
    assert_eq!(paid["outcome"]["verdict"], "approved online", "{paid:#}");
    server.end().unwrap();
    assert_eq!(desk.account_minor(), 49_800);
}
