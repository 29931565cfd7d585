//! Names and values in two aligned columns.

use std::fmt;

/// Lines of a name and a value; printed, the values stand under each other.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    rows: Vec<(String, String)>,
    indent: usize,
}

impl Columns {
    /// No lines yet, each to be indented by so many spaces.
    pub fn indented(indent: usize) -> Self {
        Self { rows: Vec::new(), indent }
    }

    /// Adds a line.
    pub fn row(&mut self, name: impl Into<String>, value: impl fmt::Display) -> &mut Self {
        self.rows.push((name.into(), value.to_string()));
        self
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in &self.rows {
            let line = format!("{:indent$}{name:width$}  {value}", "", indent = self.indent);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_each_other() {
        let mut columns = Columns::indented(2);
        columns.row("balance", "100.00 CNY").row("PAN", "629999").row("empty", "");
        assert_eq!(columns.to_string(), "  balance  100.00 CNY\n  PAN      629999\n  empty\n");
    }
}
