//! Names that may stand in one room only: clock, randomness, printing, sockets,
//! SQL engines, environment variables, `unsafe`, `unwrap`.

use super::source::{Source, words};
use super::{Finding, Rule};

/// What may not be written outside its rooms.
struct Banned {
    /// Sequences of code, matched whole word by whole word.
    names: &'static [&'static str],
    /// Crates: found where a path begins with one of them, and in `use NAME`.
    crates: &'static [&'static str],
    /// Beginnings of the paths of files where they may stand.
    rooms: &'static [&'static str],
    /// Whether tests are held to it too.
    tests_too: bool,
    /// What to do instead.
    instead: &'static str,
}

const BANNED: &[Banned] = &[
    Banned {
        names: &["SystemTime::now", "OsRng", "thread_rng", "OffsetDateTime::now_utc"],
        crates: &["getrandom"],
        rooms: &["src/base/env/os.rs"],
        tests_too: false,
        instead: "time and randomness come from `Context`",
    },
    Banned {
        names: &["Instant::now"],
        crates: &["tokio"],
        rooms: &["src/base/env/os.rs", "src/air/host/server"],
        tests_too: false,
        instead: "time comes from `Context`; only the host's server has timers",
    },
    Banned {
        names: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        crates: &[],
        rooms: &["src/doors/", "src/observers/report/"],
        tests_too: false,
        instead: "give an event or a value; `doors` and `observers/report` print",
    },
    Banned {
        names: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener"],
        crates: &["pcsc", "serialport"],
        rooms: &["src/air/link/", "src/air/host/"],
        tests_too: false,
        instead: "only `air/link` and `air/host` open sockets and readers",
    },
    Banned {
        names: &[],
        crates: &["rusqlite", "postgres", "sqlx"],
        rooms: &["src/base/store/"],
        tests_too: true,
        instead: "use the trait `store::Db`",
    },
    Banned {
        names: &[],
        crates: &["mlua"],
        rooms: &["src/observers/script/lua/"],
        tests_too: true,
        instead: "only the worker of `script/lua` holds an interpreter",
    },
    Banned {
        names: &["env::var", "env::var_os", "env::vars", "env::vars_os", "env::set_var", "env::remove_var"],
        crates: &[],
        rooms: &["src/doors/"],
        tests_too: false,
        instead: "`doors` reads the environment and hands on values",
    },
    Banned {
        names: &["unsafe", "unsafe_code"],
        crates: &[],
        rooms: &["src/doors/pcsclite/", "src/air/link/pcsc/loader.rs"],
        tests_too: true,
        instead: "only the PC/SC library's loader and its drop-in need it",
    },
    Banned {
        names: &[".unwrap(", ".expect(", ".unwrap_unchecked(", "panic!", "unreachable!"],
        crates: &[],
        rooms: &[],
        tests_too: false,
        instead: "return an error that says what was expected, what came and where",
    },
    Banned {
        names: &["todo!", "unimplemented!", "dbg!"],
        crates: &[],
        rooms: &[],
        tests_too: true,
        instead: "finish it, or leave it out",
    },
];

/// The findings of one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own_modules = own_modules(source);
    for banned in
        BANNED.iter().filter(|banned| !banned.rooms.iter().any(|room| source.path.starts_with(room)))
    {
        let code = if banned.tests_too { &source.code } else { &source.product };
        let names = banned.names.iter().flat_map(|name| named(code, name).map(move |at| (at, *name)));
        let foreign = banned.crates.iter().filter(|name| !own_modules.iter().any(|own| own == *name));
        let crates = foreign.flat_map(|name| begun_with(code, name).map(move |at| (at, *name)));
        for (at, name) in names.chain(crates) {
            let what = format!("`{name}` may not stand here: {}", banned.instead);
            findings.push(Finding::new(Rule::Name, source, source.line(at), what));
        }
    }
    findings
}

/// Where a sequence of code stands as whole words.
fn named<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back().is_some_and(is_word) && name.starts_with(is_word);
        let after = code[at + name.len()..].chars().next().is_some_and(is_word) && name.ends_with(is_word);
        !before && !after
    })
}

/// Where a path begins with this crate, or a `use` or `extern crate` names it.
fn begun_with<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    words(code).filter(move |(_, word)| *word == name).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].trim_end();
        let goes_on = code[at + name.len()..].trim_start().starts_with("::");
        let inside_a_path = before.strip_suffix("::").is_some_and(|head| {
            head.trim_end().ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>')
        });
        let imported = words(before).last().is_some_and(|(start, word)| {
            ["use", "crate"].contains(&word) && start + word.len() == before.len()
        });
        !inside_a_path && (goes_on || imported)
    })
}

