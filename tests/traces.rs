//! Recordings as they are used again: a card that replays one, a profile made of one, what
//! other programs wrote, and bytes that are none.

use crate::cli::Desk;
use cardwright::air::link::{Endpoint, Interface};
use cardwright::air::trace::{Compared, IMPORTERS, Trace, import};
use cardwright::base::bytes::Hex;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::observers::report::{explain_text, trace_listing_text, trace_page};
use cardwright::roles::card::Replay;
use cardwright::words::dictionary::Row;
use cardwright::words::tlv::Tag;
use proptest::prelude::*;

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces/import");

/// A card that pays offline as soon as it is new, and whose static data alone is signed.
fn static_profile() -> String {
    let text = include_str!("../src/roles/card/profile/unionpay-credit.toml");
    let changes = [
        ("name = \"unionpay-credit\"", "name = \"static\""),
        ("aip = \"7D00\"", "aip = \"5C00\""),
        ("card_key = true", "card_key = false"),
        ("pin_key = true", "pin_key = false"),
        // A new card need not go online.
        ("\"9F52\" = \"C248\"", "\"9F52\" = \"C008\""),
        // No CVM is asked for.
        ("4103 4203 5E03 1F00", "1F00"),
    ];
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn our_terminal_pays_against_a_recording_with_another_amount() {
    let desk = Desk::new();
    std::fs::write(desk.path("static.toml"), static_profile()).unwrap();
    let pay = |amount: &str, reader: &str, seed: &str, file: &str, more: &[&str]| {
        let switches = ["--interface", "contact", "--seed", seed, "--save", file, "--store", "memory"];
        desk.run(&[&["pay", amount, "--reader", reader], &switches[..], more].concat())
    };
    let recorded = pay("2.00", "sim:static.toml", "3", "open.cwt", &["--unmask"]);
    assert!(recorded.stdout.contains("approved offline"), "{recorded:?}");
    let played = pay("7.50", "replay:open.cwt", "4", "again.cwt", &["--unmask"]);
    assert!(played.code == 0 && played.stdout.contains("7.50 CNY approved offline"), "{played:?}");
    let story = desk.ok(&["trace", "explain", "again.cwt"]);
    assert!(story.contains("SDA succeeded") && story.contains("the same request with other data"), "{story}");
    // A masked recording plays too, and says what it cannot do.
    pay("2.00", "sim:static.toml", "3", "masked.cwt", &[]);
    let played = pay("7.50", "replay:masked.cwt", "4", "blind.cwt", &[]);
    assert!(played.code == 1 && played.stdout.contains("declined"), "{played:?}");
    let story = desk.ok(&["trace", "explain", "blind.cwt"]);
    assert!(story.contains("masked recording: its numbers are pseudonyms"), "{story}");
    assert!(desk.ok(&["read", "--reader", "replay:masked.cwt"]).contains("PBOC CREDIT"));
    desk.fails(&["read", "--reader", "replay:nothing.cwt"], 2, "nothing.cwt");
    desk.fails(&["read", "--reader", "replay:static.toml"], 2, "expected a recording");
}

#[test]
fn our_terminal_pays_against_a_profile_made_of_a_recording() {
    let desk = Desk::new();
    for (profile, interface, authenticated) in [
        ("unionpay-credit", "contact", "CDA succeeded"),
        ("ecash", "contact", "DDA succeeded"),
        ("ecash", "contactless", "fDDA succeeded"),
        ("visa-like", "contactless", "fDDA succeeded"),
        ("mastercard-like", "contactless", "CDA succeeded"),
    ] {
        let pay = |reader: &str, seed: &str, file: &str| {
            let switches = ["--interface", interface, "--seed", seed, "--save", file, "--store", "memory"];
            desk.ok(&[&["pay", "2.00", "--reader", reader], &switches[..]].concat())
        };
        pay(&format!("sim:{profile}"), "3", "one.cwt");
        let like = format!("like-{profile}-{interface}.toml");
        desk.ok(&["trace", "to-profile", "one.cwt", "-o", &like]);
        let paid = pay(&format!("sim:{like}"), "8", "two.cwt");
        assert!(paid.contains("approved"), "{profile} {interface}: {paid}");
        let story = desk.ok(&["trace", "explain", "two.cwt"]);
        assert!(story.contains(authenticated), "{profile} {interface}: {story}");
    }
}

#[test]
fn every_importer_reads_what_its_program_writes() {
    for importer in IMPORTERS {
        let text = std::fs::read_to_string(format!("{LOGS}/{}.txt", importer.name)).unwrap();
        let (guessed, trace) = import(&text, None, "a log").unwrap();
        assert_eq!(guessed.name, importer.name);
        let hex = |bytes: &[u8]| Hex(bytes).to_string();
        let exchanges: Vec<(String, String)> =
            trace.exchanges().iter().map(|e| (hex(e.command), hex(e.answer.unwrap().1))).collect();
        let answer = |command: &str| {
            let found = exchanges.iter().find(|(sent, _)| sent.starts_with(command));
            found
                .map(|(_, answer)| answer.as_str())
                .unwrap_or_else(|| panic!("{}: {exchanges:?}", importer.name))
        };
        let selected = answer("00A4040008A000000333010106");
        assert!(selected.starts_with("6F") && selected.ends_with("9000"), "{}: {selected}", importer.name);
        assert!(answer("00B2020C00").contains("5A086299993889537604"), "{}", importer.name);
        if importer.name != "proxmark" {
            assert_eq!(answer("80CA9F7900"), "9F79060000000100009000", "{}", importer.name);
        }
        let masked = String::from_utf8(trace.masked().to_bytes().unwrap()).unwrap();
        assert!(!masked.contains("6299993889537604"), "{}", importer.name);
    }
}

#[test]
fn a_log_becomes_a_recording_or_a_script() {
    let desk = Desk::new();
    std::fs::copy(format!("{LOGS}/pcscd.txt"), desk.path("log.txt")).unwrap();
    let said = desk.ok(&["trace", "import", "log.txt"]);
    assert!(said.contains("exchanges, read as what pcscd prints"), "{said}");
    assert!(desk.ok(&["trace", "show", "log.cwt"]).contains("9F79 Electronic Cash Balance"));
    desk.ok(&["trace", "import", "log.txt", "--script"]);
    let script = std::fs::read_to_string(desk.path("log.apdu")).unwrap();
    assert!(script.contains("\n80CA9F7900\nexpect 9000\n"), "{script}");
    // The script runs as it is.
    let played = desk.run(&["test", "log.apdu", "--interface", "contactless"]);
    assert_eq!(played.code, 0, "{played:?}");
    desk.fails(&["trace", "import", "log.txt", "--from", "gp"], 2, "expected a command to a card");
    desk.fails(&["trace", "import", "pin"], 2, "name the program with --from");
    desk.fails(&["trace", "import", "log.txt", "-o", "pin"], 2, "left as it is");
    desk.ok(&["trace", "import", "log.txt"]);
    desk.fails(&["trace", "import", "log.txt", "--script"], 2, "left as it is");
}

/// What our dissector calls data objects is what the dictionary calls them.
#[test]
fn the_dissector_has_the_dictionarys_names() {
    let text = include_str!("../examples/wireshark/emv.lua");
    let tags = (0x40..=0xFFFF).chain(0xDF_8100..=0xDF_83FF).map(Tag);
    let rows: Vec<String> =
        tags.filter_map(|tag| Some(format!("[0x{tag}] = \"{}\",", Row::of_tag(tag)?.name))).collect();
    assert!(rows.len() > 100);
    for row in &rows {
        assert!(text.contains(row), "examples/wireshark/emv.lua: no {row}");
    }
    assert_eq!(text.matches("\n  [0x").count(), rows.len());
}

/// Everything that is done with a recording.
fn use_all(trace: Trace) {
    let trace = trace.masked();
    let _ = (explain_text(&trace), trace_listing_text(&trace), trace_page(&trace), trace.to_pcapng());
    let _ = trace.differences(&trace, Compared::Everything);
    let _ = cardwright::world::profile_of(&trace);
    if let Some(mut card) = Replay::of(&trace, "a recording") {
        let mut context = Context::simulated(1, Discard);
        card.power_on(Interface::Contact, &mut context);
        for exchange in trace.exchanges() {
            let _ = card.process(exchange.command, &mut context);
        }
    }
}

/// The text of a recording with these exchanges.
fn recording(place: &str, exchanges: &[(bool, Vec<u8>, i64)]) -> String {
    let place = serde_json::json!(place);
    let head = format!(
        "{{\"format\":\"cardwright-trace\",\"version\":1,\"masked\":false,\"started_us\":7,\"place\":{place}}}\n"
    );
    let line = |(is_command, bytes, at): &(bool, Vec<u8>, i64)| {
        let (name, key) = if *is_command { ("command", "C-APDU") } else { ("response", "R-APDU") };
        let element = format!("{{\"name\":\"{key}\",\"value\":\"{}\"}}", Hex(bytes));
        format!("{{\"at_us\":{at},\"speaker\":\"link\",\"name\":\"{name}\",\"elements\":[{element}]}}\n")
    };
    head + &exchanges.iter().map(line).collect::<String>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes are a recording or an error, and a recording can be used for all.
    #[test]
    fn no_recording_panics(
        place in ".*",
        exchanges in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40), any::<i64>()),
            0..12,
        ),
        junk in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = Trace::read(junk.as_slice());
        let mut bytes = recording(&place, &exchanges).into_bytes();
        use_all(Trace::read(bytes.as_slice()).unwrap());
        bytes.extend(junk);
        if let Ok(trace) = Trace::read(bytes.as_slice()) {
            use_all(trace);
        }
    }

    /// Any text is a log or an error, whoever is said to have written it; so is a real log that
    /// was changed or cut.
    #[test]
    fn no_log_panics(
        text in ".*\\n.*",
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        put in "[ -~\\n]{0,9}",
    ) {
        let importer = which.get(IMPORTERS);
        let _ = import(&text, Some(importer.name), "a log");
        let log = std::fs::read_to_string(format!("{LOGS}/{}.txt", importer.name)).unwrap();
        let places: Vec<usize> = log.char_indices().map(|(place, _)| place).collect();
        let at = *at.get(&places);
        let changed = format!("{}{put}{}", &log[..at], &log[at..]);
        if let Ok((_, trace)) = import(&changed, Some(importer.name), "a log") {
            use_all(trace);
        }
        let _ = import(&log[..at], None, "a log");
    }
}
