//! What is in `hardware/`: every reader's file parses, says where it is from and is listed, every
//! link on a page leads somewhere, and the rules are of udev's and polkit's grammar.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One reader's file; a key that is not here is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReaderFile {
    name: String,
    pattern: String,
    usb: Option<String>,
    interfaces: Vec<Interface>,
    #[serde(default)]
    driver: Driver,
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

/// What in Cardwright reaches it.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Driver {
    #[default]
    Pcsc,
    Pn532,
    None,
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
            file.driver == Driver::Pcsc || !file.quirk.is_empty(),
            "expected a quirk that says how to reach what is no PC/SC reader",
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

/// USB vendor and product, as `VVVV:PPPP`.
fn is_usb(text: &str) -> bool {
    let halves: Vec<&str> = text.split(':').collect();
    let is_id = |id: &&str| id.len() == 4 && u16::from_str_radix(id, 16).is_ok();
    halves.len() == 2 && halves.iter().all(is_id)
}

fn hardware() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hardware")
}

/// The files of a folder by their names, and what is in them.
fn files(folder: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(hardware().join(folder)).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn every_reader_file_is_sound_and_listed() {
    let page = fs::read_to_string(hardware().join("README.md")).unwrap();
    let mut names = BTreeSet::new();
    for (name, text) in files("readers") {
        let file = check(&text).unwrap_or_else(|wrong| panic!("hardware/readers/{name}: {wrong}"));
        assert!(page.contains(&format!("(readers/{name})")), "hardware/README.md does not list {name}");
        assert!(names.insert(file.name), "{name}: another file is of the same reader");
    }
    assert!(names.len() >= 15, "{names:?}");
}

/// Where the links of a page go to: `](...)`.
fn links(page: &str) -> Vec<&str> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere_and_every_file_is_linked() {
    let pages: Vec<_> = files(".").into_iter().filter(|(name, _)| name.ends_with(".md")).collect();
    let mut linked = BTreeSet::from(["README.md".to_owned()]);
    for (name, page) in &pages {
        for link in links(page).into_iter().filter(|link| !link.starts_with("https://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = hardware().join(file);
            assert!(path.exists(), "hardware/{name}: nothing is at ({link})");
            let has_heading = || {
                let text = fs::read_to_string(&path).unwrap();
                text.lines().any(|line| line.starts_with('#') && anchor(line.trim_matches('#')) == heading)
            };
            assert!(heading.is_empty() || has_heading(), "hardware/{name}: no heading for ({link})");
            linked.insert(file.to_owned());
        }
    }
    let inside = |folder: &str| files(folder).into_iter().map(move |(name, _)| name).collect::<Vec<_>>();
    let drawings = inside("drawings").into_iter().map(|name| format!("drawings/{name}"));
    for file in inside(".").into_iter().chain(drawings) {
        assert!(linked.contains(&file), "no page of hardware/ links {file}");
    }
}

#[test]
fn every_drawing_is_told_in_words_and_seen_in_the_dark() {
    let drawings = files("drawings");
    assert!(!drawings.is_empty());
    for (name, text) in drawings {
        for part in ["<title id=\"title\">", "<desc id=\"desc\">", "prefers-color-scheme: dark", "viewBox"] {
            assert!(text.contains(part), "hardware/drawings/{name} has no {part}");
        }
        // What it draws with is named in both colour schemes.
        let colour = |line: &&str| line.contains("fill: #") || line.contains("stroke: #");
        let (light, dark) = text.split_once("@media").unwrap();
        assert!(light.lines().any(|line| colour(&line)) && dark.lines().any(|line| colour(&line)), "{name}");
    }
}

/// A match or an assignment of a rule of udev.
struct Part {
    key: String,
    operator: String,
    value: String,
}

/// A line of udev's rules: matches and assignments.
fn udev_line(line: &str) -> Result<Vec<Part>, String> {
    const MATCHES: &[&str] = &["ACTION", "SUBSYSTEM", "KERNEL", "ATTR", "ATTRS", "ENV"];
    const SETS: &[&str] = &["TAG", "ENV", "GOTO", "LABEL", "MODE", "GROUP", "SYMLINK"];
    let mut parts = Vec::new();
    for part in line.split(", ") {
        let wrong = |what: &str| Err(format!("expected {what}, found {part:?}"));
        let Some((left, value)) = part.split_once('"') else { return wrong("a value in quotes") };
        let Some(value) = value.strip_suffix('"').filter(|value| !value.contains('"')) else {
            return wrong("one value in quotes");
        };
        let Some(at) = left.find(['=', '!', '+', ':']) else { return wrong("an operator") };
        let (key, operator) = left.split_at(at);
        let (name, attribute) = key.split_once('{').unwrap_or((key, ""));
        if key.contains('{') && (attribute.len() < 2 || !attribute.ends_with('}')) {
            return wrong("an attribute in braces");
        }
        let known = match operator {
            "==" | "!=" => MATCHES,
            "=" | "+=" | ":=" => SETS,
            _ => return wrong("==, !=, =, += or :="),
        };
        if !known.contains(&name) {
            return wrong("a key that goes with its operator");
        }
        parts.push(Part { key: key.into(), operator: operator.into(), value: value.into() });
    }
    Ok(parts)
}

/// The rules of a text by their lines, without comments.
fn udev_rules(text: &str) -> Result<Vec<Vec<Part>>, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rules: Vec<_> = lines.map(udev_line).collect::<Result<_, _>>()?;
    let named = |wanted: &str| {
        let parts = rules.iter().flatten().filter(move |part| part.key == wanted);
        parts.map(|part| &part.value).collect::<BTreeSet<_>>()
    };
    match named("GOTO") == named("LABEL") {
        true => Ok(rules),
        false => Err(format!("expected a label for each GOTO, found {:?}", named("LABEL"))),
    }
}

#[test]
fn the_rules_of_udev_are_of_its_grammar_and_name_the_adapters_of_the_page() {
    let rules = udev_rules(&fs::read_to_string(hardware().join("70-cardwright.rules")).unwrap()).unwrap();
    let matched = |rule: &[Part], wanted: &str| {
        let found = rule.iter().find(|part| part.key == wanted && part.operator == "==");
        found.map(|part| part.value.to_uppercase())
    };
    let adapters: BTreeSet<String> = rules
        .iter()
        .filter_map(|rule| {
            Some([matched(rule, "ATTRS{idVendor}")?, matched(rule, "ATTRS{idProduct}")?].join(":"))
        })
        .collect();
    let page = fs::read_to_string(hardware().join("pn532.md")).unwrap();
    let cells = page.split('|').map(str::trim).filter(|cell| is_usb(cell));
    assert_eq!(adapters, cells.map(str::to_owned).collect());
    assert!(adapters.len() >= 4, "{adapters:?}");
    for wrong in [
        "SUBSYSTEM=\"tty\"",
        "TAG==\"uaccess\"",
        "SUBSYSTEM==tty",
        "ATTRS{}==\"1a86\"",
        "SUBSYSTEM==\"tty\" TAG+=\"uaccess\"",
        "GOTO=\"nowhere\"",
        "SUBSYSTEM~=\"tty\"",
    ] {
        assert!(udev_rules(wrong).is_err(), "{wrong} passed");
    }
}

#[test]
fn the_rule_of_polkit_permits_both_actions_to_a_group_alone() {
    let text = fs::read_to_string(hardware().join("49-cardwright.rules")).unwrap();
    let code: String = text.lines().filter(|line| !line.starts_with("//")).collect();
    for (open, shut) in [('(', ')'), ('{', '}')] {
        assert_eq!(code.matches(open).count(), code.matches(shut).count(), "{open}{shut}");
    }
    for action in ["access_pcsc", "access_card"] {
        assert!(code.contains(&format!("action.id == \"org.debian.pcsc-lite.{action}\"")), "{action}");
    }
    let condition = code.find("subject.isInGroup(").unwrap();
    assert!(code.find("polkit.Result.YES").unwrap() > condition && code.matches("Result.YES").count() == 1);
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
        ("interfaces", "driver = 'usb'\ninterfaces"),
        ("instead = 'y'", ""),
        ("what =", "why = 'z'\nwhat ="),
    ] {
        assert!(check(&good.replacen(from, to, 1)).is_err(), "{from} -> {to} passed");
    }
    let unreachable = good.split("[[quirk]]").next().unwrap();
    assert!(check(unreachable).is_ok() && check(&format!("driver = 'none'\n{unreachable}")).is_err());
}
