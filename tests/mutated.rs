//! What the fuzz targets try (`fuzz/bodies/`), with what people and programs have written, a
//! little changed. `CARDWRIGHT_CHANGES` says how many times each; the fuzzer itself finds more.

use crate::cli::Desk;
use cardwright::air::link::pn532::Frame;
use cardwright::air::link::pn532::command::COMMANDS;
use cardwright::base::bytes::parse_hex;
use std::path::{Path, PathBuf};

#[path = "../fuzz/bodies/certificate.rs"]
mod certificate;
#[path = "../fuzz/bodies/import.rs"]
mod import;
#[path = "../fuzz/bodies/iso8583.rs"]
mod iso8583;
#[path = "../fuzz/bodies/llcp.rs"]
mod llcp;
#[path = "../fuzz/bodies/pieces.rs"]
mod pieces;
#[path = "../fuzz/bodies/pn532.rs"]
mod pn532;
#[path = "../fuzz/bodies/script.rs"]
mod script;
#[path = "../fuzz/bodies/snep.rs"]
mod snep;
#[path = "../fuzz/bodies/trace.rs"]
mod trace;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How often each text is changed and tried.
const TIMES: usize = 12;
/// Longest text that is tried, bytes: what is wrong shows in short ones.
const LENGTH: usize = 2048;

/// A sequence that is the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// A few changes: a bit, a byte, a piece that is gone, doubled, or another text's.
    fn changed(&mut self, text: &[u8], other: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len());
            let end = (at + 1 + self.below(24)).min(text.len());
            match self.below(6) {
                0 if at < text.len() => text[at] ^= 1 << self.below(8),
                1 if at < text.len() => text[at] = self.below(256) as u8,
                2 => drop(text.drain(at..end)),
                3 => {
                    let piece = text[at..end].to_vec();
                    text.splice(at..at, piece);
                }
                4 => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + 1 + self.below(64)).min(other.len())];
                    text.splice(at..end, piece.iter().copied());
                }
                _ => text.truncate(text.len() - self.below(text.len() / 8 + 1)),
            }
        }
        text
    }
}

/// Tries each text as it is, and changed.
fn tried(texts: &[Vec<u8>], run: fn(&[u8])) {
    assert!(texts.iter().any(|text| !text.is_empty()));
    let times =
        std::env::var("CARDWRIGHT_CHANGES").ok().and_then(|times| times.parse().ok()).unwrap_or(TIMES);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for text in texts {
        run(text);
        for _ in 0..times {
            let other = &texts[dice.below(texts.len())];
            run(&dice.changed(text, other));
        }
    }
}

/// The files below a folder, cut where they are long.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let mut text = std::fs::read(&path).unwrap();
            text.truncate(LENGTH);
            found.push((path, text));
        }
    }
    found
}

#[test]
fn scripts_are_read_or_refused() {
    let texts: Vec<_> = files(&Path::new(ROOT).join("apdu-scripts")).into_iter().map(|file| file.1).collect();
    tried(&texts, script::run);
}

#[test]
fn logs_of_other_programs_are_read_or_refused() {
    let mut texts = Vec::new();
    for (_, text) in files(&Path::new(ROOT).join("tests/traces/import")) {
        // Each as each program's, and as nobody knows whose.
        texts.extend([0, 1, 2, 3, 4, 5, 6, 7, 255].map(|whose| [&[whose], text.as_slice()].concat()));
    }
    tried(&texts, import::run);
}

#[test]
fn recordings_are_read_or_refused() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "5.00", "--save", "load.cwt"]));
    desk.ok(&["pay", "1.00", "--seed", "3", "--save", "pay.cwt"]);
    let texts = ["load.cwt", "pay.cwt"].map(|name| std::fs::read(desk.path(name)).unwrap());
    tried(&texts, trace::run);
}

