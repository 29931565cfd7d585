//! The program itself, as its users start it: each step its own process, in a folder
//! of its own.

mod due;
mod shell;
mod trace;

use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::words::iso4217::Currency;
use cardwright::world::{StoreAddress, open_books};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A user's folder, with a home of its own.
pub(crate) struct Desk(tempfile::TempDir);

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::write(desk.path("pin"), "123456\n").unwrap();
        desk
    }

    /// A desk with account A1 of 500.00 and an empty card `my.card`.
    pub(crate) fn with_card(profile: &str) -> Self {
        let desk = Self::new();
        desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
        desk.ok(&["card", "new", profile, "my.card", "--account", "A1"]);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardwright"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("CARDWRIGHT_READER").env("HOME", self.0.path());
        command.env("XDG_STATE_HOME", self.path("state")).env("TMPDIR", self.0.path());
        command
    }

    /// Runs to the end; whatever the arguments, it never panics and has an exit code of the table.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        let said = Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!((0..=5).contains(&said.code), "{arguments:?}: {said:#?}");
        assert!(!said.stderr.contains("panicked"), "{arguments:?}: {said:#?}");
        assert!(said.code == 0 || said.code == 1 || said.code == 5 || !said.stderr.is_empty(), "{said:#?}");
        said
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:#?}");
        said.stdout
    }

    /// Fails with this code, and says this on standard error.
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, part: &str) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {said:#?}");
        assert!(said.stderr.contains(part), "{arguments:?}: expected {part:?} in {said:#?}");
        said
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--json"]].concat());
        let value: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {said:#?}"));
        assert_eq!(value["schema"], 1, "{said:#?}");
        assert_eq!(value["exit"], said.code, "{said:#?}");
        value
    }

    /// Balance of `my.card` in its first currency, minor units.
    pub(crate) fn card_minor(&self) -> u64 {
        self.json(&["card", "show", "my.card"])["card"]["balances"][0]["minor"].as_u64().unwrap()
    }

    /// Balance of the first account, minor units.
    pub(crate) fn account_minor(&self) -> u64 {
        self.json(&["account", "list"])["accounts"][0]["balance_minor"].as_u64().unwrap()
    }

    /// Runs on `my.card` with the right PIN.
    pub(crate) fn on_card<'a>(&self, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--reader", "sim:my.card", "--pin-file", "pin"]].concat()
    }
}

