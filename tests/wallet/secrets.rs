//! Nothing of a person or a card lies anywhere but in sealed columns: a number, name,
//! identity number, phone and PIN are planted in every flow, at the log's deepest level,
//! and then looked for in every byte that was written or said.

use crate::cli::{Desk, Said};
use crate::support::Skip;
use crate::support::postgres::PrivatePostgres;
use crate::support::served::Served;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAME: &str = "Ouyang Plantagenet";
const IDENTITY_NUMBER: &str = "440524188001010014";
const PHONE: &str = "13857904126";
const PIN: &str = "739184620517";

/// A text that must be nowhere, and what it is called.
struct Needle {
    name: String,
    bytes: Vec<u8>,
}

fn bcd(digits: &str, shift: bool) -> Vec<u8> {
    // The digits that fill whole bytes, with the number beginning at either nibble.
    let digits = if shift { &digits[1..] } else { digits };
    digits.as_bytes().as_chunks::<2>().0.iter().map(|[a, b]| (a - b'0') << 4 | (b - b'0')).collect()
}

/// A text as it is, in hexadecimal of either case, and its digits as BCD.
fn needles(what: &str, text: &str) -> Vec<Needle> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        ("text", text.as_bytes().to_vec()),
        ("hexadecimal", hex.to_uppercase().into_bytes()),
        ("hexadecimal in small letters", hex.into_bytes()),
    ];
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        all.extend([("BCD", bcd(text, false)), ("BCD from the second digit", bcd(text, true))]);
    }
    all.into_iter().map(|(form, bytes)| Needle { name: format!("{what} as {form}"), bytes }).collect()
}

fn find<'a>(haystack: &[u8], needles: &'a [Needle]) -> Vec<&'a str> {
    let mut starts = [false; 256];
    needles.iter().for_each(|needle| starts[usize::from(needle.bytes[0])] = true);
    let mut found = Vec::new();
    for (at, byte) in haystack.iter().enumerate() {
        if starts[usize::from(*byte)] {
            let here = needles.iter().filter(|needle| haystack[at..].starts_with(&needle.bytes));
            found.extend(here.map(|needle| needle.name.as_str()));
        }
    }
    found
}

/// Every file of a folder, and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(files(&path)),
            Ok(kind) if kind.is_file() => all.push(path),
            _ => {}
        }
    }
    all
}

/// The folder of everyone, and all that they said.
struct Witness {
    desk: Desk,
    said: Vec<u8>,
    store: Vec<String>,
    needles: Vec<Needle>,
}

/// What the test itself wrote down, so that the flows could be told.
const PLANTED: &[&str] = &["pin", "pan", "holder.toml", "code", "other-pan"];

