//! Every file of `hardware/readers/` parses, says where it is from, and is listed.

use std::path::Path;

use serde::Deserialize;

/// One reader's file; a key that is not here is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReaderFile {
    name: String,
    pattern: String,
    usb: Option<String>,
    interfaces: Vec<Interface>,
    #[allow(dead_code, reason = "its type is what is checked")]
    extended_length: Option<bool>,
    sources: Vec<String>,
    #[serde(default)]
    quirk: Vec<Quirk>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Interface {
    Contact,
    Contactless,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quirk {
    what: String,
    instead: String,
}

/// What is wrong with a reader's file.
fn check(text: &str) -> Result<ReaderFile, String> {
    let file: ReaderFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let is_usb = |usb: &str| {
        let halves: Vec<&str> = usb.split(':').collect();
        halves.len() == 2 && halves.iter().all(|id| id.len() == 4 && u16::from_str_radix(id, 16).is_ok())
    };
    let checks = [
        (!file.name.is_empty() && !file.pattern.is_empty(), "expected a name and a pattern"),
        (!file.interfaces.is_empty(), "expected at least one interface"),
        (file.usb.as_deref().is_none_or(is_usb), "expected usb as VVVV:PPPP"),
        (!file.sources.is_empty(), "expected at least one source"),
        (
            file.sources.iter().all(|source| source.starts_with("https://")),
            "expected sources as https addresses",
        ),
        (
            file.quirk.iter().all(|quirk| !quirk.what.is_empty() && !quirk.instead.is_empty()),
            "expected words in a quirk",
        ),
    ];
    match checks.iter().find(|(holds, _)| !holds) {
        Some((_, expected)) => Err((*expected).into()),
        None => Ok(file),
    }
}

#[test]
fn every_reader_file_is_sound_and_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hardware");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("readers")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Err(wrong) = check(&std::fs::read_to_string(&path).unwrap()) {
            panic!("hardware/readers/{name}: {wrong}");
        }
        assert!(page.contains(&format!("(readers/{name})")), "hardware/README.md does not list {name}");
        count += 1;
    }
    assert!(count > 0, "there is no reader's file");
}

#[test]
fn a_wrong_file_is_found() {
    let good = "name = 'A'\npattern = 'a'\nusb = '072F:2200'\ninterfaces = ['contact']\n\
                sources = ['https://example.org']\n[[quirk]]\nwhat = 'x'\ninstead = 'y'\n";
    assert!(check(good).is_ok());
    for (from, to) in [
        ("pattern = 'a'", ""),
        ("'a'", "''"),
        ("['contact']", "[]"),
        ("contact", "optical"),
        ("072F:2200", "072F2200"),
        ("https", "ftp"),
        ("['https://example.org']", "[]"),
        ("instead = 'y'", ""),
        ("what =", "why = 'z'\nwhat ="),
    ] {
        assert!(check(&good.replacen(from, to, 1)).is_err(), "{from} -> {to} passed");
    }
}