#[test]
fn the_demo_is_a_story_whose_sum_is_constant() {
    let desk = Desk::new();
    let text = desk.ok(&["demo"]);
    for part in ["1. The card", "50.00 CNY loaded", "12.50 CNY approved offline", "uploaded", "demo.cwt"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let told = desk.json(&["demo"]);
    let positions = told["positions"].as_array().unwrap();
    assert_eq!(positions.len(), 4);
    assert!(positions.iter().all(|at| at["sum_minor"] == 50_000), "{positions:#?}");
    let last = &positions[3];
    assert_eq!((&last["account_minor"], &last["card_minor"]), (&45_000.into(), &3_750.into()));
    assert_eq!((&last["merchant_minor"], &last["in_flight_minor"]), (&1_250.into(), &0.into()));
    assert!(Path::new(told["trace"].as_str().unwrap()).is_file());
    let in_flight: Vec<i64> = positions.iter().map(|at| at["in_flight_minor"].as_i64().unwrap()).collect();
    assert_eq!(in_flight, [0, 0, 1_250, 0]);
}

#[test]
fn a_seed_tells_the_same_story_again() {
    let desk = Desk::new();
    let story = |seed: &str| {
        let told = desk.json(&["demo", "--seed", seed]);
        (told["card_after"]["applications"].to_string(), told["load"].to_string())
    };
    assert_eq!(story("7"), story("7"));
    assert_ne!(story("7"), story("8"));
    assert_eq!(desk.ok(&["read", "--seed", "3"]), desk.ok(&["read", "--seed", "3"]));
}

#[test]
fn each_step_is_its_own_process() {
    let desk = Desk::with_card("ecash");
    let load = desk.json(&desk.on_card(&["load", "50.00"]));
    assert_eq!(load["outcome"]["verdict"], "loaded");
    assert_eq!((desk.card_minor(), desk.account_minor()), (5_000, 45_000));

    let pay = desk.json(&["pay", "12.50", "--reader", "sim:my.card"]);
    assert_eq!(pay["outcome"]["verdict"], "approved offline");
    assert_eq!((desk.card_minor(), desk.account_minor()), (3_750, 45_000));

    // The next start uploads the sale first.
    let pay = desk.json(&["pay", "1", "--reader", "sim:my.card", "--interface", "contact"]);
    assert_eq!(pay["settled_first"]["rows"][0]["to"], "confirmed", "{pay:#}");
    assert_eq!(desk.card_minor(), 3_650);

    let recovered = desk.json(&["recover"]);
    assert_eq!(recovered["recovery"]["rows"][0]["amount"]["minor"], 100);
    assert!(desk.ok(&["recover"]).contains("Nothing is open"));
    assert!(desk.ok(&["upload"]).contains("nothing to upload"));

    let read = desk.json(&["read", "--reader", "sim:my.card"]);
    let application = &read["card"]["applications"][0];
    assert_eq!(application["aid"], "A000000333010106");
    assert_eq!(application["ecash"][0]["balance"]["minor"], 3_650);
    assert_eq!(application["payments"].as_array().unwrap().len(), 2);
    assert_eq!(application["loads"][0]["after"]["minor"], 5_000);
    // Reading spends nothing; --full spends one.
    assert_eq!(application["atc"], 3);
    let full = desk.json(&["read", "--full", "--reader", "sim:my.card"]);
    assert_eq!(full["card"]["applications"][0]["spent_atc"], 4);
}

#[test]
fn one_command_alone_shows_something() {
    let desk = Desk::new();
    for arguments in [["read", "--seed=1"], ["load", "50.00"], ["pay", "12.50"]] {
        let said = desk.ok(&arguments);
        assert!(said.starts_with("No reader is named: this is a fresh simulated ecash card"), "{said}");
    }
    let left: Vec<_> = std::fs::read_dir(desk.0.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "a card in memory leaves nothing but the PIN file: {left:?}");
    for profile in ["ecash", "ecash-dual", "debit"] {
        let read = desk.json(&["read", "--reader", &format!("sim:{profile}")]);
        assert!(!read["card"]["applications"].as_array().unwrap().is_empty());
    }
    let load = desk.json(&["load", "30", "--currency", "344", "--reader", "sim:ecash-dual"]);
    assert_eq!(load["outcome"]["balance_after"]["text"], "30.00 HKD");
    let pay = desk.json(&["pay", "30", "--reader", "sim:debit"]);
    assert_eq!(pay["outcome"]["verdict"], "approved online");
}

#[test]
fn amounts_are_refused_before_a_card_is_touched() {
    let desk = Desk::with_card("ecash");
    let before = std::fs::read(desk.path("my.card")).unwrap();
    let cases = [
        ("0", "above 0"),
        ("0.00", "above 0"),
        ("-5", "never negative"),
        ("-0.01", "never negative"),
        ("1.005", "at most 2 digits after the point for CNY"),
        ("12345678901.00", "at most 12 digits of minor units"),
        ("five", "such as 50.00"),
        ("", "such as 50.00"),
    ];
    for (amount, rule) in cases {
        for command in ["load", "pay"] {
            desk.fails(&desk.on_card(&[command, amount]), 2, rule);
        }
        if !amount.starts_with('0') {
            desk.fails(&["account", "open", "--balance", amount], 2, rule);
        }
    }
    desk.fails(&desk.on_card(&["load", "1", "--currency", "ZZZ"]), 2, "ISO 4217");
    desk.fails(&desk.on_card(&["load", "1.5", "--currency", "JPY"]), 2, "at most 0 digits");
    assert_eq!(std::fs::read(desk.path("my.card")).unwrap(), before);
    assert!(!desk.path("state").exists(), "no journal was opened");
}

#[test]
fn limits_are_kept_before_money_moves() {
    let desk = Desk::with_card("ecash");
    let refused = |arguments: &[&str], reason: &str| {
        let said = desk.json(&desk.on_card(arguments));
        assert_eq!(said["exit"], 1, "{said:#}");
        let text = said["outcome"]["reason"].as_str().unwrap().to_lowercase();
        assert!(text.contains(reason), "{arguments:?}: {text}");
        assert_eq!((desk.card_minor(), desk.account_minor()), (0, 50_000));
    };
    refused(&["load", "1000.01"], "limit");
    refused(&["load", "600"], "funds");
    refused(&["pay", "0.01"], "balance");
    refused(&["load", "5", "--currency", "344"], "hkd");
    std::fs::write(desk.path("pin"), "999999").unwrap();
    refused(&["load", "5"], "pin");
}

#[test]
fn without_a_terminal_a_pin_comes_from_a_file() {
    let desk = Desk::with_card("ecash");
    desk.fails(&["load", "5", "--reader", "sim:my.card"], 2, "--pin-file");
    for (text, part) in [("12", "4 to 12 digits"), ("12a456", "4 to 12 digits")] {
        std::fs::write(desk.path("pin"), text).unwrap();
        desk.fails(&desk.on_card(&["load", "5"]), 2, part);
    }
    desk.fails(&["load", "5", "--pin-file", "not-there"], 2, "not-there");
    assert_eq!((desk.card_minor(), desk.account_minor()), (0, 50_000));
}

#[test]
fn what_is_due_stays_due_until_the_right_books_are_there() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "20"]));
    desk.ok(&["pay", "7.50", "--reader", "sim:my.card", "--state", "own"]);
    // Other books do not know the card: the sale is not taken and not forgotten.
    let other = ["upload", "--state", "own", "--store", "sqlite:other.db"];
    let said = desk.run(&other);
    assert_eq!(said.code, 5, "{said:#?}");
    assert!(said.stdout.contains("still due: 7.50 CNY"), "{said:#?}");
    assert_eq!(desk.json(&other)["recovery"]["due"][0]["minor"], 750);
    assert_eq!(desk.json(&["recover", "--state", "own"])["recovery"]["rows"][0]["to"], "confirmed");
    assert_eq!(desk.run(&["recover", "--state", "own"]).code, 0);
}

