//! Runs `tests/vectors/*.toml`: each `[[vector]]` is a test `vector::FILE::NAME`.
//!
//! A file says its `source`; a vector may say its own. Keys of `[common]` serve
//! every vector of the file that asks for them; a key of a vector that nothing
//! asked for, an unknown kind and a missing key each fail the test.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use toml::{Table, Value};

use super::vector_kinds::run_kind;

/// A trial for every vector of the folder, and one for every file that cannot be read.
pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut trials = match files_of(&folder) {
        Ok(files) => files.iter().flat_map(|path| trials_of(path)).collect(),
        Err(why) => vec![failing("vector", format!("{}: {why}", folder.display()))],
    };
    trials.extend(self_tests());
    trials
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err("no vector file".into()) } else { Ok(files) }
}

fn trials_of(path: &Path) -> Vec<Trial> {
    let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let vectors =
        fs::read_to_string(path).map_err(|error| error.to_string()).and_then(|text| vectors_of(&text));
    match vectors {
        Ok(vectors) => vectors
            .into_iter()
            .map(|vector| {
                let name = format!("vector::{file}::{}", vector.name);
                Trial::test(name, move || run(&vector).map_err(Failed::from))
            })
            .collect(),
        Err(why) => vec![failing(&format!("vector::{file}"), why)],
    }
}

fn failing(name: &str, why: String) -> Trial {
    Trial::test(name, move || Err(Failed::from(why)))
}

/// One vector: its own keys, and those of `[common]`.
pub(crate) struct Vector {
    name: String,
    source: String,
    own: Table,
    common: Table,
    asked: RefCell<BTreeSet<String>>,
}

impl Vector {
    /// The hexadecimal bytes of `key`.
    pub(crate) fn hex(&self, key: &str) -> Result<Vec<u8>, String> {
        let text = self.text(key)?;
        cardwright::base::bytes::parse_hex(&text).map_err(|error| format!("{key}: {error}"))
    }

    /// The hexadecimal bytes of `key`, exactly `N`.
    pub(crate) fn array<const N: usize>(&self, key: &str) -> Result<[u8; N], String> {
        let bytes = self.hex(key)?;
        bytes.as_slice().try_into().map_err(|_| format!("{key}: expected {N} bytes, found {}", bytes.len()))
    }

    /// The text of `key`.
    pub(crate) fn text(&self, key: &str) -> Result<String, String> {
        match self.value(key) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(format!("{key}: expected a text, found {other}")),
            None => Err(format!("missing key {key}")),
        }
    }

    /// The text of `key`, if it is there.
    pub(crate) fn text_if_any(&self, key: &str) -> Result<Option<String>, String> {
        if self.value(key).is_some() { self.text(key).map(Some) } else { Ok(None) }
    }

    /// The hexadecimal bytes of a table's entry, looked up without regard to case.
    pub(crate) fn entry(&self, key: &str, name: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(Value::Table(table)) = self.value(key) else { return Err(format!("missing table {key}")) };
        let Some((_, value)) = table.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| format!("{key}.{name}: expected a text"))?;
        cardwright::base::bytes::parse_hex(text).map(Some).map_err(|error| format!("{key}.{name}: {error}"))
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.own.get(key).or_else(|| self.common.get(key)).cloned()
    }
}

fn vectors_of(text: &str) -> Result<Vec<Vector>, String> {
    let mut file: Table = text.parse().map_err(|error| format!("{error}"))?;
    let source = match file.remove("source") {
        Some(Value::String(source)) if !source.is_empty() => source,
        _ => return Err("missing key source: say where the vectors come from".into()),
    };
    let common = match file.remove("common") {
        Some(Value::Table(common)) => common,
        None => Table::new(),
        Some(_) => return Err("common: expected a table".into()),
    };
    let Some(Value::Array(vectors)) = file.remove("vector") else {
        return Err("missing [[vector]]".into());
    };
    if let Some(key) = file.keys().next() {
        return Err(format!("unknown key {key} at the top of the file"));
    }
    let mut names = BTreeSet::new();
    if vectors.is_empty() {
        return Err("no vector in the file".into());
    }
    vectors
        .into_iter()
        .map(|value| {
            let Value::Table(mut own) = value else { return Err("expected [[vector]] tables".to_owned()) };
            let Some(Value::String(name)) = own.remove("name") else {
                return Err("a vector without name".to_owned());
            };
            if !names.insert(name.clone()) {
                return Err(format!("two vectors named {name}"));
            }
            let source = match own.remove("source") {
                Some(Value::String(own_source)) => own_source,
                _ => source.clone(),
            };
            Ok(Vector { name, source, own, common: common.clone(), asked: RefCell::default() })
        })
        .collect()
}

fn run(vector: &Vector) -> Result<(), String> {
    let kind = vector.text("kind")?;
    let expected = vector.hex("expect")?;
    let found = run_kind(&kind, vector)?;
    if expected.is_empty() || found != expected {
        return Err(format!(
            "expected {}, found {}\nsource: {}",
            cardwright::base::bytes::Hex(&expected),
            cardwright::base::bytes::Hex(&found),
            vector.source
        ));
    }
    match vector.own.keys().find(|key| !vector.asked.borrow().contains(*key)) {
        Some(key) => Err(format!("kind {kind} does not use key {key}")),
        None => Ok(()),
    }
}

/// The runner can fail: each of these vectors is wrong in one way.
fn self_tests() -> Vec<Trial> {
    const RIGHT: &str = "source = 'self-test'\n[[vector]]\nname = 'v'\nkind = 'mac_algorithm_3'\n\
        key = 'AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB'\ndata = '68656C6C6F20776F726C64'\npadding = '2'\n\
        expect = '2BC2D9EDE0CF31F6'\n";
    let outcome = |text: String| vectors_of(&text).and_then(|vectors| vectors.iter().try_for_each(run));
    let must_fail = move |name: &str, text: String, because: &'static str| {
        Trial::test(format!("vector_runner::{name}"), move || match outcome(text.clone()) {
            Err(why) if why.contains(because) => Ok(()),
            Err(why) => Err(Failed::from(format!("failed for another reason: {why}"))),
            Ok(()) => Err(Failed::from("a wrong vector passed")),
        })
    };
    vec![
        Trial::test("vector_runner::the_right_vector_passes", move || {
            outcome(RIGHT.into()).map_err(Failed::from)
        }),
        must_fail("a_wrong_value_fails", RIGHT.replace("31F6", "31F7"), "expected 2BC2"),
        must_fail("a_shortened_value_fails", RIGHT.replace("31F6", ""), "expected 2BC2"),
        must_fail("an_empty_value_fails", RIGHT.replace("2BC2D9EDE0CF31F6", ""), "expected"),
        must_fail("an_unknown_kind_fails", RIGHT.replace("mac_algorithm_3", "tarot"), "unknown kind tarot"),
        must_fail("a_missing_key_fails", RIGHT.replace("padding = '2'", ""), "missing key padding"),
        must_fail("an_unused_key_fails", RIGHT.replace("expect", "spare = '00'\nexpect"), "use key spare"),
        must_fail("a_vector_without_source_fails", RIGHT.replace("source", "origin"), "missing key source"),
        must_fail("two_of_one_name_fail", format!("{RIGHT}[[vector]]\nname = 'v'\n"), "two vectors named v"),
    ]
}
