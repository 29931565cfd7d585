//! The rule of the house: a room uses rooms on lower floors, and on its own floor
//! only those left of a `<`.

use super::source::{Source, words};
use super::{Finding, Rule};

/// A floor and its rooms: groups from lowest to highest, as `<` orders them.
/// Rooms of one group never import each other.
struct Floor {
    name: &'static str,
    groups: &'static [&'static [&'static str]],
}

/// The house, lowest floor first. A floor without groups is one room.
const FLOORS: &[Floor] = &[
    Floor { name: "base", groups: &[&["bytes", "env"], &["crypto"], &["event"], &["context"], &["store"]] },
    Floor {
        name: "words",
        groups: &[
            &["tlv", "iso4217"],
            &["iso7816", "iso14443", "iso18092", "ndef", "dictionary"],
            &["iso8583", "emv", "globalplatform", "transfer"],
            &["pboc"],
            &["decode"],
        ],
    },
    Floor { name: "air", groups: &[&["link", "host"], &["trace"]] },
    Floor { name: "roles", groups: &[&["terminal", "card", "issuer", "token", "p2p", "bureau"]] },
    Floor { name: "devices", groups: &[&["wallet", "gate"]] },
    Floor { name: "world", groups: &[] },
    Floor { name: "observers", groups: &[&["script", "report"], &["campaign"]] },
    Floor { name: "doors", groups: &[&["testing", "pcsclite", "cli"]] },
];

/// Rooms that may see less than their floor: the room, and the only words it may use.
const NARROW: &[(&str, &str, &[&str])] = &[("air", "link", &["iso7816", "iso14443", "iso18092"])];

/// Where a file or a path is: the floor's number, its name, and the room, if it names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    height: usize,
    floor: &'static str,
    room: Option<&'a str>,
}

/// The findings of one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, what: String| findings.push(Finding::new(Rule::Floor, source, line, what));

    for (offset, word) in words(&source.code) {
        let before = source.code[..offset].trim_end().strip_suffix("::");
        if word == "super" && before.is_some_and(|before| before.trim_end().ends_with("super")) {
            find(source.line(offset), "super::super: name the room from `crate` instead".into());
        }
    }
    let module = source.module();
    let is_root = matches!(source.path.as_str(), "src/lib.rs" | "src/main.rs");
    let here = place(&module);
    if here.is_none() && !is_root {
        find(1, "this file is in no room of the table in tests/tidy/floors.rs".into());
    }
    for path in source.crate_paths() {
        let Some(there) = place(&path.segments) else {
            find(
                path.line,
                format!("crate::{} names no floor or room of the table", path.segments.join("::")),
            );
            continue;
        };
        // `lib.rs` only declares the floors; `main.rs` only opens the door.
        let allowed = match here {
            Some(here) => may_use(here, there),
            None => is_root && there.floor == "doors",
        };
        if !allowed {
            let (path, here, line) = (path.segments.join("::"), module.join("::"), path.line);
            find(line, format!("crate::{path} from {here}: the way goes down, and left of a `<`"));
        }
    }
    findings
}

/// The place of a module or of a path, if the house has it.
fn place(segments: &[String]) -> Option<Place<'_>> {
    let first = segments.first()?;
    let (height, floor) = FLOORS.iter().enumerate().find(|(_, floor)| floor.name == first)?;
    // A floor without rooms is one room: what is inside it is its own business.
    let room = segments.get(1).map(String::as_str).filter(|_| !floor.groups.is_empty());
    match room {
        Some(room) if group(floor, room).is_none() => None,
        _ => Some(Place { height, floor: floor.name, room }),
    }
}

/// The number of the group a room is in.
fn group(floor: &Floor, room: &str) -> Option<usize> {
    floor.groups.iter().position(|group| group.contains(&room))
}

