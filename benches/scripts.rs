//! A suite of scripts, beside the start of a process that does nothing:
//! `cargo bench --bench scripts`.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark whose input is not read must stop")]

use divan::{Bencher, counter::ItemsCount};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases of the suite.
const CASES: usize = 1_000;

fn main() {
    divan::main();
}

fn cardwright(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardwright"));
    let output =
        command.args(arguments).env_remove("CARDWRIGHT_READER").output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A thousand small cases in one file: select, read the balance, look at it.
fn suite(folder: &Path) -> PathBuf {
    let case = |number: usize| {
        format!("case Number {number}\nSELECT A000000333010106\nGET DATA 9F79\nexpect 9F79 = 100.00\n\n")
    };
    let text: String = (0..CASES).map(case).collect();
    let file = folder.join("thousand.apdu");
    std::fs::write(&file, format!("effect reads\n{text}")).expect("the folder can be written");
    file
}

#[divan::bench(sample_count = 20)]
fn empty_process_start(bencher: Bencher) {
    bencher.bench(|| cardwright(&["--version"]));
}

#[divan::bench(sample_count = 20)]
fn thousand_cases_on_two_threads(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = suite(folder.path());
    let file = file.to_str().expect("a path of characters");
    bencher.counter(ItemsCount::new(CASES)).bench(|| cardwright(&["test", file, "-j", "2"]));
}
