//! `cardwright crypto`: public vectors through the command line, keys that stand in no
//! history, certificates taken apart, cryptograms identified.

use crate::cli::Desk;
use cardwright::base::bytes::Hex;
use cardwright::base::store::SealKey;
use cardwright::roles::card::{CardFile, CardMemory};
use cardwright::words::tlv::{Tag, encode};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

#[derive(Deserialize)]
struct Vectors {
    row: Vec<Row>,
}

/// A call, and what it must print.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    args: String,
    result: Option<String>,
    #[serde(default)]
    steps: BTreeMap<String, String>,
}

const MASTER: &str = "0123456789ABCDEFFEDCBA9876543210";

fn step(value: &Value, name: &str) -> Option<String> {
    let steps = value["steps"].as_array()?;
    Some(steps.iter().find(|step| step["name"] == name)?["value"].as_str()?.to_owned())
}

#[test]
fn public_vectors_come_out() {
    let desk = Desk::new();
    let vectors: Vectors = toml::from_str(include_str!("calculator/vectors.toml")).unwrap();
    for row in &vectors.row {
        assert!(row.result.is_some() || !row.steps.is_empty(), "{} tests nothing", row.name);
        let call: Vec<&str> = std::iter::once("crypto").chain(row.args.split_whitespace()).collect();
        let told = desk.json(&call);
        if let Some(result) = &row.result {
            assert_eq!(told["result"], result.as_str(), "{}: {told:#}", row.name);
        }
        for (name, value) in &row.steps {
            assert_eq!(step(&told, name).as_ref(), Some(value), "{}: {name}: {told:#}", row.name);
        }
    }
}

