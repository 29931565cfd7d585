//! What holds for a file as a whole: its length, a `mod.rs` without logic, texts
//! that speak of this project alone, packages from one place.

use std::io::Write;

use super::source::{Source, matching, words};
use super::{Finding, Rule};

/// A file longer than this, tests not counted, is named; it has begun to do two things.
const WARN_LINES: usize = 400;
/// A file longer than this fails.
const MAX_LINES: usize = 700;

/// Where every package of `Cargo.lock` comes from.
const PACKAGE_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Folders of one machine, which no text of the project may name. Written in two
/// parts, so that this file does not name them.
const MACHINE_PATHS: &[&str] =
    &[concat!("/", "work", "/"), concat!("/", "root", "/"), concat!("/home", "/user/")];

/// Too long a file.
pub(crate) fn check_length(source: &Source) -> Option<Finding> {
    let lines = source.lines_before_tests();
    let what = || format!("{lines} lines before tests, the limit is {MAX_LINES}: find the seam and split it");
    (lines > MAX_LINES).then(|| Finding::new(Rule::Length, source, MAX_LINES, what()))
}

/// Names the files that grow too long, while they still pass.
pub(crate) fn warn_of_length(source: &Source) {
    let lines = source.lines_before_tests();
    if lines > WARN_LINES {
        // Not a print macro: the harness would keep its text of a passed test to itself.
        let _ = writeln!(std::io::stderr(), "tidy: warning: {}: {lines} lines before tests", source.path);
    }
}

/// Functions with a body in a `mod.rs`, which holds docs, the registry slice and re-exports.
pub(crate) fn check_mod(source: &Source) -> Vec<Finding> {
    if !source.path.ends_with("/mod.rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut last = ("", 0);
    for (at, word) in words(&source.product) {
        if last.0 == "fn" && has_body(&source.product[at..]) {
            let what =
                format!("`fn {word}` has a body; a mod.rs holds docs, the registry slice and re-exports");
            findings.push(Finding::new(Rule::Mod, source, source.line(last.1), what));
        }
        last = (word, at);
    }
    findings
}

/// Whether a function, from its name on, has a body before its end.
fn has_body(function: &str) -> bool {
    let bytes = function.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' => return false,
            b'{' => return true,
            b'(' | b'[' => at = matching(function, at).unwrap_or(bytes.len()),
            _ => at += 1,
        }
    }
    false
}

/// Texts that name a folder of some machine.
pub(crate) fn check_text(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in MACHINE_PATHS {
            let stands_alone = |at: usize| {
                !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._-~}".contains(c))
            };
            if line.match_indices(folder).any(|(at, _)| stands_alone(at)) {
                let what = format!("names {folder}, a folder of one machine");
                findings.push(Finding { rule: Rule::Text, path: path.into(), line: number + 1, what });
            }
        }
    }
    findings
}

/// Packages of a `Cargo.lock` that come from anywhere but crates.io.
pub(crate) fn check_lock(path: &str, text: &str) -> Vec<Finding> {
    let sources =
        text.lines().enumerate().filter_map(|(number, line)| Some((number, line.strip_prefix("source = ")?)));
    sources
        .filter(|(_, source)| source.trim_matches('"') != PACKAGE_SOURCE)
        .map(|(number, source)| Finding {
            rule: Rule::Text,
            path: path.into(),
            line: number + 1,
            what: format!("a package from {source}; all come from crates.io"),
        })
        .collect()
}

#[test]
fn a_long_file_is_found() {
    let long = |lines: usize| Source::new("src/base/bytes/hex.rs", &"const A: u8 = 1;\n".repeat(lines));
    assert!(check_length(&long(MAX_LINES)).is_none());
    assert!(check_length(&long(MAX_LINES + 1)).is_some());
    let tests = format!("const A: u8 = 1;\n#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(MAX_LINES));
    assert!(check_length(&Source::new("src/base/bytes/hex.rs", &tests)).is_none(), "tests are not counted");
    let helper = format!("#[cfg(test)]\nfn f() {{}}\n{}", "\n".repeat(MAX_LINES));
    assert!(check_length(&Source::new("src/base/bytes/hex.rs", &helper)).is_some(), "a helper ends no file");
}

#[test]
fn logic_in_a_mod_file_is_found() {
    let found = |text: &str| !check_mod(&Source::new("src/air/link/mod.rs", text)).is_empty();
    assert!(found("pub fn f() { g() }"));
    assert!(found("impl A { fn f(a: [u8; 2]) -> u8 where u8: Copy {} }"));
    assert!(found("pub trait Card { fn reset(&mut self) {} }"));
    assert!(!found("pub trait Card { fn reset(&mut self, a: [u8; 2]) -> u8; }\npub use a::{b, c};"));
    assert!(!found("#[cfg(test)]\nmod tests { fn f() {} }\n// fn g() {}\npub const A: &[fn(u8)] = &[b];"));
    assert!(check_mod(&Source::new("src/air/link/vpcd.rs", "fn f() {}")).is_empty());
}

#[test]
fn a_machine_path_is_found() {
    for folder in MACHINE_PATHS {
        assert!(!check_text("README.md", &format!("see\n`{folder}x`")).is_empty(), "{folder}");
    }
    assert!(check_text("README.md", "docs/work/plan and https://example.org/root/x").is_empty());
}

#[test]
fn a_package_from_elsewhere_is_found() {
    assert!(check_lock("Cargo.lock", &format!("source = \"{PACKAGE_SOURCE}\"")).is_empty());
    assert!(!check_lock("Cargo.lock", "source = \"registry+https://mirror.example/index\"").is_empty());
    assert!(!check_lock("Cargo.lock", "source = \"git+https://example.org/x\"").is_empty());
}
