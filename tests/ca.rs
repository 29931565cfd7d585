//! Certification authorities from the command line: made, exported, read by the
//! terminal, and what they sign recovered with what they export.

use crate::cli::Desk;
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::SealKey;
use cardwright::roles::bureau::Authority;
use cardwright::roles::card::{CardFile, CardMemory, Order, Profile};
use cardwright::roles::terminal::{TerminalConfig, Trust};
use cardwright::words::emv::Pan;
use cardwright::words::emv::certificate::*;
use cardwright::words::tlv::Tag;
use cardwright::world::{new_card_memory, order_for};

/// Recovers everything that a card bears for offline data authentication.
fn authenticates(memory: &CardMemory, keys: &CaPublicKeys) -> Result<[u8; 2], CertificateError> {
    let value = |tag: u32| memory.value(Tag(tag)).unwrap_or_default();
    let [request] = memory.certificate_requests().unwrap().try_into().unwrap();
    let ca = keys.find(request.rid, value(0x8F)[0], request.suite)?;
    let (pan, revocations) = (memory.pan().unwrap(), RevocationList::default());
    let against = Against { pan: &pan, today: [0x26, 0x11, 0x21], revocations: &revocations };
    let objects = |certificate, remainder, exponent| CertificateRef {
        certificate: value(certificate),
        remainder: value(remainder),
        exponent: value(exponent),
    };
    let issuer = IssuerCertificate::recover(objects(0x90, 0x92, 0x9F32), ca, against)?;
    let key_use = IccKeyUse::Authentication(&request.static_data);
    IccCertificate::recover(objects(0x9F46, 0x9F48, 0x9F47), key_use, &issuer.key, against)?;
    if request.pin_key {
        let pin = objects(0x9F2D, 0x9F2F, 0x9F2E);
        IccCertificate::recover(pin, IccKeyUse::PinEncipherment, &issuer.key, against)?;
    }
    recover_static_signature(value(0x93), &request.static_data, &issuer.key)
}

#[test]
fn fresh_cards_bear_certificates_of_the_test_authority() {
    let keys = Authority::test().unwrap().public_keys();
    for name in ["unionpay-credit", "unionpay-sm"] {
        let mut context = Context::simulated(7, Discard);
        let profile = Profile::named(name).unwrap();
        let card = cardwright::world::NewCard {
            profile: profile.clone(),
            pin: Secret::new("123456".into()),
            balance_minor: 0,
            accounts: Vec::new(),
        };
        let order: Order = order_for(&card, &mut context).unwrap();
        let memory = new_card_memory(&profile, &order).unwrap();
        assert_eq!(authenticates(&memory, &keys), Ok([0xDA, 0xC1]), "{name}");
        // The same order gives the same card.
        let again = new_card_memory(&profile, &order).unwrap();
        assert_eq!(again.value(Tag(0x9F46)), memory.value(Tag(0x9F46)));
        // Another card's certificates say nothing of this one.
        let other = Order { pan: Pan::with_check_digit("629999000000009").unwrap(), ..order };
        let other = new_card_memory(&profile, &other).unwrap();
        assert_ne!(other.value(Tag(0x9F46)), memory.value(Tag(0x9F46)));
    }
}

