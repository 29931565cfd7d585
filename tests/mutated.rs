//! What the fuzz targets try (`fuzz/bodies/`), with what people and programs have written, a
//! little changed. `CARDWRIGHT_CHANGES` says how many times each; the fuzzer itself finds more.

use crate::cli::Desk;
use std::path::{Path, PathBuf};

#[path = "../fuzz/bodies/certificate.rs"]
mod certificate;
#[path = "../fuzz/bodies/import.rs"]
mod import;
#[path = "../fuzz/bodies/iso8583.rs"]
mod iso8583;
#[path = "../fuzz/bodies/script.rs"]
mod script;
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
