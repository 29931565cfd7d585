//! A terminal, an acquirer and an issuer, each a process of its own: what the terminal
//! hears over two lines, and where the money is when either of them breaks.

use super::cli::Desk;
use super::host::{desk_with_a_card, serve, story};
use super::support::served::Served;
use std::time::Duration;

const INSTITUTION: &str = "00010344";

/// The issuer's books know the line, the acquirer's store knows the terminal, which
/// speaks `dialect`.
fn lined_desk(dialect: &str) -> Desk {
    let desk = desk_with_a_card();
    let added = desk.ok(&["host", "link", "add", INSTITUTION, "--key", "link.key"]);
    assert!(added.contains("check value"), "{added}");
    let add = ["host", "terminal", "add", "TERM0001", "MERCHANT0000001"];
    desk.ok(&[&add[..], &["--store", "sqlite:acquirer.db", "--dialect", dialect]].concat());
    desk
}

fn issuer(desk: &Desk, listen: &str, arguments: &[&str]) -> Served {
    let serve = ["host", "serve", "--listen", listen, "--dialect", "network"];
    Served::start(desk.command(&[&serve[..], arguments].concat())).unwrap()
}

fn acquirer(desk: &Desk, listen: &str, behind: &str, dialect: &str, seconds: &str) -> Served {
    let own = ["host", "serve", "--listen", listen, "--store", "sqlite:acquirer.db", "--dialect", dialect];
    let line = ["--forward", behind, "--forward-key", "link.key", "--forward-timeout", seconds];
    Served::start(desk.command(&[&own[..], &line].concat())).unwrap()
}

#[test]
fn a_terminal_cannot_tell_that_its_host_forwards() {
    let near = desk_with_a_card();
    let here = story(&near, &[]);
    for dialect in ["pos", "network", "ascii"] {
        let far = lined_desk(dialect);
        let issuer = issuer(&far, "127.0.0.1:0", &[]);
        let acquirer = acquirer(&far, "127.0.0.1:0", &issuer.address, dialect, "20");
        let there = story(&far, &["--host", &acquirer.address]);
        for (here, there) in here.iter().zip(&there) {
            assert_eq!(here, there, "{dialect}");
        }
        assert_eq!((near.card_minor(), near.account_minor()), (far.card_minor(), far.account_minor()));
        let status = far.json(&["host", "status"]);
        assert_eq!(status["money"][0]["sum_minor"], 50_000, "{status:#}");
        assert_eq!(status["batches"][0]["terminal"], "TERM0001", "{status:#}");
        assert_eq!(status["batches"][0]["state"], "balanced");
        assert!(far.ok(&["host", "check"]).contains("Every invariant"));
        let pan =
            far.json(&["card", "show", "my.card", "--unmask"])["card"]["pan"].as_str().unwrap().to_owned();
        for server in [acquirer, issuer] {
            let (code, log) = server.end().unwrap();
            assert_eq!(code, Some(0), "{log}");
            assert!(log.contains("TERM0001") && log.contains("600000"), "{log}");
            assert!(!log.contains(&pan) && !log.contains("123456"), "{log}");
        }
    }
}

