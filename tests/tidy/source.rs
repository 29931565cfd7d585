//! A source file as the rules read it: comments and literals blanked, test code
//! known, every path that leaves the module resolved. Offsets stay those of the file.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

/// One Rust file.
pub(crate) struct Source {
    /// Where it is, from the root of the repository, with `/`.
    pub(crate) path: String,
    /// The text as it stands.
    pub(crate) text: String,
    /// The text with comments and the insides of literals blanked.
    pub(crate) code: String,
    /// `code` with the test modules and test items blanked too.
    pub(crate) product: String,
}

/// A path that begins with `crate`, `super` or `cardwright`, as its segments from
/// the root of the crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CratePath {
    /// The line it begins in, from 1.
    pub(crate) line: usize,
    /// `["air", "link", "Card"]`; a glob is `*`.
    pub(crate) segments: Vec<String>,
}

impl Source {
    /// A file of this text at this place.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank_comments_and_literals(text);
        let mut product = code.clone();
        for range in test_items(&code) {
            blank(&mut product, range);
        }
        Self { path: path.into(), text: text.into(), code, product }
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// Lines before the first test module, or all lines.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let tests = test_items(&self.code).into_iter().find(|range| {
            let item = &self.code[range.clone()];
            item.contains('{') && words(item).any(|(_, word)| word == "mod")
        });
        tests.map_or(self.text.lines().count(), |range| self.line(range.start) - 1)
    }

    /// The module this file is, as segments from the root: `src/air/link/mod.rs` is `air link`.
    pub(crate) fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut segments: Vec<String> = path.split('/').map(String::from).collect();
        if matches!(segments.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            segments.pop();
        }
        segments
    }

    /// Every path that leaves the module by `crate`, `super` or `cardwright`, groups
    /// taken apart, and also those outside `use`.
    pub(crate) fn crate_paths(&self) -> Vec<CratePath> {
        let mut paths = Vec::new();
        for (offset, word) in words(&self.code) {
            let after = offset + word.len();
            let inside_a_path = self.code[..offset].trim_end().ends_with("::");
            let base = match word {
                _ if inside_a_path || !self.code[after..].trim_start().starts_with("::") => continue,
                "crate" | "cardwright" => Vec::new(),
                "super" => self.parent(offset),
                _ => continue,
            };
            let line = self.line(offset);
            let mut tails = Vec::new();
            read_tree(&self.code[after..], &mut base.clone(), &mut tails);
            paths.extend(tails.into_iter().map(|segments| CratePath { line, segments }));
        }
        paths
    }

    /// The module that `super` names at this offset.
    fn parent(&self, offset: usize) -> Vec<String> {
        let mut module = self.module();
        // Inside an inline module `super` is this file, or a module within it.
        if inline_depth(&self.code[..offset]) == 0 {
            module.pop();
        }
        module
    }
}

/// All files with this ending under a folder of the repository, as path and text.
pub(crate) fn read_tree_of(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut BTreeSet<std::path::PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.insert(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    walk(&root.join(folder), &mut found);
    let named = found.into_iter().filter(|path| path.to_string_lossy().ends_with(ending));
    named
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            (name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned())
        })
        .collect()
}