#[test]
fn a_process_that_is_killed_loses_no_money() {
    let desk = Desk::with_card("ecash");
    let (mut broken, mut loaded) = (0, 0);
    for delay_ms in (2..40).step_by(2) {
        let mut load = desk.command(&desk.on_card(&["load", "1.00"]));
        let mut child = load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let recovered = desk.json(&desk.on_card(&["recover"]));
        broken += recovered["recovery"]["rows"].as_array().unwrap().len();
        assert_eq!(recovered["exit"], 0, "the card is there, so nothing stays due: {recovered:#}");
        let (card, account) = (desk.card_minor(), desk.account_minor());
        assert_eq!(card + account, 50_000, "after {delay_ms} ms: {recovered:#}");
        loaded = card;
    }
    // For people who run it with --nocapture: how often the kill fell into a transaction.
    eprintln!("{broken} loads were broken off, {loaded} minor units loaded");
    let load = desk.json(&desk.on_card(&["load", "1.00"]));
    assert_eq!(load["outcome"]["success"], true, "{load:#}");
}

#[test]
fn recordings_hold_no_card_number() {
    let desk = Desk::with_card("ecash");
    let read = desk.json(&["read", "--reader", "sim:my.card", "--unmask"]);
    let pan = read["card"]["applications"][0]["pan"].as_str().unwrap().to_owned();
    assert_eq!(pan.len(), 16);
    let in_hex: String = pan.bytes().map(|digit| format!("{digit:02X}")).collect();
    let shows = |text: &str| text.contains(&pan) || text.to_uppercase().contains(&in_hex);
    let steps: [&[&str]; 5] = [
        &["read"],
        &["read", "--full"],
        &["load", "50"],
        &["pay", "1"],
        &["send", "00A4040008A00000033301010600", "00B2020C00"],
    ];
    for step in steps {
        for json in [&[][..], &["--json"]] {
            let said = desk.run(&[&desk.on_card(step)[..], &["--save", "x.cwt"], json].concat());
            assert_eq!(said.code, 0, "{said:#?}");
            assert!(!shows(&said.stdout) && !shows(&said.stderr), "{step:?}: {said:#?}");
            let trace = std::fs::read_to_string(desk.path("x.cwt")).unwrap();
            assert!(trace.lines().count() > 2 && trace.contains("\"masked\":true"), "{trace}");
            assert!(!shows(&trace), "{step:?}: {trace}");
        }
    }
    // The check can fail: unmasked, the number is there.
    desk.ok(&["read", "--reader", "sim:my.card", "--unmask", "--save", "x.cwt"]);
    assert!(shows(&std::fs::read_to_string(desk.path("x.cwt")).unwrap()));
    for file in ["cardwright.db", "my.card"] {
        let bytes = std::fs::read(desk.path(file)).unwrap();
        let packed: Vec<u8> =
            pan.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect();
        for needle in [pan.as_bytes(), in_hex.as_bytes(), &packed] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{file}");
        }
    }
}

