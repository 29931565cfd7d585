//! Which cases are played, in which order, and which part of them here.

use super::error::CampaignError;
use super::filter::Filter;
use crate::observers::script::Value;
use crate::observers::script::tree::{Case, Node, Script};
use serde::{Deserialize, Serialize};

/// One case with one row of its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Which script.
    pub script: usize,
    /// Which of its cases.
    pub case: usize,
    /// Which row, from 0, where the case has a table.
    pub row: Option<usize>,
    /// The case's name, with that of its row.
    pub name: String,
}

/// A part of a suite: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub part: usize,
    /// Of how many.
    pub parts: usize,
}

/// The name of the column that names a row.
const NAME: &str = "name";

/// The jobs of scripts that a filter lets through, and of these the ones of a part.
pub fn plan(scripts: &[Script], filter: Option<&Filter>, shard: Option<Shard>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (script, read) in scripts.iter().enumerate() {
        let file = read.sources.first().map_or("", |source| source.name.as_str());
        for (case, told) in read.cases.iter().enumerate() {
            let rows: Vec<Option<usize>> = match &told.table {
                Some(table) => (0..table.rows.len()).map(Some).collect(),
                None => vec![None],
            };
            for row in rows {
                let name = name(read, told, row);
                if filter.is_none_or(|filter| filter.fits(file, &name, &told.header_of(row))) {
                    jobs.push(Job { script, case, row, name });
                }
            }
        }
    }
    match shard {
        // Every so many, so that each part has some of every file.
        Some(Shard { part, parts }) => jobs.into_iter().skip(part - 1).step_by(parts).collect(),
        None => jobs,
    }
}

impl Shard {
    /// Reads `1/4`.
    pub fn parse(text: &str) -> Result<Self, CampaignError> {
        let numbers = text.split_once('/').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match numbers {
            Some((part, parts)) if (1..=parts).contains(&part) => Ok(Self { part, parts }),
            _ => Err(CampaignError::Shard { found: text.to_owned() }),
        }
    }
}

/// A case's name: its own or its script's title, and the row's, which is what stands in the
/// column `name`, else in the first.
fn name(script: &Script, case: &Case, row: Option<usize>) -> String {
    let own = match case.name.is_empty() {
        true => script.title.clone().unwrap_or_default(),
        false => case.name.clone(),
    };
    let Some((table, row)) = case.table.as_ref().zip(row) else { return own };
    let column = table.columns.iter().position(|column| column == NAME).unwrap_or(0);
    let cell = table.rows.get(row).and_then(|(_, cells)| cells.get(column));
    let of_row = match cell.map(|cell| &cell.node) {
        Some(Node::Literal(Value::Text(text))) => text.clone(),
        Some(Node::Literal(value)) => value.to_string(),
        _ => format!("row {}", row + 1),
    };
    format!("{own} [{of_row}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_of_so_many() {
        assert_eq!(Shard::parse("2/4").unwrap(), Shard { part: 2, parts: 4 });
        for text in ["0/4", "5/4", "1/0", "1", "a/b", "1/4/2", ""] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }
}