#[test]
fn keys_come_from_files_and_standard_input() {
    let desk = Desk::new();
    std::fs::write(desk.path("key"), format!("{MASTER}\n")).unwrap();
    let out = desk.ok(&["crypto", "kcv", "--key", "@key", "--result-only"]);
    assert_eq!(out, "08D7B4\n");
    let mut child = desk.command(&["crypto", "kcv", "--key", "-", "--key", "-", "--result-only"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Two components that are joined.
    writeln!(child.stdin.take().unwrap(), "{MASTER}\n00000000000000000000000000000000").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "08D7B4\n");
    desk.fails(&["crypto", "kcv", "--key", "@nowhere"], 2, "nowhere");
    desk.fails(&["crypto", "kcv", "--key", "-"], 2, "a line of standard input");
}

#[test]
fn wrong_calls_say_what_to_do_and_repeat_no_key() {
    let desk = Desk::new();
    let card = ["--card-key", MASTER];
    let with = |more: &[&'static str]| [&["crypto"], more].concat();
    for (call, part) in [
        (with(&["kcv", "--key", "0123"]), "8 or 16 or 24 bytes"),
        (with(&["kcv", "--key", "0123456789ABCDEF", "--cipher", "sm4"]), "16 bytes"),
        (with(&["udk", "--master-key", "SECRETKEY", "--pan", "6299990000000004"]), "hexadecimal"),
        (with(&["udk", "--master-key", MASTER, "--pan", "62999x"]), "decimal digits"),
        (with(&["session-key", card[0], card[1], "--method", "mchip", "--atc", "0001"]), "--un"),
        (with(&["session-key", card[0], card[1]]), "--atc"),
        (with(&["arqc", card[0], card[1], "--atc", "0001"]), "9F02"),
        (with(&["arqc", "--atc", "0001"]), "--master-key"),
        (with(&["arpc", card[0], card[1], "--arqc", "0000000000000000", "--atc", "0001"]), "--arc"),
        (with(&["mac", "--key", MASTER, "--data", "00", "--padding", "none"]), "whole blocks"),
        (with(&["cipher", "--key", MASTER, "--data", "00"]), "multiple of 8"),
        (with(&["pin-block", "--pin-file", "pin"]), "--pan"),
        (with(&["pin-block", "--format", "4", "--pan", "6299990000000004"]), "--key"),
        (with(&["identify", "--key", MASTER]), "9F26"),
        (with(&["identify", "--key", MASTER, "--apdu", "00A4040000", "9000"]), "0 cryptograms"),
        (with(&["recover", "--ca", "nowhere", "--element", "90=00"]), "nowhere"),
    ] {
        let said = desk.fails(&call, 2, part);
        assert!(!said.stderr.contains(MASTER) && !said.stderr.contains("SECRETKEY"), "{said:#?}");
    }
}

#[test]
fn pin_blocks_are_made_and_opened() {
    let desk = Desk::new();
    let pan = "6299990000000004";
    for format in ["0", "1", "2", "3", "4"] {
        let made = desk.ok(&[
            "crypto",
            "pin-block",
            "--format",
            format,
            "--pan",
            pan,
            "--key",
            MASTER,
            "--pin-file",
            "pin",
            "--result-only",
        ]);
        let block = made.trim();
        let opened = desk.ok(&[
            "crypto",
            "pin-block",
            "--format",
            format,
            "--pan",
            pan,
            "--key",
            MASTER,
            "--open",
            block,
            "--result-only",
        ]);
        assert_eq!(opened, "123456\n", "format {format}");
    }
    let clear = desk.ok(&["crypto", "pin-block", "--pan", pan, "--pin-file", "pin", "--result-only"]);
    // 06 123456 FFFFFFFF with 0000 999000000000.
    assert_eq!(clear, "0612ADC6FFFFFFFF\n");
}

/// Elements of one transaction of pyemv's test card, but the cryptogram and 9F10.
const ELEMENTS: [&str; 10] = [
    "9F02=000000004000",
    "9F03=000000000000",
    "9F1A=0124",
    "95=8000048000",
    "5F2A=0124",
    "9A=191105",
    "9C=01",
    "9F37=52BF4585",
    "82=1800",
    "9F36=001C",
];

fn identify(desk: &Desk, more: &[&str]) -> Value {
    let mut call = vec!["crypto", "identify", "--key", "FEDCBA98765432100123456789ABCDEF", "--key", MASTER];
    ELEMENTS.iter().for_each(|element| call.extend(["-e", element]));
    call.extend(more);
    desk.json(&call)
}

#[test]
fn cryptograms_of_another_implementation_are_identified() {
    // By pyemv: VIS CVN 10, and its MasterCardCVN16, 17, 20 and 21.
    let desk = Desk::new();
    let vis = "9F10=06010A03A06010";
    let mchip =
        ["0110", "0111", "0114", "0115"].map(|cvn| format!("9F10={cvn}A00003220000000000000000000000FF"));
    let cases = [
        (vis, "29CCA15AE665FA2E", "none", 1),
        (&mchip[0], "5246E3E6BA8FFD6B", "M/Chip", 2),
        (&mchip[1], "62AB7A8EF33D5CEF", "M/Chip", 2),
        (&mchip[2], "52D05D96B8B0B31A", "EMV common", 2),
        (&mchip[3], "D320E0771CDD263F", "EMV common", 2),
    ];
    for (iad, cryptogram, session, padding) in cases {
        let told = identify(&desk, &["--pan", "1234567890123456", "-e", iad, "--cryptogram", cryptogram]);
        let found = told["found"].as_array().unwrap();
        assert_eq!((found.len(), &told["exit"]), (1, &0.into()), "{told:#}");
        assert!(found[0]["session"].as_str().unwrap().starts_with(session), "{told:#}");
        assert_eq!((&found[0]["key"], &found[0]["padding"]), (&2.into(), &padding.into()), "{told:#}");
        assert_eq!(found[0]["only_if"], Value::Null);
    }
}

#[test]
fn what_fits_nothing_is_told_with_what_to_look_at() {
    let desk = Desk::new();
    let told = identify(&desk, &["--cryptogram", "0000000000000000"]);
    assert_eq!(told["exit"], 1);
    assert!(told["tried"].as_u64().unwrap() > 100, "{told:#}");
    let advice = told["advice"].to_string();
    for part in ["No PAN", "9F10", "08D7B4", "sequence number"] {
        assert!(advice.contains(part), "{part}: {advice}");
    }
}

/// Conversations with cards of ours.
#[test]
fn a_recorded_transaction_is_identified() {
    let desk = Desk::with_card("ecash");
    let pay = |interface, file| ["pay", "1.00", "--interface", interface, "--unmask", "--save", file];
    desk.ok(&desk.on_card(&["load", "50.00"]));
    desk.ok(&desk.on_card(&pay("contactless", "tap.cwt")));
    let told = desk.json(&["crypto", "identify", "--key", "test-ac", "--trace", "tap.cwt"]);
    assert!(told["found"][0]["versions"].to_string().contains("PBOC CVN 01"), "{told:#}");
    assert!(
        told["found"][0]["derivation"]
            .as_str()
            .unwrap()
            .contains("options A and B, which are one here, PAN sequence number 01"),
        "{told:#}"
    );

    desk.ok(&desk.on_card(&["pay", "1.00", "--interface", "contactless", "--save", "masked.cwt"]));
    let told = desk.json(&["crypto", "identify", "--key", "test-ac", "--trace", "masked.cwt"]);
    assert!(told["advice"].to_string().contains("masked"), "{told:#}");

    desk.ok(&["card", "new", "unionpay-credit", "cda.card", "--account", "A1"]);
    let mut call = pay("contact", "cda.cwt").to_vec();
    call.extend(["--reader", "sim:cda.card", "--pin-file", "pin"]);
    desk.ok(&call);
    let identify = ["crypto", "identify", "--key", "test-ac", "--trace", "cda.cwt"];
    desk.fails(&identify, 2, "CDA");
    // The signature is opened, and what it hides identified.
    desk.ok(&["ca", "export", "--format", "toml", "--out", "ca.toml"]);
    let told = desk.json(&["crypto", "recover", "--ca", "ca.toml", "--trace", "cda.cwt"]);
    let objects = told["objects"].as_array().unwrap();
    assert_eq!(told["exit"], 0, "{told:#}");
    assert!(objects.iter().all(|object| object["check"] == "passed"), "{told:#}");
    let dynamic = objects.iter().find(|object| object["tag"] == "9F4B").unwrap();
    let fields = dynamic["fields"].as_array().unwrap();
    let cryptogram = fields.iter().find(|field| field["name"] == "TC or ARQC").unwrap();
    let cryptogram = cryptogram["value"].as_str().unwrap();
    let told = desk.json(&[&identify[..], &["--cryptogram", cryptogram]].concat());
    assert!(told["found"][0]["versions"].to_string().contains("PBOC CVN 01"), "{told:#}");
}

fn memory(desk: &Desk, name: &str) -> CardMemory {
    let seal = SealKey::read(&desk.path("cardwright.key")).unwrap();
    CardFile::open(&desk.path(name), seal).unwrap().1
}

#[test]
fn certificates_are_taken_apart_and_checked() {
    let desk = Desk::with_card("unionpay-credit");
    desk.ok(&["card", "new", "unionpay-sm", "sm.card"]);
    desk.ok(&["ca", "export", "--format", "toml", "--out", "ca.toml"]);
    for (card, certificates) in [("my.card", 3), ("sm.card", 3)] {
        let memory = memory(&desk, card);
        let [request] = memory.certificate_requests().unwrap().try_into().unwrap();
        let tags = [0x8F, 0x90, 0x92, 0x9F32, 0x9F46, 0x9F48, 0x9F47, 0x93, 0x5A];
        let elements: Vec<u8> = tags
            .iter()
            .filter_map(|tag| Some(encode(Tag(*tag), memory.value(Tag(*tag))?)))
            .flatten()
            .collect();
        let (tlv, signed) = (Hex(&elements).to_string(), Hex(request.static_data.as_bytes()).to_string());
        let call = ["crypto", "recover", "--ca", "ca.toml", "--rid", "A000000333", "--tlv", &tlv];
        let told = desk.json(&[&call[..], &["--static", &signed]].concat());
        let objects = told["objects"].as_array().unwrap();
        assert_eq!((objects.len(), &told["exit"]), (certificates, &0.into()), "{told:#}");
        assert!(objects.iter().all(|object| object["opened"] == true && object["check"] == "passed"));
        let text = told.to_string();
        let pan = memory.pan().unwrap();
        assert!(text.contains(&pan.to_string()) && !text.contains(pan.expose()), "{text}");
        assert!(text.contains("DAC1"), "the data authentication code: {text}");
        // Without the static data nothing is claimed; with others the check fails, and says so.
        let told = desk.json(&call);
        assert_eq!(told["exit"], 0);
        assert!(told["objects"][2]["check"].as_str().unwrap().starts_with("not made"), "{told:#}");
        let told = desk.json(&[&call[..], &["--static", "00"]].concat());
        assert_eq!(told["exit"], 1);
        assert!(told["objects"][2]["check"].as_str().unwrap().contains("6.4"), "{told:#}");
        // A damaged certificate is still opened as far as it goes.
        let damaged = memory.value(Tag(0x90)).map(|bytes| Hex(bytes).to_string()).unwrap();
        let damaged = format!("90={}00", &damaged[..damaged.len() - 2]);
        let told = desk.json(&[&call[..], &["-e", &damaged]].concat());
        assert_eq!(told["exit"], 1, "{told:#}");
        assert!(told["objects"][0]["check"].as_str().unwrap().starts_with("failed"), "{told:#}");
    }
}