#[test]
fn a_recording_never_takes_the_place_of_money() {
    let desk = Desk::with_card("ecash");
    for name in ["my.card", "cardwright.db", "cardwright.key", "pin"] {
        let before = std::fs::read(desk.path(name)).unwrap();
        let link = format!("link-to-{name}");
        std::os::unix::fs::symlink(desk.path(name), desk.path(&link)).unwrap();
        for save in [name, &link] {
            let said = desk.fails(&["read", "--reader", "sim:my.card", "--save", save], 2, "left as it is");
            assert!(said.stdout.is_empty(), "{said:#?}");
            assert_eq!(std::fs::read(desk.path(name)).unwrap(), before, "{save}");
        }
    }
    // An earlier recording and an empty file are written over.
    std::fs::write(desk.path("x.cwt"), "").unwrap();
    for _ in 0..2 {
        desk.ok(&["read", "--reader", "sim:my.card", "--save", "x.cwt"]);
    }
}

#[test]
fn a_link_to_a_card_is_the_same_card() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "20"]));
    std::os::unix::fs::symlink("my.card", desk.path("alias.card")).unwrap();
    desk.ok(&["pay", "7.50", "--reader", "sim:alias.card"]);
    assert_eq!(desk.card_minor(), 1_250);
    assert!(std::fs::symlink_metadata(desk.path("alias.card")).unwrap().is_symlink());
}

#[test]
fn a_key_that_is_gone_is_not_replaced_by_another() {
    let desk = Desk::with_card("ecash");
    std::fs::rename(desk.path("cardwright.key"), desk.path("away.key")).unwrap();
    for arguments in [&["account", "open", "--balance", "5"][..], &["read", "--reader", "sim:my.card"]] {
        desk.fails(arguments, 2, "cardwright.key");
        assert!(!desk.path("cardwright.key").exists(), "{arguments:?}");
    }
    std::fs::rename(desk.path("away.key"), desk.path("cardwright.key")).unwrap();
    assert_eq!(desk.account_minor(), 50_000);
}

#[test]
fn a_seed_makes_no_key_of_what_is_kept() {
    let key = || {
        let desk = Desk::new();
        desk.ok(&["account", "open", "--balance", "5", "--seed", "1"]);
        std::fs::read_to_string(desk.path("cardwright.key")).unwrap()
    };
    assert_ne!(key(), key());
}

#[test]
fn a_kept_card_pays_only_where_its_books_are() {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1", "--store", "sqlite:bank.db"]);
    let bank = ["--store", "sqlite:bank.db"];
    desk.ok(&[&["card", "new", "ecash", "my.card", "--account", "A1", "--balance", "20"][..], &bank].concat());
    for arguments in [&["pay", "5"][..], &["load", "5"], &["pay", "5", "--store", "memory"]] {
        desk.fails(&desk.on_card(arguments), 2, "--store sqlite:FILE");
    }
    desk.ok(&[&desk.on_card(&["pay", "5"])[..], &bank].concat());
    desk.ok(&[&["recover"][..], &bank].concat());
    // The sale of a card that ends with the process is due nowhere.
    desk.ok(&["pay", "5", "--state", "own"]);
    assert_eq!(desk.run(&["recover", "--state", "own"]).code, 0);
}

