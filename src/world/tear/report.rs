//! What a tear test found.

use super::case::TearCase;
use crate::roles::terminal::journal::State;
use std::collections::BTreeMap;
use std::fmt;

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TearRow {
    /// The case.
    pub case: TearCase,
    /// How the transaction broke off, if it did.
    pub broke: Option<String>,
    /// The row's state after the fault; none where it never began.
    pub torn: Option<State>,
    /// The row's state after recovery.
    pub last: Option<State>,
    /// What recovery did.
    pub way: Vec<String>,
    /// What is wrong, if anything.
    pub violation: Option<String>,
}

/// Every case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TearReport {
    /// The cases in the order they were played.
    pub rows: Vec<TearRow>,
}

impl TearReport {
    /// The cases in which something is wrong.
    pub fn violations(&self) -> impl Iterator<Item = &TearRow> {
        self.rows.iter().filter(|row| row.violation.is_some())
    }
}

impl fmt::Display for TearReport {
    /// A line for each transaction, kind of fault, and way of the card: how many
    /// cases, which states the fault left behind, and which recovery led to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(Key, usize, Counts, Counts, usize)> = Vec::new();
        for row in &self.rows {
            let case = row.case;
            let key = (case.kind.to_string(), case.card.word(), case.fault.word(), case.afterwards.word());
            let place = lines.iter().position(|line| line.0 == key).unwrap_or_else(|| {
                lines.push((key, 0, Counts::new(), Counts::new(), 0));
                lines.len() - 1
            });
            let line = &mut lines[place];
            line.1 += 1;
            *line.2.entry(word(row.torn)).or_default() += 1;
            *line.3.entry(word(row.last)).or_default() += 1;
            line.4 += usize::from(row.violation.is_some());
        }
        writeln!(
            f,
            "{:<18} {:<7} {:<32} {:<17} {:>5}  {:<58} {:<44} wrong",
            "transaction", "card", "fault", "the card then", "cases", "the fault left", "recovery led to"
        )?;
        for ((kind, card, fault, way), cases, torn, last, wrong) in lines {
            writeln!(
                f,
                "{kind:<18} {card:<7} {fault:<32} {way:<17} {cases:>5}  {:<58} {:<44} {wrong}",
                list(&torn),
                list(&last)
            )?;
        }
        for row in self.violations().take(10) {
            writeln!(f, "WRONG {}: {}", row.case, row.violation.as_deref().unwrap_or_default())?;
            writeln!(f, "      {}", row.way.join(" | "))?;
        }
        write!(f, "{} cases, {} wrong", self.rows.len(), self.violations().count())
    }
}

/// Transaction, card, fault, and what the card does then.
type Key = (String, &'static str, &'static str, &'static str);
/// How many cases came to which state.
type Counts = BTreeMap<&'static str, usize>;

fn word(state: Option<State>) -> &'static str {
    state.map_or("nothing", State::word)
}

fn list(counts: &Counts) -> String {
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
