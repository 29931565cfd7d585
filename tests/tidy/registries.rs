//! A file in a registry folder has its row in the registry, or no one will find it.

use super::source::{Source, matching, words};
use super::{Finding, Rule};

/// A folder whose every file is one row of a list.
struct Registry {
    /// The folder; each file or folder directly in it wants a row.
    folder: &'static str,
    /// How the files end.
    ending: &'static str,
    /// The room the list stands in; any file directly in it may hold the list.
    room: &'static str,
    /// The names of the constant slices that may hold the row.
    lists: &'static [&'static str],
    /// What the code of a file holds that wants a row; nothing named, and every file does.
    marks: &'static [&'static str],
}

const fn registry(
    folder: &'static str,
    ending: &'static str,
    room: &'static str,
    lists: &'static [&'static str],
) -> Registry {
    Registry { folder, ending, room, lists, marks: &[] }
}

/// Drivers live beside the traits and the wrappers, which have no row.
const DRIVERS: Registry = Registry {
    marks: &["Reader for", "Target for"],
    ..registry("src/air/link/", ".rs", "src/air/link/", &["READERS", "TARGETS"])
};

const REGISTRIES: &[Registry] = &[
    registry("src/roles/card/profile/", ".toml", "src/roles/card/", &["PROFILES"]),
    registry("src/roles/card/application/", ".rs", "src/roles/card/", &["APPLICATIONS"]),
    registry("src/roles/terminal/kernel/", ".rs", "src/roles/terminal/", &["KERNELS"]),
    DRIVERS,
    registry("src/air/link/pn532/command/", ".rs", "src/air/link/pn532/", &["COMMANDS"]),
    registry("src/words/iso7816/command/", ".rs", "src/words/iso7816/", &["COMMANDS"]),
    registry("src/words/emv/command/", ".rs", "src/words/emv/", &["COMMANDS"]),
    registry("src/words/globalplatform/command/", ".rs", "src/words/globalplatform/", &["COMMANDS"]),
    registry("src/words/pboc/command/", ".rs", "src/words/pboc/", &["COMMANDS"]),
    registry("src/words/pboc/city/", ".toml", "src/words/pboc/", &["CITIES"]),
    registry("src/words/iso8583/dialect/", ".toml", "src/words/iso8583/", &["DIALECTS"]),
    registry("src/air/trace/import/", ".rs", "src/air/trace/", &["IMPORTERS"]),
    registry(
        "src/roles/issuer/reconciliation/statement/",
        ".toml",
        "src/roles/issuer/reconciliation/",
        &["STATEMENTS"],
    ),
    registry("src/observers/script/function/", ".rs", "src/observers/script/", &["FUNCTIONS"]),
    registry("src/observers/report/", ".rs", "src/observers/report/", &["FORMATS"]),
    registry("src/doors/cli/", ".rs", "src/doors/cli/", &["COMMANDS"]),
];

/// The findings of the whole tree: all paths under `src/`, and its Rust files.
pub(crate) fn check(paths: &[String], sources: &[Source]) -> Vec<Finding> {
    REGISTRIES.iter().flat_map(|registry| check_one(registry, paths, sources)).collect()
}

fn check_one(registry: &Registry, paths: &[String], sources: &[Source]) -> Vec<Finding> {
    let rows: Vec<&str> = sources
        .iter()
        .filter(|source| is_beside(&source.path, registry))
        .flat_map(|source| registry.lists.iter().filter_map(|list| slice(source, list)))
        .collect();
    let list = registry.lists.join(" or ");
    let wants_a_row = paths.iter().filter_map(|path| Some((path, entry(path, registry)?)));
    wants_a_row
        .filter(|(path, _)| is_marked(path, registry, sources))
        .filter(|(_, entry)| !rows.iter().any(|rows| names(rows, entry, registry.ending)))
        .map(|(path, entry)| Finding {
            rule: Rule::Registry,
            path: path.clone(),
            line: 1,
            what: format!("`{entry}` has no row in {list} of {}", registry.room),
        })
        .collect()
}

/// Whether the code of a file is of the kind that wants a row.
fn is_marked(path: &str, registry: &Registry, sources: &[Source]) -> bool {
    // A `mod.rs` stands for its folder.
    let folder = path.strip_suffix("mod.rs").unwrap_or(path);
    let mut code =
        sources.iter().filter(|source| source.path.starts_with(folder)).map(|source| &source.product);
    registry.marks.is_empty() || code.any(|code| registry.marks.iter().any(|mark| code.contains(mark)))
}

