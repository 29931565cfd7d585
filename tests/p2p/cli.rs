//! Two phones, each a process of its own, over UDP and over two simulated chips.

use crate::cli::Desk;
use crate::support::process::wait_until;
use crate::support::served::Served;
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::Duration;

const ALICE: [&str; 2] = ["--state", "alice"];
const BOB: [&str; 2] = ["--state", "bob"];

/// Accounts A1 and B1 of 100.00, and a phone for each.
fn town() -> Desk {
    let desk = Desk::new();
    for (account, name, state) in [("A1", "Alice", ALICE), ("B1", "Bob", BOB)] {
        desk.ok(&["account", "open", "--balance", "100.00", "--id", account]);
        desk.ok(&[&["p2p", "open", "--account", account, "--name", name][..], &state].concat());
    }
    desk
}

fn begin(desk: &Desk, arguments: &[&str]) -> Child {
    let arguments = [arguments, &["--json"]].concat();
    desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Bob waits, and Alice pays; what both say.
fn touch(desk: &Desk, peers: [&str; 2], amount: &str, more: &[&str]) -> [Value; 2] {
    let receives = [&["p2p", "receive", amount, "--peer", peers[1], "--offline"][..], &BOB].concat();
    let bob = begin(desk, &receives);
    std::thread::sleep(Duration::from_millis(300));
    let pays = [&["p2p", "pay", amount, "--peer", peers[0], "--yes"][..], &ALICE, more].concat();
    let alice = end(begin(desk, &pays));
    [alice, end(bob)]
}

fn minor(desk: &Desk, account: &str) -> u64 {
    desk.json(&["account", "show", account])["account"]["balance_minor"].as_u64().unwrap()
}

#[test]
fn two_phones_touch_over_udp() {
    let desk = town();
    let peers = ["udp:127.0.0.1:54451"; 2];
    let [alice, bob] = touch(&desk, peers, "20.00", &[]);
    for (who, said) in [("alice", &alice), ("bob", &bob)] {
        assert_eq!(
            (&said["exit"], &said["transfer"]["state"]),
            (&0.into(), &"booked".into()),
            "{who}: {said:#}"
        );
        assert_eq!(said["transfer"]["other_name"], "***", "{who}");
    }
    assert_eq!((minor(&desk, "A1"), minor(&desk, "B1")), (8_000, 12_000));
    let [alice, bob] = touch(&desk, peers, "5.00", &["--offline"]);
    assert_eq!(alice["transfer"]["state"], "acknowledged", "{alice:#}");
    assert_eq!(bob["transfer"]["state"], "kept", "{bob:#}");
    assert_eq!(minor(&desk, "A1"), 8_000);
    // The host over TCP, as its terminal.
    desk.ok(&["host", "terminal", "add", "PHONE001", "PHONES000000001", "--terminal-key", "bob.key"]);
    let server = Served::start(desk.command(&["host", "serve", "--listen", "127.0.0.1:0"])).unwrap();
    let settle = ["p2p", "settle", "--host", &server.address, "--terminal-key", "bob.key"];
    let settled = desk.json(&[&settle[..], &BOB].concat());
    assert_eq!(settled["transfers"][0]["state"], "booked", "{settled:#}");
    server.end().unwrap();
    assert!(desk.ok(&[&["p2p", "settle"][..], &ALICE].concat()).contains("booked"));
    assert_eq!((minor(&desk, "A1"), minor(&desk, "B1")), (7_500, 12_500));
    let listed = desk.json(&[&["p2p", "list", "--unmask"][..], &ALICE].concat());
    assert_eq!(listed["transfers"].as_array().map(Vec::len), Some(2), "{listed:#}");
    assert_eq!(listed["transfers"][0]["other_name"], "Bob");
    assert!(desk.ok(&["host", "check"]).contains("Every invariant"));
}

#[test]
fn two_phones_touch_over_two_chips() {
    let desk = town();
    let air = "udp:127.0.0.1:54452";
    let mut chips: Vec<Child> = Vec::new();
    for name in ["chip-a", "chip-b"] {
        let on = format!("pty:{}", desk.path(name).display());
        let serve = ["pn532", "serve", "--on", &on, "--air", air];
        chips.push(desk.command(&serve).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        wait_until(Duration::from_secs(20), || desk.path(name).exists().then_some(())).unwrap();
    }
    let peers = ["chip-a", "chip-b"].map(|name| format!("pn532:{}", desk.path(name).display()));
    let said = touch(&desk, [&peers[0], &peers[1]], "20.00", &["--offline"]);
    for mut chip in chips {
        chip.kill().unwrap();
        chip.wait().unwrap();
    }
    assert_eq!(said[0]["transfer"]["state"], "acknowledged", "{said:#?}");
    assert_eq!(said[1]["transfer"]["state"], "kept", "{said:#?}");
    for state in [ALICE, BOB] {
        desk.ok(&[&["p2p", "settle"][..], &state].concat());
    }
    assert_eq!((minor(&desk, "A1"), minor(&desk, "B1")), (8_000, 12_000));
}

#[test]
fn what_is_missing_is_told() {
    let desk = Desk::new();
    let pay = ["p2p", "pay", "20.00", "--peer", "udp:127.0.0.1:54453", "--yes"];
    desk.fails(&[&pay[..], &ALICE].concat(), 2, "p2p open");
    desk.fails(&["p2p", "pay", "20.00", "--peer", "udp:127.0.0.1:54453"], 2, "--yes");
    desk.fails(&["p2p", "pay", "20.00", "--peer", "usb:1", "--yes"], 2, "udp:HOST:PORT");
    desk.ok(&["account", "open", "--balance", "100.00", "--id", "A1"]);
    desk.fails(&[&["p2p", "open", "--account", "none"][..], &ALICE].concat(), 2, "none with id none");
    desk.ok(&[&["p2p", "open", "--account", "A1"][..], &ALICE].concat());
    desk.fails(&[&pay[..], &ALICE, &["--wait=1"]].concat(), 4, "");
}

#[test]
fn the_demo_of_a_touch_is_a_story_whose_sum_is_constant() {
    let desk = Desk::new();
    let text = desk.ok(&["demo", "transfer"]);
    for part in ["pay 20.00 CNY to Li Si? yes", "a touch that breaks", "payee: 12.50 CNY booked"] {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part}\n{text}");
    }
    let told = desk.json(&["demo", "transfer"]);
    let positions = told["positions"].as_array().unwrap();
    assert!(positions.len() == 4 && positions.iter().all(|at| at["sum_minor"] == 13_000), "{positions:#?}");
    assert_eq!((&told["booked"], &positions[3]["payer_minor"]), (&3.into(), &6_250.into()));
}
