//! What a line may go on with: commands, words of the script language, functions, applications
//! and data elements.

use crate::observers::script::{FUNCTIONS, STATEMENT_WORDS};
use crate::words::decode::{AID_NAMES, COMMAND_ROOMS};
use crate::words::dictionary::TAGGED;

/// Words of the shell itself.
const OWN: &[&str] = &["help"];
/// Words of scripts that one line cannot have.
const BLOCKS: &[&str] = &["case", "include", "each", "on", "terminal", "end"];
/// Fewest letters by which an element or an application is found by its name.
const LETTERS: usize = 2;

/// Something that a line may go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is shown.
    pub display: String,
    /// What takes the place of what was typed.
    pub replacement: String,
}

/// Where what is completed begins in the line up to the cursor, and what it may become.
pub(super) fn complete(before: &str) -> (usize, Vec<Candidate>) {
    let line = before.trim_start();
    let begin = before.len() - line.len();
    let heads: Vec<Candidate> = heads().filter(|head| begins(head, line)).map(word).collect();
    if !heads.is_empty() || !line.contains(char::is_whitespace) {
        return (begin, heads);
    }
    let last =
        line.rfind(|letter: char| letter.is_whitespace() || "(,=/".contains(letter)).map_or(0, |at| at + 1);
    let typed = &line[last..];
    let mut found: Vec<Candidate> = Vec::new();
    let names_an_application = line.len() >= 7 && begins(&line[..7], "SELECT ");
    if names_an_application {
        found.extend(AID_NAMES.iter().filter(|row| fits(row.0, row.1, typed)).map(|row| named(row.0, row.1)));
    } else if !typed.is_empty() {
        let functions = FUNCTIONS.iter().filter(|function| begins(function.name, typed));
        found.extend(functions.map(|function| Candidate {
            display: function.usage.into(),
            replacement: format!("{}(", function.name),
        }));
        for row in TAGGED {
            let tag = row.tag.map(|tag| tag.to_string()).unwrap_or_default();
            if fits(&tag, row.name, typed) {
                found.push(named(&tag, row.name));
            }
        }
    }
    (begin + last, found)
}

/// What a line may begin with.
fn heads() -> impl Iterator<Item = &'static str> {
    let commands = COMMAND_ROOMS.iter().flat_map(|room| room.iter());
    let commands = commands.flat_map(|row| [Some(row.name), row.short_name].into_iter().flatten());
    let words = STATEMENT_WORDS.iter().filter(|word| !BLOCKS.contains(word));
    commands.chain(words.copied()).chain(OWN.iter().copied())
}

fn begins(whole: &str, typed: &str) -> bool {
    whole.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
}

/// Whether a number, or a part of what it is called, was typed.
fn fits(number: &str, name: &str, typed: &str) -> bool {
    begins(number, typed) || typed.len() >= LETTERS && name.to_lowercase().contains(&typed.to_lowercase())
}

fn word(head: &str) -> Candidate {
    Candidate { display: head.into(), replacement: format!("{head} ") }
}

fn named(number: &str, name: &str) -> Candidate {
    Candidate { display: format!("{number}  {name}"), replacement: number.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> Vec<String> {
        let (begin, found) = complete(line);
        found.into_iter().map(|candidate| format!("{}{}", &line[..begin], candidate.replacement)).collect()
    }

    #[test]
    fn commands_elements_applications_and_functions_are_completed() {
        assert!(completed("sel").contains(&"SELECT ".to_owned()));
        assert_eq!(completed("get d"), ["GET DATA "]);
        assert_eq!(completed("expe"), ["expect "]);
        assert!(completed("each").is_empty(), "a block has more lines than one");
        assert_eq!(completed("get data 9F79"), ["get data 9F79"]);
        assert!(completed("get data 9F79 zz").is_empty());
        assert!(completed("get data balance").contains(&"get data 9F79".to_owned()));
        assert!(completed("expect 6F/a").contains(&"expect 6F/A5".to_owned()));
        for name in ["select 2pay", "select PPSE"] {
            assert_eq!(completed(name), ["select 325041592E5359532E4444463031"]);
        }
        assert!(completed("let key = ud").contains(&"let key = udk(".to_owned()));
    }

    #[test]
    fn any_line_has_candidates_or_none() {
        for line in ["", " ", "é", "select é", "expect é(", "\u{fffd} x"] {
            let (begin, _) = complete(line);
            assert!(line.is_char_boundary(begin), "{line:?}");
        }
        assert!(complete("").1.len() > 10);
    }
}
