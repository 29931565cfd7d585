//! Terminal files from files of other programs: the crate `emv`'s TOML and proxmark's
//! `capk.txt`, with keys of our own test authority.

use crate::cli::Desk;
use cardwright::roles::terminal::TerminalConfig;
use cardwright::words::iso4217::Currency;

/// As the crate emv 0.1 has its `terminal.toml` (Book 4 10.1).
const TERMINAL: &str = r#"
ifd_serial_number = "EMVTEST1"
terminal_country_code = 156
terminal_type = "22"
terminal_capabilities = "E0F8C8"
cardholder_selection_and_confirmation_supported = true
additional_terminal_capabilities = "6000F0A001"
"#;

/// As it has its `aids.toml` (Book 4 10.2).
const AIDS: &str = r#"
[defaults]
merchant_category_code = 742
merchant_identifier = "EMV_TEST_000001"
merchant_name_and_location = "a test of imports"
terminal_identification = "EMVTEST2"
transaction_currency_code = 156
transaction_currency_exponent = 2
partial_match_allowed = true
default_ddol = "9F3704"
terminal_floor_limit = 10000
rts_target_percentage = 5
rts_max_target_percentage = 20
rts_threshold_value = 50

[[aids]]
aid = "A000000333010102"
application_version_number = "0030"
tac_denial  = "0010000000"
tac_online  = "DC4004F800"
tac_default = "DC4000A800"

[[aids]]
aid = "A0000000031010"
application_version_number = "0096"
terminal_floor_limit = 0
"#;

const CRL: &str = r#"
[[entries]]
rid = "A000000003"
ca_pk_index = "92"
cert_serial = "9E11FA"
"#;

#[test]
fn the_files_of_the_crate_emv_become_a_terminal_file() {
    let desk = Desk::new();
    for (name, text) in [("terminal.toml", TERMINAL), ("aids.toml", AIDS), ("crl.toml", CRL)] {
        std::fs::write(desk.path(name), text).unwrap();
    }
    // Their capk.toml has no expiry and no checksum.
    let keys = desk.ok(&["ca", "export", "--format", "toml"]);
    let keys: String = keys
        .lines()
        .take_while(|line| !line.contains("capk_sm2"))
        .filter(|line| !line.starts_with("expiry") && !line.starts_with("checksum"))
        .map(|line| format!("{line}\n"))
        .collect();
    let curve =
        "[[capk_ecc]]\nrid = \"A000000333\"\nindex = \"10\"\nalgorithm_suite = \"10\"\nx_coord = \"00\"\n";
    std::fs::write(desk.path("capk.toml"), format!("{keys}\n{curve}")).unwrap();
    let call =
        ["terminal", "import", "capk.toml", "crl.toml", "aids.toml", "terminal.toml", "--out", "mine.toml"];
    let told = desk.json(&call);
    let left_out = told["left_out"].to_string();
    for part in ["capk_ecc", "transaction_currency_exponent"] {
        assert!(left_out.contains(part), "{part}: {left_out}");
    }
    assert_eq!(desk.run(&call).code, 2, "a file is never written over");

    let config = TerminalConfig::parse(&std::fs::read_to_string(desk.path("mine.toml")).unwrap()).unwrap();
    assert_eq!((config.serial.as_str(), config.terminal.as_str()), ("EMVTEST1", "EMVTEST2"));
    assert_eq!((config.currency, config.merchant_category.0), (Currency::CNY, [0x07, 0x42]));
    assert_eq!(config.aids().count(), 2);
    assert_eq!(config.risk.floor_limit_minor, 10_000);
    let visa = config.application(&[0xA0, 0, 0, 0, 0x03, 0x10, 0x10]).unwrap();
    // What a row does not say is the defaults'.
    let risk = visa.risk.unwrap();
    assert_eq!((risk.floor_limit_minor, risk.random_maximum_percent), (0, 20));
    assert_eq!((config.trust.keys.len(), config.trust.revocations.0.len()), (3, 1));
    assert!(config.combinations.iter().all(|row| row.aids.len() == 1), "{:?}", config.combinations);

    // It works: a card of our test authority is authenticated by the keys that came along.
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.ok(&["card", "new", "unionpay-credit", "my.card", "--account", "A1"]);
    let pay = ["pay", "1.00", "--interface", "contact", "--terminal", "mine.toml", "--save", "pay.cwt"];
    desk.ok(&desk.on_card(&pay));
    let recording = std::fs::read_to_string(desk.path("pay.cwt")).unwrap();
    assert!(recording.contains("CDA succeeded"), "{recording}");
}

#[test]
fn capk_txt_becomes_a_terminal_file() {
    let desk = Desk::new();
    desk.ok(&["ca", "export", "--format", "capk", "--out", "capk.txt"]);
    let config = TerminalConfig::parse(&desk.ok(&["terminal", "import", "capk.txt"])).unwrap();
    let keys: Vec<_> = config.trust.keys.iter().cloned().collect();
    let shipped: Vec<_> = TerminalConfig::default().trust.keys.iter().cloned().collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| shipped.contains(key)));
    assert_eq!(config.applications, TerminalConfig::default().applications);
}

#[test]
fn what_cannot_be_taken_over_is_named() {
    let desk = Desk::new();
    std::fs::write(desk.path("odd.toml"), "colour = 'red'").unwrap();
    std::fs::write(desk.path("short.toml"), "ifd_serial_number = 'X'").unwrap();
    desk.fails(&["terminal", "import", "nowhere"], 2, "nowhere");
    desk.fails(&["terminal", "import", "odd.toml"], 2, "ifd_serial_number");
    desk.fails(&["terminal", "import", "short.toml"], 2, "serial");
}