/// Last segments of the crate's own paths in this file: a `pcsc::` after
/// `use crate::air::link::pcsc` is ours, not the crate of that name.
fn own_modules(source: &Source) -> Vec<String> {
    source.crate_paths().into_iter().filter_map(|path| path.segments.into_iter().next_back()).collect()
}

#[test]
fn a_name_outside_its_room_is_found() {
    let forbidden = [
        ("src/roles/card/mod.rs", "fn f() { let t = std::time::SystemTime::now(); }"),
        ("src/air/host/client.rs", "fn f() { let t = Instant::now(); }"),
        ("src/base/crypto/mod.rs", "fn f() { getrandom::fill(&mut b); }"),
        ("src/base/crypto/mod.rs", "use getrandom;"),
        ("src/world/mod.rs", "fn f() { println!(\"x\"); }"),
        ("src/roles/card/mod.rs", "fn f() { writeln!(std::io::stderr(), \"x\"); }"),
        ("src/world/mod.rs", "use std::net::{TcpStream, SocketAddr};"),
        ("src/doors/cli/readers.rs", "fn f() { pcsc::Context::establish(s); }"),
        ("src/doors/cli/readers.rs", "fn f() { ::pcsc::Context::establish(s); }"),
        ("src/roles/issuer/ledger.rs", "use rusqlite::Connection;"),
        ("src/roles/issuer/ledger.rs", "#[cfg(test)] mod tests { use rusqlite::Connection; }"),
        ("src/roles/issuer/ledger.rs", "use postgres as pg;"),
        ("src/observers/script/run/lua.rs", "use mlua::Lua;"),
        ("src/world/mod.rs", "fn f() { std::env::var(\"HOME\"); }"),
        ("src/base/bytes/hex.rs", "fn f() { unsafe { g() } }"),
        ("src/base/bytes/hex.rs", "#![allow(unsafe_code)]"),
        ("src/base/bytes/hex.rs", "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }"),
        ("src/base/bytes/hex.rs", "fn f() { g().unwrap(); }"),
        ("src/base/bytes/hex.rs", "fn f() { g()\n    .expect(\"why\"); }"),
        ("src/doors/cli/read.rs", "fn f() { todo!() }"),
        ("src/doors/cli/read.rs", "#[cfg(not(test))] fn f() { g().unwrap(); }"),
        ("src/doors/cli/read.rs", "#[cfg(test)] mod t { } fn f() { g().unwrap(); }"),
    ];
    for (path, text) in forbidden {
        assert!(!check(&Source::new(path, text)).is_empty(), "{path}: {text}: nothing found");
    }
}

#[test]
fn a_name_in_its_room_or_in_words_is_let_be() {
    let allowed = [
        ("src/base/env/os.rs", "fn f() { SystemTime::now(); getrandom::fill(b); }"),
        ("src/air/host/server.rs", "fn f() { Instant::now(); }"),
        ("src/doors/cli/read.rs", "fn f() { println!(\"x\"); std::env::var(\"X\"); }"),
        ("src/observers/report/story.rs", "fn f() { print!(\"x\"); }"),
        ("src/air/link/vpcd.rs", "use std::net::TcpStream;"),
        ("src/air/link/pcsc/mod.rs", "fn f() { pcsc::Context::establish(s); }"),
        ("src/doors/cli/readers.rs", "use crate::air::link::pcsc; fn f() { pcsc::list(); }"),
        ("src/doors/cli/readers.rs", "fn f() { crate::air::link::pcsc::list(); }"),
        (
            "src/base/bytes/hex.rs",
            "// unsafe println! x.unwrap()\n/// todo!\nconst A: &str = \"unsafe .unwrap()\";",
        ),
        ("src/base/bytes/hex.rs", "#[cfg(test)]\nmod tests { fn f() { g().unwrap(); println!(); } }"),
        ("src/base/bytes/hex.rs", "#[cfg(test)]\nfn helper() { g().unwrap(); }"),
        ("src/base/bytes/hex.rs", "fn f() { g().unwrap_or(0); h().expect_tag(); sprint!(); }"),
        (
            "src/base/bytes/hex.rs",
            "fn f<'a>(x: &'a u8) { let c = '\"'; let d = r#\"unsafe \"x\" .unwrap()\"#; }",
        ),
    ];
    for (path, text) in allowed {
        let findings = check(&Source::new(path, text));
        assert!(findings.is_empty(), "{path}: {text}: {findings:?}");
    }
}
