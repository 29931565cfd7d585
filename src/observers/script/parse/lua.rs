//! Scripts in Lua: what is said about them and their cases stands in lines that begin with
//! `---` and a blank, which Lua takes for comments. What Lua says is not looked into.

use super::line::Item;
use crate::observers::script::lua::check;
use crate::observers::script::problem::{ParseError, Problem, ScriptError};
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Chunk, Script, Statement, Step};
use std::sync::Arc;

/// What a line of the script's own begins with.
const MARK: &str = "---";

/// Whether a script of this name is in Lua.
pub(super) fn is_lua(name: &str) -> bool {
    name.ends_with(".lua")
}

/// The text with nothing but what stands behind marks, each letter in its place.
pub(super) fn marked(text: &str) -> String {
    let line = |line: &str| match line.trim_start().strip_prefix(MARK) {
        Some(rest) if rest.starts_with([' ', '\t']) => line.replacen(MARK, "   ", 1) + "\n",
        _ => "\n".to_owned(),
    };
    text.lines().map(line).collect()
}

/// What may stand behind a mark.
pub(super) fn fit(read: Result<(Item, Span), ParseError>) -> Result<(Item, Span), ParseError> {
    match read {
        Ok((Item::Empty | Item::Header(_) | Item::Case(_) | Item::Row(_) | Item::Include(_), _)) => read,
        Ok((_, span)) => Err(ParseError::new(Problem::LuaMark, span)
            .hint("steps are written in Lua, as in `play \"SELECT A000000333010106\"`")),
        Err(ParseError { problem, span, hint }) if matches!(*problem, Problem::FirstWord { .. }) => {
            Err(ParseError { problem: Box::new(Problem::LuaMark), span, hint })
        }
        Err(error) => Err(error),
    }
}

/// The script with the Lua of each case, which must be Lua.
pub(super) fn with_chunks(mut script: Script) -> Result<Script, Vec<ScriptError>> {
    let whole = script.sources.first().map_or("", |source| source.text.as_str());
    // A script without `case` is one case as a whole.
    let is_whole = script.cases.iter().all(|case| case.name.is_empty());
    let begins: Vec<usize> = script.cases.iter().map(|case| case.span.line).collect();
    let mut errors = Vec::new();
    for (index, case) in script.cases.iter_mut().enumerate() {
        let first = begins.first().copied().unwrap_or(1);
        let own = begins[index]..begins.get(index + 1).copied().unwrap_or(usize::MAX);
        let is_its = |line: usize| is_whole || line < first || own.contains(&line);
        let lines = (1..).zip(whole.lines()).map(|(number, line)| if is_its(number) { line } else { "" });
        let text = lines.flat_map(|line| [line, "\n"]).collect::<String>();
        if let Err((line, cause)) = check(&text) {
            // What is missing at the end is missing before the blanks there.
            let last = text.lines().collect::<Vec<_>>().iter().rposition(|line| !line.trim().is_empty());
            let line = line.unwrap_or(case.span.line).min(last.map_or(1, |last| last + 1));
            let span = Span::of_line(0, line, whole);
            errors.push(ParseError::new(Problem::Lua { cause }, span));
        }
        let part = case.header.part;
        let step = Step::Lua(Arc::new(Chunk { text, part }));
        case.statements.push(Statement { span: case.span, step });
    }
    // What stands above all cases is wrong in each of them.
    errors.dedup();
    match errors.is_empty() {
        true => Ok(script),
        false => Err(errors.into_iter().map(|error| error.placed(&script.sources)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_their_places() {
        let text = "--- title A\n-- not\n----\n  --- case B\nlocal x = 1 --- no\n---@type string\n";
        assert_eq!(marked(text), "    title A\n\n\n      case B\n\n\n");
    }
}