/// Whether a file may hold the list: it is in the room itself, or in the registry folder's mod.rs.
fn is_beside(path: &str, registry: &Registry) -> bool {
    let in_room = path.strip_prefix(registry.room).is_some_and(|rest| !rest.contains('/'));
    in_room || path == format!("{}mod.rs", registry.folder)
}

/// The name that a file must have in the list: its stem, or the folder it is the `mod.rs` of.
fn entry<'a>(path: &'a str, registry: &Registry) -> Option<&'a str> {
    let rest = path.strip_prefix(registry.folder)?.strip_suffix(registry.ending)?;
    match rest.split_once('/') {
        None if rest == "mod" => None,
        None => Some(rest),
        Some((folder, "mod")) => Some(folder),
        Some(_) => None,
    }
}

/// The text of a constant or static slice, from its name to its closing bracket.
fn slice<'a>(source: &'a Source, list: &str) -> Option<&'a str> {
    let mut last = "";
    for (at, word) in words(&source.product) {
        if word == list && ["const", "static"].contains(&last) {
            let equals = at + source.product[at..].find('=')?;
            let open = equals + source.product[equals..].find('[')?;
            let end = matching(&source.product, open)?;
            return source.text.get(open..end);
        }
        last = word;
    }
    None
}

/// Whether rows name an entry: `read`, `read::COMMAND`, `Row::of::<Read>()`; a file that
/// is no code by its file name, `"profile/ecash.toml"`, or in quotes, `"ecash"`.
fn names(rows: &str, entry: &str, ending: &str) -> bool {
    if ending != ".rs" {
        return [format!("\"{entry}{ending}\""), format!("/{entry}{ending}\""), format!("\"{entry}\"")]
            .iter()
            .any(|name| rows.contains(name));
    }
    let plain = entry.replace('_', "");
    words(rows).any(|(_, word)| word.replace('_', "").eq_ignore_ascii_case(&plain))
}

#[test]
fn a_file_without_its_row_is_found() {
    let rows = "pub(crate) const COMMANDS: &[Command] = &[read::COMMAND, Row::of::<GenerateAc>(),];";
    let sources = [
        Source::new("src/doors/cli/mod.rs", rows),
        Source::new("src/words/emv/mod.rs", rows),
        Source::new("src/air/link/mod.rs", "pub const READERS: &[Row] = &[pcsc::ROW];"),
        Source::new("src/air/link/pcsc/mod.rs", "mod reader;"),
        Source::new("src/air/link/pcsc/reader.rs", "impl Reader for Pcsc {}"),
        Source::new("src/air/link/pn532/reader.rs", "impl Reader for Pn532 {}"),
        Source::new("src/air/link/vpcd.rs", "impl Target for Vpcd {}"),
        Source::new("src/air/link/fault.rs", "impl Card for Fault {}"),
        Source::new(
            "src/roles/card/profile.rs",
            "static PROFILES: &[(&str, &str)] = &[P(\"x\", \"profile/ecash-dual.toml\")];",
        ),
    ];
    let found = |path: &str| !check(&[path.into()], &sources).is_empty();
    assert!(!found("src/doors/cli/mod.rs"), "the list itself wants no row");
    assert!(!found("src/doors/cli/read.rs"));
    assert!(!found("src/doors/cli/read/mod.rs"));
    assert!(!found("src/doors/cli/read/table.rs"), "what a row keeps to itself wants none");
    assert!(!found("src/words/emv/command/generate_ac.rs"));
    assert!(!found("src/roles/card/profile/ecash-dual.toml"));
    assert!(found("src/doors/cli/load.rs"), "not in the list");
    assert!(found("src/doors/cli/load/mod.rs"), "not in the list");
    assert!(found("src/words/emv/command/get.rs"), "part of a name is no row");
    assert!(found("src/roles/card/profile/ecash.toml"), "part of a name is no row");
    assert!(!found("src/air/link/pcsc/mod.rs"));
    assert!(!found("src/air/link/fault.rs"), "a wrapper is no driver");
    assert!(found("src/air/link/pn532/mod.rs"), "a folder whose driver is not in the list");
    assert!(found("src/air/link/vpcd.rs"), "a driver not in the list");
    assert!(found("src/roles/terminal/kernel/qpboc.rs"), "there is no list");
}