#[test]
fn a_card_without_a_place_is_not_booked() {
    let desk = Desk::with_card("ecash");
    let seal = ["--seal-key", "cardwright.key"];
    let new = ["card", "new", "ecash", "no/such/place.card", "--balance", "20"];
    desk.fails(&[&new[..], &seal].concat(), 2, "place.card");
    let mut context = Context::system(Discard);
    let store = StoreAddress::Sqlite(desk.path("cardwright.db"));
    let mut issuer = open_books(&store, None, &mut context).unwrap();
    assert_eq!(issuer.books(&mut context).unwrap().of(Currency::CNY).shadows_minor, 0);
}

#[test]
fn a_card_is_a_file_and_never_read_without_end() {
    let desk = Desk::new();
    std::os::unix::fs::symlink("/dev/zero", desk.path("zero.card")).unwrap();
    desk.fails(&["read", "--reader", "sim:zero.card"], 2, "zero.card");
    std::os::unix::fs::symlink("/dev/zero", desk.path("zero.toml")).unwrap();
    desk.fails(&["read", "--reader", "sim:zero.toml"], 2, "1048576 bytes");
    desk.fails(&["read", "--terminal", "/dev/zero"], 2, "1048576 bytes");
    desk.fails(&["load", "5", "--pin-file", "/dev/zero"], 2, "1048576 bytes");
}

#[test]
fn files_that_are_no_such_files_are_named() {
    let desk = Desk::with_card("ecash");
    let garbage = |name: &str| std::fs::write(desk.path(name), b"\x00garbage\xFF".repeat(40)).unwrap();
    ["bad.card", "bad.toml", "bad.db", "bad.key", "bad.txt"].iter().for_each(|name| garbage(name));
    let cases: [&[&str]; 13] = [
        &["read", "--reader", "sim:bad.card"],
        &["card", "show", "bad.card"],
        &["read", "--reader", "sim:bad.toml"],
        &["card", "new", "bad.toml", "new.card"],
        &["read", "--terminal", "bad.toml"],
        &["account", "list", "--store", "sqlite:bad.db"],
        &["load", "5", "--store", "sqlite:bad.db"],
        &["read", "--reader", "sim:my.card", "--seal-key", "bad.key"],
        &["load", "5", "--pin-file", "bad.txt"],
        &["read", "--reader", "sim:missing.card"],
        &["read", "--reader", "sim:missing.toml"],
        &["read", "--save", "no/such/folder/x.cwt"],
        &["pay", "5", "--reader", "sim:my.card", "--state", "bad.txt"],
    ];
    for case in cases {
        let file = case.iter().rev().find_map(|word| word.rsplit(':').next().filter(|w| w.contains('.')));
        desk.fails(case, 2, file.filter(|file| *file != "new.card").unwrap_or("bad.toml"));
    }
    assert!(!desk.path("new.card").exists());
    // A card under another key is told apart from garbage.
    std::fs::write(desk.path("other.key"), "00".repeat(32)).unwrap();
    desk.fails(&["read", "--reader", "sim:my.card", "--seal-key", "other.key"], 2, "my.card");
}

#[test]
fn wrong_calls_say_what_is_right() {
    let desk = Desk::with_card("ecash");
    let cases: [(&[&str], i32, &str); 15] = [
        (&[], 2, "Usage"),
        (&["fly"], 2, "fly"),
        (&["load"], 2, "AMOUNT"),
        (&["read", "--reader", "usb:1"], 2, "sim:PROFILE"),
        (&["read", "--reader", "sim:nothing"], 2, "ecash-dual"),
        (&["read", "--host", "tcp:nowhere"], 2, "local"),
        (&["read", "--interface", "telepathy"], 2, "contactless"),
        (&["read", "--allow", "anything"], 2, "destroys"),
        (&["account", "list", "--store", "mysql:x"], 2, "sqlite:FILE"),
        (&["account", "open", "--id", "A1"], 2, "A1"),
        (&["card", "new", "ecash", "my.card"], 2, "there already"),
        (&["card", "new", "ecash", "other.card", "--account", "nobody"], 2, "account list"),
        (&["card", "serve", "sim:ecash", "--on", "vpcd:127.0.0.1"], 2, "vpcd:HOST:PORT"),
        (&["send", "00A4"], 2, "00A4"),
        (&["send", "zz"], 2, "hexadecimal"),
    ];
    for (arguments, code, part) in cases {
        desk.fails(arguments, code, part);
    }
    assert!(!desk.path("other.card").exists());
    // Nobody waits there: the transport fails.
    desk.fails(&["card", "serve", "sim:ecash", "--on", "vpcd:127.0.0.1:1"], 4, "vpcd");
    desk.fails(&["read", "--reader", "pcsc:no such reader anywhere"], 4, "");
    let card = std::fs::read(desk.path("my.card")).unwrap();
    desk.fails(&["card", "new", "ecash", "my.card"], 2, "there already");
    assert_eq!(std::fs::read(desk.path("my.card")).unwrap(), card);
    assert!(desk.ok(&["--help"]).contains("Exit codes: 0 done"));
    assert!(desk.ok(&["load", "--help"]).contains("Effect on a card: changes"));
}