/// Whether the rule lets `here` name `there`.
fn may_use(here: Place<'_>, there: Place<'_>) -> bool {
    let narrow = NARROW.iter().find(|(floor, room, _)| here.floor == *floor && here.room == Some(room));
    if let Some((_, _, words)) = narrow
        && there.floor == "words"
    {
        return there.room.is_some_and(|room| words.contains(&room));
    }
    if there.height != here.height {
        return there.height < here.height;
    }
    let floor = &FLOORS[here.height];
    match (here.room, there.room) {
        _ if floor.groups.is_empty() => true,
        (Some(here), Some(there)) => here == there || group(floor, there) < group(floor, here),
        // The floor's own mod.rs names its rooms; a room never names its whole floor.
        (None, _) => true,
        (Some(_), None) => false,
    }
}

#[test]
fn the_way_goes_down() {
    let allowed = [
        ("src/air/link/pcsc/mod.rs", "use crate::words::iso7816::{Atr, CommandApdu};"),
        ("src/air/link/pcsc/mod.rs", "use super::Card; use crate::base::{bytes::Hex, context::Context};"),
        ("src/words/emv/tvr.rs", "use crate::words::tlv::Tag;"),
        ("src/world/seat.rs", "use crate::world::Seat; use crate::roles::{card, terminal};"),
        ("src/main.rs", "fn main() { cardwright::doors::cli::run() }"),
        ("src/words/tlv/mod.rs", "mod tests { use super::*; }"),
        ("src/words/tlv/mod.rs", "// crate::roles::card\nconst A: &str = \"crate::roles::card\";"),
    ];
    for (path, text) in allowed {
        let findings = check(&Source::new(path, text));
        assert!(findings.is_empty(), "{path}: {text}: {findings:?}");
    }
}

#[test]
fn every_other_way_is_found() {
    let forbidden = [
        ("up", "src/base/bytes/hex.rs", "use crate::words::tlv::Tag;"),
        ("outside a use line", "src/words/tlv/tag.rs", "fn f() -> crate::roles::card::Card {}"),
        ("in a group", "src/roles/card/mod.rs", "use crate::{base::bytes::Hex, roles::{terminal::drive}};"),
        (
            "over several lines",
            "src/roles/card/mod.rs",
            "use crate::\n    roles::{\n  card::A,\n  issuer::B,\n};",
        ),
        ("a neighbour", "src/base/bytes/hex.rs", "use crate::base::env::Clock;"),
        ("right of a `<`", "src/words/tlv/mod.rs", "use crate::words::emv::Tvr;"),
        ("by super out of the room", "src/air/link/mod.rs", "use super::host::Host;"),
        ("a whole floor", "src/roles/card/mod.rs", "use crate::roles;"),
        ("a glob of the crate", "src/roles/card/mod.rs", "use crate::*;"),
        ("a payment word on the link", "src/air/link/pcsc/mod.rs", "use crate::words::emv::Aip;"),
        ("all words on the link", "src/air/link/pcsc/mod.rs", "use crate::words;"),
        ("no room", "src/base/helpers.rs", ""),
        ("no floor", "src/util/mod.rs", ""),
        ("something re-exported at the root", "src/roles/card/mod.rs", "use crate::Terminal;"),
        ("main past the door", "src/main.rs", "fn main() { cardwright::roles::card::run() }"),
        ("in a test", "src/base/bytes/hex.rs", "#[cfg(test)] mod tests { use crate::roles::card::Card; }"),
        ("super::super", "src/words/emv/command/select.rs", "use super :: super::Aid;"),
        (
            "a path in a macro",
            "src/base/bytes/bits.rs",
            "macro_rules! m { () => { $crate::roles::card::X }; }",
        ),
    ];
    for (name, path, text) in forbidden {
        let findings = check(&Source::new(path, text));
        assert!(
            findings.iter().any(|finding| finding.rule == Rule::Floor),
            "{name}: {path}: {text}: nothing found"
        );
    }
}
