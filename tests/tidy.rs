//! The style that matters, as tests: the rule of the floors, names that stand in one
//! room, rows for every registered file, length of files. Every rule is also shown a
//! bad example and must find it.

mod files;
mod floors;
mod names;
mod registries;
mod source;

use source::{Source, read_tree_of};

/// What a finding breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A way up, or to a neighbour.
    Floor,
    /// A name outside its room.
    Name,
    /// A registered file without its row.
    Registry,
    /// A file too long.
    Length,
    /// Logic in a `mod.rs`.
    Mod,
    /// A text that names what is not the project's.
    Text,
}

/// One place that breaks a rule.
#[derive(Debug, Clone)]
struct Finding {
    rule: Rule,
    path: String,
    line: usize,
    what: String,
}

/// Places that may break a rule, each with its reason: rule, file, a part of what the
/// rule says, reason. One that is no longer needed fails too.
const EXCEPTIONS: &[(Rule, &str, &str, &str)] = &[
    (
        Rule::Name,
        "src/roles/terminal/config.rs",
        ".expect(",
        "the shipped terminal file is part of the program, and a test reads it",
    ),
    (
        Rule::Name,
        "src/roles/issuer/limits.rs",
        ".expect(",
        "the shipped limits file is part of the program, and a test reads it",
    ),
    (
        Rule::Name,
        "src/devices/gate/line.rs",
        ".expect(",
        "the shipped line file is part of the program, and a test reads it",
    ),
];

impl Finding {
    fn new(rule: Rule, source: &Source, line: usize, what: String) -> Self {
        Self { rule, path: source.path.clone(), line, what }
    }

    /// Whether an exception covers it.
    fn is_excepted(&self, exception: &(Rule, &str, &str, &str)) -> bool {
        let (rule, path, part, _) = exception;
        self.rule == *rule && self.path == *path && self.what.contains(part)
    }
}

/// The Rust files of a folder.
fn sources(folder: &str) -> Vec<Source> {
    let files = read_tree_of(folder, ".rs");
    assert!(!files.is_empty(), "no Rust file in {folder}: the check would see nothing");
    files.into_iter().map(|(path, text)| Source::new(&path, &text)).collect()
}

/// Everything the rules find in the repository, exceptions left in.
fn findings() -> Vec<Finding> {
    let house = sources("src");
    let paths: Vec<String> = read_tree_of("src", "").into_iter().map(|(path, _)| path).collect();
    let mut found: Vec<Finding> = house.iter().flat_map(floors::check).collect();
    found.extend(house.iter().flat_map(names::check));
    found.extend(registries::check(&paths, &house));
    found.extend(house.iter().flat_map(files::check_mod));
    for folder in ["src", "tests", "benches"] {
        let sources = sources(folder);
        sources.iter().for_each(files::warn_of_length);
        found.extend(sources.iter().filter_map(files::check_length));
    }
    for (path, text) in texts() {
        found.extend(files::check_text(&path, &text));
        if path == "Cargo.lock" {
            found.extend(files::check_lock(&path, &text));
        }
    }
    found
}

/// Every text of the project: what git tracks is in these places.
fn texts() -> Vec<(String, String)> {
    // Of `fuzz` only what is written: a run leaves a target folder and a corpus beside it.
    const FOLDERS: &[&str] = &[
        ".cargo",
        ".ci",
        "apdu-scripts",
        "benches",
        "docs",
        "examples",
        "fuzz/fuzz_targets",
        "hardware",
        "src",
        "tests",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<(String, String)> =
        FOLDERS.iter().flat_map(|folder| read_tree_of(folder, "")).collect();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let is_text =
            path.extension().is_none_or(|ending| ["md", "toml", "lock"].iter().any(|text| ending == *text));
        if path.is_file() && is_text && path.file_name().is_some_and(|name| name != ".git") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            texts.push((name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()));
        }
    }
    texts
}

#[test]
fn the_house_is_tidy() {
    let findings = findings();
    let open: Vec<String> = findings
        .iter()
        .filter(|finding| !EXCEPTIONS.iter().any(|exception| finding.is_excepted(exception)))
        .map(|finding| format!("{}:{}: {:?}: {}", finding.path, finding.line, finding.rule, finding.what))
        .collect();
    assert!(open.is_empty(), "{} places are not tidy:\n{}", open.len(), open.join("\n"));
    for exception in EXCEPTIONS {
        let needed = findings.iter().any(|finding| finding.is_excepted(exception));
        assert!(needed, "the exception for {} is no longer needed: {}", exception.1, exception.3);
    }
}

#[test]
fn an_exception_covers_only_what_it_names() {
    let exception = (Rule::Name, "src/a.rs", "unsafe", "why");
    let finding =
        |rule, path: &str, what: &str| Finding { rule, path: path.into(), line: 1, what: what.into() };
    assert!(finding(Rule::Name, "src/a.rs", "`unsafe` may not").is_excepted(&exception));
    assert!(!finding(Rule::Name, "src/a.rs", "`println!` may not").is_excepted(&exception));
    assert!(!finding(Rule::Name, "src/b.rs", "`unsafe` may not").is_excepted(&exception));
    assert!(!finding(Rule::Mod, "src/a.rs", "`unsafe` may not").is_excepted(&exception));
}