#[test]
fn a_profile_of_ones_own_is_a_card() {
    let desk = Desk::new();
    let text = include_str!("../src/roles/card/profile/ecash.toml").replace("PBOC E-CASH", "MINE");
    std::fs::write(desk.path("mine.toml"), text).unwrap();
    let read = desk.json(&["read", "--reader", "sim:mine.toml"]);
    assert_eq!(read["card"]["applications"][0]["label"], "MINE");
    desk.ok(&["card", "new", "mine.toml", "mine.card", "--balance", "20"]);
    assert!(desk.ok(&["card", "show", "mine.card"]).contains("20.00 CNY"));
}

#[test]
fn a_profile_of_ones_own_has_accounts_in_its_currencies_and_keys() {
    let desk = Desk::new();
    let shipped = include_str!("../src/roles/card/profile/ecash-dual.toml");
    let write = |from: &str, to: &str| {
        assert!(shipped.contains(from));
        std::fs::write(desk.path("own.toml"), shipped.replacen(from, to, 1)).unwrap();
    };
    write("name = \"ecash-dual\"", "name = \"travel\"");
    desk.ok(&["load", "5", "--currency", "344", "--reader", "sim:own.toml"]);
    // Keys that the issuer does not have: such a card could pay and never be settled.
    write("dki = 1", "dki = 2");
    desk.fails(&["pay", "5", "--reader", "sim:own.toml"], 2, "dki");
}

#[test]
fn the_environment_names_a_reader() {
    let desk = Desk::with_card("ecash");
    let read = |reader: &str| {
        let output = desk.command(&["read"]).env("CARDWRIGHT_READER", reader).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(read("sim:my.card").contains("in my.card"));
    assert!(read("").starts_with("No reader is named"));
}

#[test]
fn apdus_are_sent_and_decoded() {
    let desk = Desk::new();
    let said = desk.ok(&["send", "00 A4 04 00 08 A000000333010106 00", "80CA9F7900", "8000000000"]);
    for part in ["UnionPay electronic cash", "9F79 Electronic Cash Balance: 000000010000", "6D00"] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let told = desk.json(&["send", "80CA9F7900"]);
    assert_eq!(told["exchanges"][0]["command"], "80CA9F7900");
    assert_eq!(told["exchanges"][0]["status"].as_str().unwrap().len(), 4);
}

#[test]
fn readers_says_what_is_missing() {
    let desk = Desk::new();
    let told = desk.json(&["readers"]);
    assert_eq!(told["exit"], 0);
    for missing in told["missing"].as_array().unwrap() {
        assert!(missing["remedy"].as_str().is_none_or(|remedy| !remedy.is_empty()), "{told:#}");
    }
    assert!(desk.ok(&["readers"]).contains("sim:ecash"));
}

#[test]
fn a_reader_of_the_output_that_goes_away_is_no_error() {
    let desk = Desk::new();
    let mut child = desk.command(&["demo"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn cash_pending_void_and_unload_each_have_their_command() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "50.00", "--from", "cash"]));
    assert_eq!((desk.card_minor(), desk.account_minor()), (5_000, 50_000));
    desk.ok(&desk.on_card(&["void"]));
    assert_eq!((desk.card_minor(), desk.account_minor()), (0, 50_000));
    assert_eq!(desk.run(&desk.on_card(&["void"])).code, 1, "it is voided already");
    desk.fails(&desk.on_card(&["void", "x"]), 2, "000001/000007");
    desk.fails(&desk.on_card(&["void", "000001/000999"]), 2, "no row with trace 999");
    desk.fails(&desk.on_card(&["load", "1", "--from", "lottery"]), 2, "pending or card:ADDRESS");

    assert_eq!(desk.run(&desk.on_card(&["load", "1", "--from", "pending"])).code, 1);
    desk.ok(&["card", "credit", "my.card", "30.00", "--from", "A1"]);
    desk.ok(&desk.on_card(&["load", "30.00", "--from", "pending"]));
    assert_eq!((desk.card_minor(), desk.account_minor()), (3_000, 47_000));

    assert!(desk.ok(&desk.on_card(&["unload", "10.00"])).contains("10.00 CNY taken off the card"));
    assert_eq!((desk.card_minor(), desk.account_minor()), (2_000, 48_000));
    desk.ok(&desk.on_card(&["unload", "--all"]));
    assert_eq!((desk.card_minor(), desk.account_minor()), (0, 50_000));
    assert_eq!(desk.run(&desk.on_card(&["unload", "--all"])).code, 1);
    assert_eq!(desk.run(&desk.on_card(&["unload"])).code, 2);
}