#[test]
fn whatever_breaks_between_acquirer_and_issuer_the_money_is_all_there() {
    let desk = lined_desk("pos");
    let rules = "[[rule]]\namount_minor = 1351\nclass = \"request\"\nsilence = \"answer\"\n\
                 [[rule]]\namount_minor = 1352\nclass = \"request\"\nsilence = \"request\"\n\
                 [[rule]]\namount_minor = 1353\nclass = \"request\"\ndelay_ms = 3000\n";
    std::fs::write(desk.path("rules.toml"), rules).unwrap();
    let ruled = ["--rules", "rules.toml"];
    let issuer_now = issuer(&desk, "127.0.0.1:0", &ruled);
    let behind = issuer_now.address.clone();
    let first = acquirer(&desk, "127.0.0.1:0", &behind, "pos", "1");
    let address = first.address.clone();
    let listen = address.strip_prefix("tcp:").unwrap();
    let load = |amount: &'static str| desk.on_card(&["load", amount, "--host"]).into_iter();
    let with_host = |amount| -> Vec<&str> {
        let mut line: Vec<&str> = load(amount).collect();
        line.insert(3, &address);
        line
    };
    let whole = || desk.card_minor() + desk.account_minor();

    assert_eq!(desk.run(&with_host("20.00")).code, 0);
    assert_eq!((desk.card_minor(), whole()), (2_000, 50_000));

    // The issuer acts, or never hears of it; the acquirer says nothing; the terminal reverses.
    for amount in ["13.51", "13.52"] {
        let said = desk.run(&with_host(amount));
        assert_eq!(said.code, 1, "{said:?}");
        assert!(!said.stdout.contains("91"), "a doubt is no decline: {said:?}");
        desk.ok(&["recover", "--host", &address]);
        assert_eq!((desk.card_minor(), whole()), (2_000, 50_000), "{amount}");
    }

    // The acquirer is killed while the issuer acts.
    first.kill();
    let second = acquirer(&desk, listen, &behind, "pos", "10");
    let command = with_host("13.53");
    let under_way = std::thread::scope(|scope| {
        let running = scope.spawn(|| desk.run(&command));
        std::thread::sleep(Duration::from_millis(1_500));
        second.kill();
        running.join().unwrap()
    });
    assert_ne!(under_way.code, 0, "{under_way:?}");
    let due = desk.run(&["recover", "--host", &address]);
    assert_eq!(due.code, 5, "the reversal waits for the acquirer: {due:?}");
    let third = acquirer(&desk, listen, &behind, "pos", "2");
    assert!(desk.ok(&["recover", "--host", &address]).contains("reversed"));
    assert_eq!((desk.card_minor(), whole()), (2_000, 50_000));

    // The issuer is away: certainly nothing was sent.
    issuer_now.kill();
    let refused = desk.run(&with_host("5.00"));
    assert!(refused.code == 1 && refused.stdout.contains("91"), "{refused:?}");
    assert!(desk.ok(&["recover", "--host", &address]).contains("Nothing is open"));
    let issuer_again = issuer(&desk, behind.strip_prefix("tcp:").unwrap(), &ruled);
    assert_eq!(desk.run(&with_host("5.00")).code, 0);
    assert_eq!((desk.card_minor(), whole()), (2_500, 50_000));

    let settled = desk.ok(&["settle", "--host", &address]);
    assert!(settled.contains("batch 000001: balanced: 2 debits, 25.00 CNY"), "{settled}");
    assert!(desk.ok(&["host", "check"]).contains("Every invariant"));
    assert_eq!(desk.json(&["host", "status"])["due"].as_array().unwrap().len(), 0);
    drop((third, issuer_again));
}

#[test]
fn a_line_needs_its_key_and_its_place() {
    let desk = desk_with_a_card();
    let forward = ["host", "serve", "--forward", "tcp:127.0.0.1:1", "--store", "sqlite:cardwright.db"];
    desk.fails(&forward, 2, "host link add");
    desk.fails(&["host", "link", "add", "123"], 2, "8 to 11 digits");
    desk.fails(&["host", "link", "add", INSTITUTION, "--dialect", "pos"], 2, "fields 32 and 33");
    desk.ok(&["host", "link", "add", INSTITUTION]);
    desk.fails(&["host", "link", "add", "00010345"], 2, "never written over");
    desk.fails(&["host", "link", "add", INSTITUTION, "--key", "other.key"], 2, "gets its key once");
    assert_eq!(desk.json(&["host", "link", "list"])["links"][0]["institution"], INSTITUTION);
    desk.fails(
        &["host", "serve", "--forward", "local", "--store", "sqlite:cardwright.db"],
        2,
        "tcp:HOST:PORT",
    );

    // A line whose key the issuer does not know carries nothing, and the terminal is told so.
    desk.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001", "--store", "sqlite:acquirer.db"]);
    desk.ok(&["host", "link", "add", "00010346", "--store", "sqlite:elsewhere.db", "--key", "stranger.key"]);
    let issuer = serve(&desk, &["--dialect", "network"]);
    let own = ["--store", "sqlite:acquirer.db", "--forward", &issuer.address];
    let acquirer = serve(&desk, &[&own[..], &["--forward-key", "stranger.key"]].concat());
    let refused = desk.run(&desk.on_card(&["load", "5.00", "--host", &acquirer.address]));
    assert!(refused.code == 1 && refused.stdout.contains("91"), "{refused:?}");
    assert_eq!(desk.account_minor(), 50_000);
}