#[test]
fn messages_are_read_or_refused() {
    // A sign-on, with every dialect before it.
    let message = "08000020000000C000120000015445524D303030314D45524348414E5430303030303031001100000001003000\
                   03303031";
    let digits = |at: usize| u8::from_str_radix(&message[at * 2..at * 2 + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..message.len() / 2).map(digits).collect();
    let texts: Vec<Vec<u8>> = (0..40).map(|choice| [&[choice * 6], bytes.as_slice()].concat()).collect();
    tried(&texts, iso8583::run);
}

#[test]
fn certificates_are_recovered_or_refused() {
    let texts: Vec<Vec<u8>> = (0..16)
        .map(|choice| [&[choice, 66], [0x02, 0x62, 0x99, 0x99, 0x12, 0x35].repeat(30).as_slice()].concat())
        .collect();
    tried(&texts, certificate::run);
}

#[test]
fn frames_of_a_pn532_are_read_or_passed_over() {
    let frames = |commands: &[&str]| -> Vec<u8> {
        commands.iter().flat_map(|hex| Frame::Command(parse_hex(hex).unwrap()).to_bytes()).collect()
    };
    // A reader's session, targets of each kind, and each command once, with few parameters.
    let reader =
        ["1401", "02", "1214", "3205FFFFFF", "4A0100", "400100A4040000", "0006", "5401", "4401", "5200"];
    let picc = [
        "1220",
        "8C050400BEEF00200102030405060708090A0B0C0D0E0F101101FE02030405060708090000",
        "86",
        "8E9000",
    ];
    let peer =
        ["1204", "8C020101BEEF00400102030405060708090A0B0C0D0E0F101101FE0203040506070809000103466666", "86"];
    let raw = ["12 00", "8C00", "88", "900400", "42E080", "60FF0110", "56000101", "0663026303", "0863017B"];
    let each: Vec<Vec<u8>> =
        COMMANDS.iter().map(|row| Frame::Command(vec![row.code, 1, 0]).to_bytes()).collect();
    // What a chip says to a driver: a card was found, its answer, and that it is gone.
    let answer = |hex: &str| Frame::Answer(parse_hex(hex).unwrap()).to_bytes();
    let found = answer("4B01010004200408112233067577810280");
    let chip = ["41006F009000", "41009000", "53 00", "33", "33", "4127"].map(answer);
    let said: Vec<&[u8]> = std::iter::once(&found).chain(&chip).map(Vec::as_slice).collect();
    let long = [0x41_u8, 0x40].iter().chain(&[7; 240]).copied().collect();
    let more = Frame::Answer(long).to_bytes();
    // A search in type F whose request has no length byte.
    let search = Frame::Command([&[0x4A, 1, 1][..], &[0; 255]].concat()).to_bytes();
    let texts = [
        search,
        frames(&reader),
        frames(&picc),
        frames(&peer),
        frames(&raw),
        each.concat(),
        pieces::join(&said),
        pieces::join(&[&found[..], &more, &found, &more]),
    ];
    tried(&texts, pn532::run);
}

/// What nfcpy 1.0.4 says of itself, and what it and its server say to one another.
const GENERAL: &str = "46666D010113020200780302000304013207 0103";
const SESSION: [&str; 7] = [
    "0520060F75726E3A6E66633A736E3A736E6570",
    "818402020078 05010F",
    "13200010020000 0016D101125402656E",
    "8304011081 00000000",
    "1160",
    "81C400",
    "0140",
];

#[test]
fn units_of_llcp_are_taken_or_refused() {
    // To the service by its name, then data, a look-up, datagrams, two units in one, and the end.
    let others = [
        "052006 12 75726E3A6E66633A736E3A636F2D6563686F",
        "432000616263",
        "43 60 01",
        "0641080A01 75726E3A6E66633A736E",
        "44D3 0102",
        "00800002 0000 0002 0140",
        "4160",
    ];
    let text = |units: &[&str]| {
        let units: Vec<Vec<u8>> =
            [&[GENERAL], units].concat().iter().map(|hex| parse_hex(hex).unwrap()).collect();
        pieces::join(&units.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    // More names than one answer holds, to a device that takes the least.
    let names = format!("0641{}", "08010A".repeat(80));
    let many = [vec![0], pieces::join(&[&parse_hex(&names).unwrap()])].concat();
    tried(&[text(&SESSION), text(&others), text(&[&others[..], &SESSION].concat()), many], llcp::run);
}

#[test]
fn messages_of_snep_are_taken_or_refused() {
    let units = [
        "100200000016D101125402656E",
        "7478742074657874 20746578742E",
        "100100000004 00000400",
        "1081000000 00",
        "108000000000",
        "10810000000 3D00000",
        "10C000000000",
        "2002000000 00",
        "10020FFFFFFF",
    ];
    let all: Vec<Vec<u8>> = units.iter().map(|hex| parse_hex(hex).unwrap()).collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let texts: Vec<Vec<u8>> =
        (0..all.len()).map(|from| pieces::join(&[&all[from..], &all[..from]].concat())).collect();
    tried(&texts, snep::run);
}
