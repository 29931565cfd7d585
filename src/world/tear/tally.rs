//! The table of a tear test: a line for the cases of a kind, what the fault left behind in
//! them, and what that came to.

use std::collections::BTreeMap;
use std::fmt;

/// Width of what the fault left, and of what it came to.
const LEFT: usize = 58;
const LAST: usize = 44;

/// How many cases came to what.
type Counts = BTreeMap<String, usize>;

/// The table; a kind has so many columns.
pub(in crate::world) struct Tally<const N: usize> {
    columns: [(&'static str, usize); N],
    ends: (&'static str, &'static str),
    lines: Vec<Line<N>>,
}

struct Line<const N: usize> {
    key: [String; N],
    cases: usize,
    left: Counts,
    last: Counts,
    wrong: usize,
}

impl<const N: usize> Tally<N> {
    /// An empty table, its columns with their widths, and the names of the last two.
    pub fn new(columns: [(&'static str, usize); N], ends: (&'static str, &'static str)) -> Self {
        Self { columns, ends, lines: Vec::new() }
    }

    /// Takes a case. Lines stand in the order in which they came first.
    pub fn take(&mut self, key: [String; N], left: String, last: String, is_wrong: bool) {
        let place = self.lines.iter().rposition(|line| line.key == key).unwrap_or_else(|| {
            self.lines.push(Line { key, cases: 0, left: Counts::new(), last: Counts::new(), wrong: 0 });
            self.lines.len() - 1
        });
        let line = &mut self.lines[place];
        line.cases += 1;
        *line.left.entry(left).or_default() += 1;
        *line.last.entry(last).or_default() += 1;
        line.wrong += usize::from(is_wrong);
    }
}

impl<const N: usize> fmt::Display for Tally<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, width) in self.columns {
            write!(f, "{name:<width$} ")?;
        }
        writeln!(f, "{:>5}  {:<LEFT$} {:<LAST$} wrong", "cases", self.ends.0, self.ends.1)?;
        for Line { key, cases, left, last, wrong } in &self.lines {
            for (value, (_, width)) in key.iter().zip(self.columns) {
                write!(f, "{value:<width$} ")?;
            }
            writeln!(f, "{cases:>5}  {:<LEFT$} {:<LAST$} {wrong}", list(left), list(last))?;
        }
        Ok(())
    }
}

fn list(counts: &Counts) -> String {
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
