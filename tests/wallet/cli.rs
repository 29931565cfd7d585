//! The phone from the command line, each step a process of its own.

use crate::cli::Desk;

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
