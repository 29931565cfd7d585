//! Every city's card of ours: read by its layout, loaded, paid with, recovered, and no money made or
//! lost.

use super::flows::Shop;
use cardwright::air::link::Interface;
use cardwright::roles::card::Profile;
use cardwright::roles::terminal::Verdict;
use cardwright::roles::terminal::journal::State;
use cardwright::roles::terminal::purse::PurchaseKind;
use cardwright::words::pboc::purse::PurseId;

/// Profile, name of its layout, what stands under `city`, digits of its number.
const CARDS: &[(&str, &str, Option<&str>, usize)] = &[
    ("t-union", "T-Union purse", Some("Beijing (1000)"), 19),
    ("city-union", "City Union purse", Some("Hangzhou (3100)"), 16),
    ("changan", "Chang'an Tong (Xi'an)", Some("Xi'an (7100)"), 16),
    ("shenzhen", "Shenzhen Tong", None, 10),
    ("lingnan", "Lingnan Pass (Yang Cheng Tong)", None, 10),
    ("wuhan", "Wuhan Tong", None, 10),
    ("beijing", "Beijing Municipal Transportation Card", None, 16),
];

#[test]
fn each_is_read_by_its_layout() {
    for (profile, name, city, digits) in CARDS {
        let mut shop = Shop::of(profile, Interface::Contactless);
        let purse = shop.facts();
        assert_eq!(purse.name, *name);
        assert_eq!(purse.number.known().map(|number| number.expose().len()), Some(*digits), "{profile}");
        let field = |wanted: &str| {
            let found = purse.fields.iter().find(|(field, _)| field == wanted);
            found.and_then(|(_, value)| value.known()).map(String::as_str)
        };
        assert_eq!(field("city"), *city, "{profile}");
        assert_eq!(field("valid from"), Some("2025-01-01"), "{profile}");
        assert_eq!(field("valid until"), Some("2035-12-31"), "{profile}");
        let code = field("certification code").map(str::len);
        assert_eq!(code, matches!(*profile, "city-union" | "changan").then_some(18), "{profile}");
        assert_eq!(purse.balances.iter().map(|b| b.own_minor()).collect::<Vec<_>>(), [Some(10_000)]);
        assert_eq!(purse.log.known().map(Vec::len), Some(0), "{profile}");
        assert!(purse.remarks.is_empty(), "{profile}: {:?}", purse.remarks);
    }
}

/// What public readers and validators of T-Union cards ask, as they spell it.
#[test]
fn a_t_union_card_has_the_files_that_are_asked_for() {
    let asked = [
        ("00A4040008A000000632010105", None),
        ("00B095001E", Some(30)),
        ("00B0960037", Some(55)),
        ("00B097003C", Some(60)),
        ("00B201D480", Some(128)),
        ("805C030204", Some(4)),
        ("805C020204", Some(4)),
    ];
    for profile in ["t-union", "three-in-one"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cardwright"));
        command.args(["send", "--reader", &format!("sim:{profile}"), "--unmask", "--json"]);
        let run = command.args(asked.map(|(apdu, _)| apdu)).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        let answers = said["exchanges"].as_array().unwrap_or_else(|| panic!("{said:#}"));
        assert_eq!(answers.len(), asked.len(), "{profile}: {said:#}");
        for (answer, (apdu, length)) in answers.iter().zip(asked) {
            assert_eq!(answer["status"], "9000", "{profile}: {apdu}");
            let data = answer["data"].as_str().unwrap();
            assert!(length.is_none_or(|length| data.len() == 2 * length), "{profile}: {apdu}: {data}");
        }
    }
}

#[test]
fn each_is_loaded_and_paid_with() {
    for (profile, ..) in CARDS {
        let mut shop = Shop::of(profile, Interface::Contact);
        let paid = shop.pay(PurseId::PURSE, PurchaseKind::Simple, 1_250);
        assert_eq!(paid, Verdict::ApprovedOffline, "{profile}");
        assert_eq!(shop.load(PurseId::PURSE, 5_000), Verdict::Loaded, "{profile}");
        let recovered = shop.stage.recover(&mut shop.context).unwrap();
        assert!(recovered.rows.iter().all(|row| row.to == State::Confirmed), "{profile}: {recovered:?}");
        shop.check();
        let purse = shop.facts();
        assert_eq!(purse.balances[0].own_minor(), Some(13_750), "{profile}");
        let kinds: Vec<u8> = purse.log.known().unwrap().iter().map(|entry| entry.record.kind).collect();
        assert_eq!(kinds, [2, 6], "{profile}, newest first");
        assert!(purse.remarks.is_empty(), "{profile}: {:?}", purse.remarks);
    }
}

#[test]
fn a_malformed_card_is_no_failure_of_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = Profile::text_of("t-union").unwrap();
    let bad = good.replace(", { at = 24, what = \"end\" }", "").replace("length = 48", "length = 47");
    assert_ne!(good, bad);
    std::fs::write(folder.path().join("bad.toml"), bad).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cardwright"));
    let run = command.args(["read", "--reader", "sim:bad.toml"]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(said.contains("file 15, offset 24: expected a date YYYYMMDD, found 00000000"), "{said}");
    assert!(said.contains("100.00 CNY") && said.contains("2025-01-01"), "{said}");
}

#[test]
fn what_segment_billing_adds_is_shown() {
    let mut shop = Shop::of("ecash-transit", Interface::Contactless);
    let ecash = shop.card().applications[0].ecash[0].clone();
    let segments = ecash.segments.unwrap();
    let told = (segments.limit.minor, segments.used.minor, segments.spendable.minor);
    assert_eq!(told, (1_000, 0, 11_000));
    assert_eq!(Shop::of("three-in-one", Interface::Contact).card().applications[0].ecash[0].segments, None);
}

#[test]
fn three_purses_on_one_card_are_shown_apart() {
    let mut shop = Shop::of("three-in-one", Interface::Contactless);
    let facts = shop.card();
    let ecash = facts.applications[0].ecash[0].balance.known().map(|balance| balance.minor);
    assert_eq!(ecash, Some(10_000));
    let names: Vec<&str> = facts.purses.iter().map(|purse| purse.name.as_str()).collect();
    assert_eq!(names, ["T-Union purse", "City Union purse"]);
    // The first purse pays, and the others hold what they held.
    assert_eq!(shop.pay(PurseId::PURSE, PurchaseKind::Simple, 300), Verdict::ApprovedOffline);
    let facts = shop.card();
    let own: Vec<_> = facts.purses.iter().map(|purse| purse.balances[0].own_minor()).collect();
    assert_eq!(own, [Some(9_700), Some(10_000)]);
    shop.stage.recover(&mut shop.context).unwrap();
    assert!(shop.stage.journal.open_rows().unwrap().is_empty());
    shop.check();
}