/// The identifiers of a text with their offsets.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// Reads what follows a path's first segment: `::a::b`, `::a::{b, c::d}`, `::*`.
fn read_tree<'a>(mut rest: &'a str, base: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let depth = base.len();
    while let Some(after) = rest.trim_start().strip_prefix("::") {
        rest = after.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                let before = rest.len();
                let Some((at, word)) = words(rest).next().filter(|(at, _)| *at == 0) else {
                    if rest.starts_with('*') {
                        base.push("*".into());
                        found.push(base.clone());
                        base.pop();
                    }
                    let skip = rest.chars().next().map_or(0, char::len_utf8);
                    rest = rest[skip..].trim_start();
                    continue;
                };
                if word == "as" {
                    // The name after `as` is a new name, no segment.
                    rest = rest[2..].trim_start();
                    rest = &rest[words(rest).next().map_or(0, |(_, name)| name.len())..];
                } else {
                    let own = usize::from(word != "self");
                    if own == 1 {
                        base.push(word.into());
                    }
                    rest = read_tree(&rest[at + word.len()..], base, found);
                    base.truncate(base.len() - own);
                }
                rest = rest.trim_start();
                assert!(rest.len() < before, "a path group must be read to its end");
            }
            base.truncate(depth);
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        if let Some(after) = rest.strip_prefix('*') {
            base.push("*".into());
            rest = after;
            break;
        }
        let Some((0, word)) = words(rest).next() else { break };
        base.push(word.into());
        rest = &rest[word.len()..];
    }
    found.push(base.clone());
    base.truncate(depth);
    rest
}

/// How many inline modules are open at the end of this code.
fn inline_depth(code: &str) -> usize {
    let mut open: Vec<bool> = Vec::new();
    let mut since = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => {
                let head = &code[since..at];
                let mut last = words(head).map(|(_, word)| word).collect::<Vec<_>>().into_iter().rev();
                last.next();
                open.push(last.next() == Some("mod"));
                since = at + 1;
            }
            b'}' => {
                open.pop();
                since = at + 1;
            }
            b';' => since = at + 1,
            _ => {}
        }
    }
    open.into_iter().filter(|is_module| *is_module).count()
}

/// The items under `#[cfg(test)]` or `#[cfg(all(test, ...))]`, each from its attribute to its end.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(") {
        if items.last().is_some_and(|last| last.contains(&start)) {
            continue;
        }
        let Some(close) = matching(code, start + 1) else { continue };
        let condition = &code[start..close];
        if words(condition).any(|(_, word)| word == "test")
            && !words(condition).any(|(_, word)| word == "not")
        {
            items.push(start..item_end(code, close));
        }
    }
    items
}

/// The end of the item that begins here: past its `;`, or past its closing brace.
fn item_end(code: &str, mut at: usize) -> usize {
    let bytes = code.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b';' | b',' => return at + 1,
            b'{' => return matching(code, at).unwrap_or(code.len()),
            b'(' | b'[' => at = matching(code, at).unwrap_or(code.len()),
            _ => at += 1,
        }
    }
    code.len()
}

/// The offset past the bracket that closes the one at `open`.
pub(crate) fn matching(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Spaces for everything in the range but line ends, so offsets and lines stay.
fn blank(text: &mut String, range: Range<usize>) {
    let spaces: String =
        text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &spaces);
}

/// The code with comments, and what stands in string, byte and char literals, blanked.
fn blank_comments_and_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = text.to_owned();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let end = if rest.starts_with("//") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            at + block_comment_length(rest)
        } else if let Some(hashes) = raw_string_hashes(text, at) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = at + rest.find('"').unwrap_or(0) + 1;
            text[open..].find(&close).map_or(text.len(), |length| open + length + close.len())
        } else if rest.starts_with('"') {
            at + quoted_length(rest, b'"')
        } else if rest.starts_with('\'') && is_char_literal(rest) {
            at + quoted_length(rest, b'\'')
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        blank(&mut code, at..end);
        at = end;
    }
    code
}

/// The number of `#` of a raw string that begins here, if one does.
fn raw_string_hashes(text: &str, at: usize) -> Option<usize> {
    let before = text[..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let rest = &text[at..];
    let after = ["r", "br", "cr"].iter().find_map(|prefix| {
        let after = rest.strip_prefix(prefix)?;
        after.starts_with(['"', '#']).then_some(after)
    })?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of a block comment, nested ones counted.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a literal between quotes, escapes skipped.
fn quoted_length(rest: &str, quote: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Whether a `'` begins a character, and no lifetime.
fn is_char_literal(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    match after.next() {
        Some('\\') => true,
        Some(_) => after.next() == Some('\''),
        None => false,
    }
}
