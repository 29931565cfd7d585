//! Which status words a command can come to, read from the source of the card's room for purses:
//! the function that answers it, and every function of that room which it calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// A function of the room.
struct Function {
    module: String,
    name: String,
    is_method: bool,
    text: String,
}

/// A function by its place among all.
type At = usize;

/// The commands whose answering function has no typed command to tell them by.
const UNTYPED: &[(&str, &[&str])] = &[
    ("get_challenge", &["GET CHALLENGE"]),
    ("block", &["APPLICATION BLOCK", "APPLICATION UNBLOCK", "CARD BLOCK"]),
];
/// What reading a command from its APDU may come to (`simulator.rs`).
const READ: &[&str] = &["WRONG_P1P2", "WRONG_LENGTH"];

/// Status words by command name, as four digits; `63Cx` and `6Cxx` stand for their families.
pub(super) fn reachable() -> BTreeMap<String, BTreeSet<String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let words = constants(&read(&source.join("words/iso7816/status_word.rs")));
    let room = source.join("roles/card/purse");
    let mut files: Vec<PathBuf> = room.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(source.join("roles/card/record.rs"));
    let functions: Vec<Function> = files.iter().flat_map(|file| functions(file)).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in read(&room.join("commands.rs")).lines() {
        let Some((_, call)) = line.split_once(" => ") else { continue };
        let Some((module, rest)) = call.split_once("::") else { continue };
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        let Some(at) = functions.iter().position(|f| (f.module.as_str(), f.name.as_str()) == (module, name))
        else {
            continue;
        };
        let mut status = closure(at, &functions, &words);
        if arguments.contains("read(apdu)") {
            status.extend(READ.iter().map(|name| words[*name].clone()));
        }
        for command in commands(&functions[at]) {
            found.entry(command).or_default().extend(status.iter().cloned());
        }
    }
    assert!(found.len() > 25, "the dispatch of commands.rs was not understood: {:?}", found.keys());
    found
}

/// The names of what a function answers, by the type of its command.
fn commands(function: &Function) -> Vec<String> {
    if let Some((_, names)) = UNTYPED.iter().find(|(name, _)| *name == function.name) {
        return names.iter().map(|name| (*name).to_owned()).collect();
    }
    let (_, rest) = function.text.split_once("command: &").unwrap_or_else(|| panic!("{}", function.text));
    let kind: String = rest.chars().take_while(|letter| letter.is_alphanumeric()).collect();
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.push(letter.to_ascii_uppercase());
    }
    vec![name]
}

/// The status words of a function and of all that it calls.
fn closure(begin: At, functions: &[Function], words: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (mut seen, mut status) = (BTreeSet::from([begin]), BTreeSet::new());
    let mut queue = VecDeque::from([begin]);
    while let Some(at) = queue.pop_front() {
        let text = &functions[at].text;
        for (index, _) in text.match_indices("StatusWord::") {
            let name: String = text[index + 12..].chars().take_while(|c| is_word(*c)).collect();
            status.extend(words.get(&name).cloned());
        }
        for (sign, word) in [
            ("ResponseApdu::ok(", "9000"),
            ("Refusal::state(", "6985"),
            ("tries_left(", "63Cx"),
            ("StatusWord(0x6C00", "6Cxx"),
        ] {
            status.extend(text.contains(sign).then(|| word.to_owned()));
        }
        for callee in callees(&functions[at], functions) {
            if seen.insert(callee) {
                queue.push_back(callee);
            }
        }
    }
    status
}

/// The functions of the room that a function names before a parenthesis.
fn callees(function: &Function, functions: &[Function]) -> Vec<At> {
    let text = &function.text;
    let mut found = Vec::new();
    for (index, _) in text.match_indices('(') {
        let head = &text[..index];
        let name = tail(head);
        let before = &head[..head.len() - name.len()];
        if before.ends_with("fn ") {
            continue;
        }
        let is_method = before.ends_with('.');
        let module = before.strip_suffix("::").map(tail);
        let fits = |f: &Function| f.name == name && f.is_method == is_method;
        let in_module = |f: &Function| match module {
            Some(module) => f.module == module,
            None => is_method || f.module == function.module,
        };
        let all = || functions.iter().enumerate().filter(|(_, f)| fits(f));
        let own = all().filter(|(_, f)| in_module(f)).map(|(at, _)| at);
        // Whose method it is, only the compiler knows: all of that name count.
        let most = if is_method { usize::MAX } else { 1 };
        let before_it = found.len();
        found.extend(own.take(most));
        if found.len() == before_it && module.is_none() {
            found.extend(all().map(|(at, _)| at).take(1));
        }
    }
    found
}

/// The identifier at the end of a text.
fn tail(text: &str) -> &str {
    let begin = text.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
    &text[begin..]
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The functions of a file: from `fn` to the brace that closes at its indent.
fn functions(file: &Path) -> Vec<Function> {
    let module = file.file_stem().unwrap().to_string_lossy().into_owned();
    let text = read(file);
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, rest)) = line.split_once("fn ") else { continue };
        if !before.trim_start().chars().all(|c| is_word(c) || " ():".contains(c)) {
            continue;
        }
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| *line == end).unwrap_or(0);
        let text = lines[at..=at + length].join("\n");
        let signature = text.split('{').next().unwrap();
        let is_method =
            signature.contains("&self") || signature.contains("&mut self") || signature.contains("(self");
        found.push(Function { module: module.clone(), name, is_method, text });
    }
    found
}

/// `NAME = 0x6283,` by its name.
fn constants(text: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let (name, rest) = line.trim().split_once(" = 0x")?;
        Some((name.to_owned(), rest.get(..4)?.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