impl Witness {
    /// A command that finds the vault's key whatever the store.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(arguments);
        command.env("CARDWRIGHT_TOKEN_KEY", self.desk.path("tokens.key"));
        command
    }

    fn run(&mut self, arguments: &[&str]) -> Said {
        let store: Vec<&str> = self.store.iter().map(String::as_str).collect();
        let arguments = [arguments, &store].concat();
        let output = self.command(&arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        let said = Said { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        self.said.extend([said.stdout.as_bytes(), said.stderr.as_bytes()].concat());
        said
    }

    fn ok(&mut self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:#?}");
        said.stdout
    }

    fn plant(&mut self, file: &str, text: &str) {
        std::fs::write(self.desk.path(file), text).unwrap();
    }

    /// Reads a card's number past the mask; what is said there is not looked at.
    fn pan_of(&self, card: &str) -> String {
        let store: Vec<&str> = self.store.iter().map(String::as_str).collect();
        let shown = self.desk.json(&[&["card", "show", card, "--unmask"], store.as_slice()].concat());
        shown["card"]["pan"].as_str().unwrap().to_owned()
    }

    fn new(store: Vec<String>) -> Self {
        let mut needles = needles("the name", NAME);
        needles.extend(self::needles("the identity number", IDENTITY_NUMBER));
        needles.extend(self::needles("the phone", PHONE));
        needles.extend(self::needles("the PIN", PIN));
        let block = format!("2C{PIN}FF");
        needles.push(Needle { name: "the PIN block".into(), bytes: block.clone().into_bytes() });
        needles.push(Needle {
            name: "the PIN block as BCD".into(),
            bytes: [&[0x2C], bcd(PIN, false).as_slice(), &[0xFF]].concat(),
        });
        Self { desk: Desk::new(), said: Vec::new(), store, needles }
    }

    /// Every flow of a phone.
    fn live(&mut self) {
        self.plant("pin", PIN);
        let holder = format!("name = {NAME:?}\nidentity_number = {IDENTITY_NUMBER:?}\nphone = {PHONE:?}\n");
        self.plant("holder.toml", &holder);
        self.ok(&["account", "open", "--balance", "500.00", "--id", "A1", "--holder", NAME]);
        self.ok(&["account", "holder", "A1", "--file", "holder.toml"]);
        self.ok(&["card", "new", "debit", "my.card", "--account", "A1", "--pin-file", "pin"]);
        let pan = self.pan_of("my.card");
        self.needles.extend(needles("the card's number", &pan));
        let track = format!("{pan}D");
        self.needles.push(Needle { name: "the track".into(), bytes: track.into_bytes() });
        self.plant("pan", &pan);
        // The card itself, with its PIN on the line.
        self.ok(&["inquire", "--reader", "sim:my.card", "--pin-file", "pin", "--save", "inquire.cwt"]);
        self.ok(&["pay", "1.00", "--reader", "sim:my.card", "--save", "card.cwt"]);

        let add = ["wallet", "add", "--pan-file", "pan", "--holder", "holder.toml", "--accept-terms"];
        assert_eq!(self.run(&add).code, 5);
        self.plant("code", "000000");
        assert_eq!(self.run(&[add.as_slice(), &["--code-file", "code", "--json"]].concat()).code, 5);
        let code = self.ok(&["wallet", "code", "--pan-file", "pan"]);
        self.plant("code", code.trim());
        self.ok(&[add.as_slice(), &["--code-file", "code"]].concat());
        self.ok(&["wallet", "pay", "2.00", "--save", "token.cwt"]);
        self.ok(&["wallet", "suspend"]);
        assert_eq!(self.run(&["wallet", "pay", "3.00", "--save", "suspended.cwt"]).code, 1);
        self.ok(&["wallet", "resume", "--json"]);
        self.ok(&["wallet", "renew"]);
        self.ok(&["wallet", "show", "--json"]);

        self.ok(&["wallet", "open-ecash", "50.00", "--account", "A1", "--pin-file", "pin"]);
        self.ok(&["wallet", "pay", "12.50", "--card", "ecash-1", "--save", "ecash.cwt"]);
        self.ok(&["wallet", "close-ecash", "ecash-1", "--pin-file", "pin", "--save", "close.cwt"]);
        self.ok(&["wallet", "list", "--json"]);
        self.ok(&["host", "journal", "--card", &pan[pan.len() - 4..]]);
    }

    /// The same over the wire, at the log's deepest level; looks while the server has the
    /// books open, so that their log of writes is there too.
    fn serve(&mut self) {
        self.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
        let store: Vec<&str> = self.store.iter().map(String::as_str).collect();
        let serve = ["host", "serve", "--listen", "127.0.0.1:0", "--tokens", "--log", "all"];
        let server = Served::start(self.command(&[serve.as_slice(), &store].concat())).unwrap();
        let address = server.address.clone();
        // The books are the server's now; the key of the phone and the card stays.
        let kept = self.store.clone();
        self.store.drain(..self.store.len().min(2));
        self.ok(&["wallet", "pay", "4.00", "--host", &address, "--save", "remote.cwt"]);
        self.ok(&[
            "inquire",
            "--reader",
            "sim:my.card",
            "--pin-file",
            "pin",
            "--host",
            &address,
            "--save",
            "far.cwt",
        ]);
        self.store = kept;
        self.look("while the server runs");
        let (_, log) = server.end().unwrap();
        assert!(log.contains("Tap Passed"), "{log}");
        self.said.extend(log.as_bytes());
    }

    fn look(&self, when: &str) {
        let found = find(&self.said, &self.needles);
        assert!(found.is_empty(), "{when}, said: {found:?}");
        self.look_in(&self.desk.path(""), when);
    }

    fn look_in(&self, folder: &Path, when: &str) {
        let mut looked_at = 0;
        for path in files(folder) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if PLANTED.contains(&name.as_str()) && path.parent() == self.desk.path("pin").parent() {
                continue;
            }
            // What a server removes meanwhile holds nothing.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            looked_at += bytes.len();
            let found = find(&bytes, &self.needles);
            assert!(found.is_empty(), "{when}, {}: {found:?}", path.display());
        }
        assert!(looked_at > 10_000, "{when}: only {looked_at} bytes in {}", folder.display());
    }
}

/// A check that cannot fail is none: each form of each text is found where it is.
#[test]
fn what_is_planted_is_found() {
    let witness = Witness::new(Vec::new());
    for needle in &witness.needles {
        let haystack = [&[0xFF, 0x00], needle.bytes.as_slice(), &[0x0A]].concat();
        assert!(find(&haystack, &witness.needles).contains(&needle.name.as_str()), "{}", needle.name);
    }
    assert_eq!(bcd("123456", false), [0x12, 0x34, 0x56]);
    assert_eq!(bcd("123456", true), [0x23, 0x45]);
}

#[test]
fn nothing_planted_lies_in_sqlite_logs_traces_or_state() {
    let mut witness = Witness::new(Vec::new());
    witness.live();
    witness.look("after every flow");
    witness.serve();
    witness.look("at the end");
}

#[test]
fn nothing_planted_lies_in_postgresql() {
    let server = match PrivatePostgres::start(false) {
        Ok(server) => server,
        Err(Skip(reason)) if crate::support::is_required() => panic!("PostgreSQL is required, but {reason}"),
        Err(Skip(reason)) => {
            println!("not run: {reason}");
            return;
        }
    };
    let store = ["--store", &server.address(), "--seal-key", "seal.key"].map(str::to_owned);
    let mut witness = Witness::new(store.to_vec());
    witness.live();
    witness.serve();
    witness.look("at the end");
    witness.look_in(server.folder(), "in PostgreSQL's folder");
}