#[test]
fn a_payment_is_refunded_and_another_card_pays_for_a_load() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "50.00"]));
    let paid = desk.json(&desk.on_card(&["pay", "12.50"]));
    let trace = format!("{}/{}", paid["outcome"]["batch"], paid["outcome"]["trace"]);
    // Without the card: the journal knows whose payment it was. It is uploaded first.
    let said = desk.ok(&["refund", "2.50", &trace]);
    assert!(said.contains("uploaded") && said.contains("2.50 CNY refunded"), "{said}");
    assert_eq!((desk.card_minor(), desk.account_minor()), (3_750, 45_250));
    desk.ok(&desk.on_card(&["refund", "10.00", &trace]));
    assert_eq!(desk.run(&["refund", "0.01", &trace]).code, 1, "it is all given back");
    assert_eq!(desk.account_minor(), 46_250);
    desk.fails(&["refund", "1", "000001/000999"], 2, "no row with trace 999");
    desk.fails(&["refund", "1", "000001/000001"], 2, "an uploaded offline payment");

    let from = |address: &'static str| desk.on_card(&["load", "5.00", "--from", address]);
    desk.fails(&from("card:sim:absent.card"), 2, "there is no card file");
    desk.fails(&from("card:sim:debit"), 2, "a fresh card");
    let same = desk.run(&from("card:sim:my.card"));
    assert!(same.code != 0 && same.stderr.contains("my.card"), "{same:?}");
    let fresh = desk.ok(&["load", "5.00", "--from", "card:sim:debit"]);
    assert!(fresh.contains("5.00 CNY loaded"), "{fresh}");
    assert_eq!((desk.card_minor(), desk.account_minor()), (3_750, 46_250));
}

#[test]
fn a_hold_lowers_what_an_inquiry_tells() {
    let desk = Desk::with_card("debit");
    let available = || {
        let told = desk.json(&desk.on_card(&["inquire"]));
        told["outcome"]["account_balance"]["minor"].as_u64().unwrap()
    };
    assert_eq!(available(), 50_000);
    let hold = desk.json(&desk.on_card(&["preauth", "hold", "100.00"]));
    let trace = format!("{}/{}", hold["outcome"]["batch"], hold["outcome"]["trace"]);
    assert_eq!(available(), 40_000);
    desk.ok(&desk.on_card(&["preauth", "complete", "60.00", &trace]));
    assert_eq!((available(), desk.account_minor()), (44_000, 44_000));
    assert_eq!(desk.run(&desk.on_card(&["preauth", "cancel", &trace])).code, 1);
    desk.fails(&desk.on_card(&["preauth", "cancel", "7/7/7"]), 2, "000001/000007");
}