#[test]
fn an_authority_of_ones_own_signs_cards_and_gives_out_its_keys() {
    let desk = Desk::new();
    let lengths = ["--ca-bits", "1024", "--issuer-bits", "960", "--card-bits", "768", "--exponent", "65537"];
    let mut made = vec!["ca", "new", "myca", "--index", "F0", "--provider", "A000000333"];
    made.extend(lengths);
    let said = desk.ok(&made);
    assert!(said.contains("F0") && said.contains("A000000333"), "{said}");
    let sealed = std::fs::read(desk.path("myca/authority.ca")).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("rsa-"), "keys in clear");
    assert_eq!(desk.run(&made).code, 2, "an authority is never written over");

    desk.ok(&["card", "new", "unionpay-credit", "my.card", "--ca", "myca"]);
    desk.ok(&["card", "new", "unionpay-credit", "other.card"]);
    let memory = |name: &str| {
        let seal = SealKey::read(&desk.path("cardwright.key")).unwrap();
        CardFile::open(&desk.path(name), seal).unwrap().1
    };
    let own = Trust::parse(&desk.ok(&["ca", "export", "myca", "--format", "toml"])).unwrap();
    assert_eq!(own.keys.len(), 2);
    assert_eq!(authenticates(&memory("my.card"), &own.keys), Ok([0xDA, 0xC1]));
    assert!(authenticates(&memory("other.card"), &own.keys).is_err());
    let test = Trust::parse(&desk.ok(&["ca", "export", "--format", "toml"])).unwrap();
    assert_eq!(authenticates(&memory("other.card"), &test.keys), Ok([0xDA, 0xC1]));

    // proxmark's form holds the RSA keys; a terminal's file takes either.
    desk.ok(&["ca", "export", "myca", "--format", "capk", "--out", "capk.txt"]);
    assert_eq!(desk.run(&["ca", "export", "myca", "--format", "capk", "--out", "capk.txt"]).code, 2);
    let capk = Trust::parse(&std::fs::read_to_string(desk.path("capk.txt")).unwrap()).unwrap();
    assert_eq!(capk.keys.iter().collect::<Vec<_>>(), own.keys.iter().take(1).collect::<Vec<_>>());

    let sheet = desk.ok(&["ca", "export", "myca"]);
    let csv = desk.ok(&["ca", "export", "myca", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 3);
    let checksum = cardwright::base::bytes::Hex(&own.keys.iter().next().unwrap().checksum()).to_string();
    let json = desk.ok(&["ca", "export", "myca", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["ca_public_keys"][0]["checksum"], checksum);
    assert!(sheet.contains(&checksum) && csv.contains(&checksum), "{sheet}\n{csv}");
}

#[test]
fn what_is_no_authority_is_refused() {
    let desk = Desk::new();
    for wrong in [
        &["ca", "export", "nowhere"][..],
        &["ca", "new", "x", "--issuer-bits", "1984"],
        &["ca", "new", "x", "--index", "E"],
        &["ca", "new", "x", "--provider", "A0"],
        &["ca", "new", "x", "--expiry", "491331"],
        &["ca", "new", "x", "--ca-bits", "1001", "--issuer-bits", "904", "--card-bits", "904"],
        &["card", "new", "unionpay-credit", "my.card", "--ca", "nowhere"],
    ] {
        assert_eq!(desk.run(wrong).code, 2, "{wrong:?}");
    }
    std::fs::create_dir(desk.path("folder")).unwrap();
    std::fs::write(desk.path("folder/authority.ca"), "nonsense").unwrap();
    let said = desk.run(&["ca", "export", "folder"]);
    assert!(said.code == 2 && said.stderr.contains("ca new"), "{said:?}");
}

#[test]
fn a_terminal_file_holds_keys_or_names_files_with_keys() {
    let desk = Desk::new();
    let terminal = include_str!("../src/roles/terminal/terminal.toml");
    let exported = desk.ok(&["ca", "export", "--format", "toml"]);
    let inside = exported.replace("[[", "[[trust.");
    let config = TerminalConfig::parse(&format!("{terminal}\n{inside}")).unwrap();
    assert_eq!(config.trust.keys, Authority::test().unwrap().public_keys());
    assert!(TerminalConfig::default().trust.keys.is_empty(), "no keys are shipped with a terminal");

    std::fs::write(desk.path("keys.toml"), exported).unwrap();
    std::fs::write(desk.path("my.toml"), format!("trust_files = [\"keys.toml\"]\n{terminal}")).unwrap();
    desk.ok(&["read", "--terminal", "my.toml"]);
    std::fs::write(desk.path("keys.toml"), "[[capk_rsa]]\nrid = \"A0\"\n").unwrap();
    let said = desk.run(&["read", "--terminal", "my.toml"]);
    assert!(said.code == 2 && said.stderr.contains("keys.toml"), "{said:?}");
}

#[test]
fn profiles_whose_signature_could_not_serve_all_paths_are_refused() {
    let text =
        cardwright::roles::card::PROFILES.iter().find(|row| row.name == "unionpay-credit").unwrap().text;
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let profile = Profile::parse(&text.replacen(from, to, 1)).unwrap();
        let mut context = Context::simulated(7, Discard);
        let card = cardwright::world::NewCard {
            profile: profile.clone(),
            pin: Secret::new("123456".into()),
            balance_minor: 0,
            accounts: Vec::new(),
        };
        let order = order_for(&card, &mut context).unwrap();
        new_card_memory(&profile, &order).unwrap_err().to_string()
    };
    assert!(said("08020302", "08020403").contains("marked as signed"));
    assert!(said("\"9F4A\" = \"82\"", "\"9F4A\" = \"8284\"").contains("82 alone"));
    assert!(said("aip = \"5C00\"", "aip = \"1C00\"").contains("SDA, DDA or CDA"));
    assert!(said("A000000333010102", "A000000999010102").contains("A000000999"));
    assert!(said("quick = { aip = \"1C00\"", "quick = { aip = \"5C00\"").contains("same AIP"));
}
